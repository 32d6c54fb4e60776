//! Reads a tree that others may change meanwhile, and hands its entries on.
//!
//! # Theory of operation
//!
//! 1. The tree is known by a descriptor of its top, which nothing on disk can exchange. Every directory is opened beneath it
//!    with no symbolic link followed, every name in a directory by that directory's descriptor.
//! 2. A name is first opened as a mere location (`O_PATH`), which neither waits for the other end of a FIFO nor wakes a device.
//!    What it is decides what becomes of it, and a regular file is read through that very location: what has taken its name
//!    since cannot be opened in its place.
//! 3. Of a file system that only shows what the kernel knows, met on the way, no more than its directory is handed on: its files
//!    have no content to keep, and some wait for ever. Named itself, it is read.
//! 4. What is gone when its turn comes was removed or renamed meanwhile, and is left out.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat, readlinkat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat};
use nix::sys::statfs::{
    CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, FsType, PROC_SUPER_MAGIC, SYSFS_MAGIC, fstatfs,
};

use super::attributes::{Attributes, OPAQUE, read_one};
use super::beneath::{Links, open_beneath};
use super::copy::{Identity, attributes_of, identity, kind_of, names_in, plain_attributes};
use super::entry_path::EntryPath;
use super::receive::{Content, Device, DeviceKind, Receive, Source};
use super::tree_error::TreeError;
use crate::user_ids::IdRange;

/// What becomes of the marks with which an overlay says that something of a lower layer is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marks {
    /// They are part of the tree: it is an overlay's upper directory.
    Kept,
    /// There are none.
    None,
}

/// A tree to be read.
pub(crate) struct Walk {
    root: OwnedFd,
    called: EntryPath,
    marks: Marks,
    avoided: Option<Identity>,
    users: Option<IdRange>,
    /// Where the top is.
    device: u64,
    seen: HashMap<Identity, EntryPath>,
}

impl Walk {
    /// What the descriptor stands for, and everything in it if that is a directory. The receiver hears of it as `called`. Of a
    /// symbolic link or anything else a location is enough.
    pub(crate) fn of(root: OwnedFd, called: EntryPath) -> Self {
        Self {
            root,
            called,
            marks: Marks::None,
            avoided: None,
            users: None,
            device: 0,
            seen: HashMap::new(),
        }
    }

    /// What a container has written: the upper directory of its overlay.
    pub(crate) fn of_upper(root: OwnedFd) -> Self {
        Self {
            marks: Marks::Kept,
            ..Self::of(root, EntryPath::root())
        }
    }

    /// The same, where a directory must not be met, because what is read is put into it and would never end.
    pub(crate) fn avoiding(self, directory: Identity) -> Self {
        Self {
            avoided: Some(directory),
            ..self
        }
    }

    /// The same, shown with these users of a container's own: its receiver hears the numbers that they have inside.
    pub(crate) fn with_users(self, users: Option<IdRange>) -> Self {
        Self { users, ..self }
    }

    fn as_inside(&self, mut attributes: Attributes) -> Attributes {
        if let Some(users) = self.users {
            attributes.owner = users.inside(attributes.owner);
            attributes.group = users.inside(attributes.group);
        }
        attributes
    }

    /// Reads it to its end.
    ///
    /// # Errors
    /// What cannot be read, or what the receiver makes of it.
    pub(crate) fn through(mut self, receiver: &mut impl Receive) -> Result<(), TreeError> {
        let called = self.called.clone();
        let status = fstat(&self.root).map_err(unreadable(&called))?;
        if kind_of(&status) != SFlag::S_IFDIR {
            let root = self.root.try_clone().map_err(unreadable(&called))?;
            return self.single(&called, (root, status), receiver);
        }
        self.device = status.st_dev;
        let mut pending = vec![EntryPath::root()];
        while let Some(path) = pending.pop() {
            let mut directories = self.directory(&path, receiver)?;
            directories.reverse();
            pending.extend(directories);
        }
        Ok(())
    }

    /// Hands on a directory and what is in it, except for the directories in it, which are the result.
    fn directory(
        &mut self,
        path: &EntryPath,
        receiver: &mut impl Receive,
    ) -> Result<Vec<EntryPath>, TreeError> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
        let directory = match open_beneath(&self.root, path, flags, Links::Refused) {
            Err(error) if is_gone(&error) && *path != EntryPath::root() => return Ok(Vec::new()),
            outcome => outcome.map_err(unreadable(path))?,
        };
        let called = self.called.join(path);
        let status = fstat(&directory).map_err(unreadable(&called))?;
        if self.avoided == Some(identity(&status)) {
            return Err(TreeError::IntoItself {
                path: path.to_string(),
            });
        }
        let mut attributes = attributes_of(&directory, &status, &called)?;
        if self.marks == Marks::Kept
            && let Some(value) = read_one(&directory, OPAQUE).map_err(unreadable(&called))?
        {
            attributes.extended.push((OPAQUE.to_owned(), value));
        }
        receiver.directory(called, self.as_inside(attributes))?;
        if status.st_dev != self.device && shows_the_kernel(&directory).map_err(unreadable(path))? {
            return Ok(Vec::new());
        }
        let listed = directory.try_clone().map_err(unreadable(path))?;
        let mut directories = Vec::new();
        for name in names_in(listed).map_err(unreadable(path))? {
            let child = path.child(&name);
            let Some(found) = locate(directory.as_fd(), &name).map_err(unreadable(&child))? else {
                continue;
            };
            match kind_of(&found.1) {
                SFlag::S_IFDIR => directories.push(child),
                _ => self.single(&self.called.join(&child), found, receiver)?,
            }
        }
        Ok(directories)
    }

    /// Hands on something that is no directory.
    fn single(
        &mut self,
        path: &EntryPath,
        (location, status): (OwnedFd, FileStat),
        receiver: &mut impl Receive,
    ) -> Result<(), TreeError> {
        let attributes = self.as_inside(plain_attributes(&status));
        let device = device_of(&status);
        if self.marks == Marks::Kept && device == Some(Device::WHITEOUT) {
            // The kernel lets many names share one such node, which means nothing.
            return receiver.device(path, Device::WHITEOUT, &attributes);
        }
        if status.st_nlink > 1 {
            if let Some(target) = self.seen.get(&identity(&status)) {
                return receiver.hard_link(path, target, &attributes);
            }
            // Receivers leave out sockets, and some leave out devices, so no other name can be made of them.
            if kind_of(&status) != SFlag::S_IFSOCK && device.is_none() {
                self.seen.insert(identity(&status), path.clone());
            }
        }
        match (kind_of(&status), device) {
            (SFlag::S_IFREG, _) => self.file(path, &location, receiver),
            (SFlag::S_IFLNK, _) => {
                let target = readlinkat(&location, "").map_err(unreadable(path))?;
                receiver.symbolic_link(path, &target, &attributes)
            }
            (SFlag::S_IFIFO, _) => receiver.fifo(path, &attributes),
            (_, Some(device)) => receiver.device(path, device, &attributes),
            _ => {
                receiver.socket(path);
                Ok(())
            }
        }
    }

    /// Opens the file that the location stands for, whatever its name stands for by now.
    fn file(
        &self,
        path: &EntryPath,
        location: &OwnedFd,
        receiver: &mut impl Receive,
    ) -> Result<(), TreeError> {
        let mut file = open_location(location).map_err(unreadable(path))?;
        let status = fstat(&file).map_err(unreadable(path))?;
        let attributes = self.as_inside(attributes_of(&file, &status, path)?);
        let content = Content {
            length: status.st_size.cast_unsigned(),
            source: Source::File(&mut file),
        };
        receiver.file(path, &attributes, content).map(drop)
    }
}

/// Opens for reading what a location stands for, which the caller knows to be a regular file.
pub(crate) fn open_location(location: impl AsFd) -> io::Result<File> {
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let number = location.as_fd().as_raw_fd();
    let file = open(
        format!("/proc/self/fd/{number}").as_str(),
        flags,
        Mode::empty(),
    )?;
    Ok(File::from(file))
}

/// A name in a directory as a location, and what it is; none if it is gone.
fn locate(
    directory: BorrowedFd<'_>,
    name: &std::ffi::OsStr,
) -> io::Result<Option<(OwnedFd, FileStat)>> {
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    match openat(directory, name, flags, Mode::empty()) {
        Ok(location) => {
            let status = fstat(&location)?;
            Ok(Some((location, status)))
        }
        Err(Errno::ENOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn device_of(status: &FileStat) -> Option<Device> {
    let kind = match kind_of(status) {
        SFlag::S_IFCHR => DeviceKind::Character,
        SFlag::S_IFBLK => DeviceKind::Block,
        _ => return None,
    };
    Some(Device {
        kind,
        number: status.st_rdev,
    })
}

/// Whether a directory is of a file system that holds no files but views of the kernel.
fn shows_the_kernel(directory: &OwnedFd) -> io::Result<bool> {
    const VIEWS: [FsType; 4] = [
        PROC_SUPER_MAGIC,
        SYSFS_MAGIC,
        CGROUP2_SUPER_MAGIC,
        CGROUP_SUPER_MAGIC,
    ];
    Ok(VIEWS.contains(&fstatfs(directory)?.filesystem_type()))
}

/// Whether a directory that was there a moment ago was removed, or something else has its name.
fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::ENOENT | libc::ENOTDIR | libc::ELOOP | libc::EXDEV)
    )
}

fn unreadable<E: Into<io::Error>>(path: &EntryPath) -> impl Fn(E) -> TreeError {
    move |source| TreeError::Read {
        path: path.to_string(),
        source: source.into(),
    }
}
