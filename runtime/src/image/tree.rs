//! Builds a tree of files below a directory, and nowhere else.
//!
//! # Theory of operation
//!
//! 1. Every entry's directory is opened with `openat2` beneath the root's descriptor. The kernel itself refuses what leads out, at the
//!    moment of opening, so that no earlier entry can redirect a later one.
//! 2. What is made is made as one name in that directory, never following a link, and only where nothing stands: something that stands
//!    there is removed first. A later entry of the same name thus replaces an earlier one and never writes through it.
//! 3. Directories get their owner, mode and time at the end, because making something in them changes their time. Extended attributes
//!    they get at once: an archive could fill the memory with them.
//! 4. Zeros are not written but left out, so that a file of nothing but zeros, whose archive is tiny, takes no room.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{FchmodatFlags, Mode, SFlag, fchmodat, fstatat, mkdirat, mknodat};
use nix::sys::statfs::fstatfs;
use nix::unistd::{LinkatFlags, UnlinkatFlags, linkat, mkfifoat, symlinkat, unlinkat};

use super::attributes::Attributes;
use super::beneath::{Links, open_beneath, would_leave};
use super::entry_path::EntryPath;
use super::receive::{Device, DeviceKind};
use super::tree_error::TreeError;

const BUFFER: usize = 128 * 1024;

/// A tree in the making.
pub(super) struct Tree {
    root: OwnedFd,
    directories: BTreeMap<EntryPath, Attributes>,
    buffer: Vec<u8>,
    size_bytes: u64,
}

impl Tree {
    /// Begins a tree in a directory that exists, is empty, and that nobody else changes.
    pub(super) fn begin(directory: &Path) -> io::Result<Self> {
        Ok(Self {
            root: File::open(directory)?.into(),
            directories: BTreeMap::new(),
            buffer: vec![0; BUFFER],
            size_bytes: 0,
        })
    }

    /// Makes a directory; one that exists stays and gets the new attributes.
    pub(super) fn directory(
        &mut self,
        path: EntryPath,
        mut attributes: Attributes,
    ) -> Result<(), TreeError> {
        if let Some((parent, name)) = path.split() {
            let parent = self.open_directory(&parent)?;
            let made = match mkdirat(&parent, name, Mode::S_IRWXU) {
                Err(Errno::EEXIST) if is_directory(parent.as_fd(), name) => Ok(()),
                Err(Errno::EEXIST) => remove(parent.as_fd(), name)
                    .and_then(|()| mkdirat(&parent, name, Mode::S_IRWXU)),
                outcome => outcome,
            };
            made.map_err(|error| cannot_make(&path, error))?;
        }
        if !attributes.extended.is_empty() {
            let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
            let directory = open_beneath(&self.root, &path, flags, Links::Within)
                .map_err(|error| cannot_enter(&path, error))?;
            attributes.set_extended_only(directory, &path)?;
            attributes.extended.clear();
        }
        self.directories.insert(path, attributes);
        Ok(())
    }

    /// Refuses a file that is longer than there is room for, before any of it is made.
    pub(super) fn check_room(&self, path: &EntryPath, length: u64) -> Result<(), TreeError> {
        let Ok(file_system) = fstatfs(&self.root) else {
            return Ok(());
        };
        let block = file_system.block_size().cast_unsigned();
        let free = file_system.blocks_free().saturating_mul(block);
        // A file system in memory that was given no size says that it has no blocks at all.
        match file_system.blocks() == 0 || length <= free {
            true => Ok(()),
            false => Err(TreeError::NoRoom {
                path: path.to_string(),
                length,
                free,
            }),
        }
    }

    /// Makes a file with what the reader gives, and says how many bytes that was. `read_failed` turns the reader's errors into ours.
    pub(super) fn file(
        &mut self,
        path: &EntryPath,
        attributes: &Attributes,
        content: &mut dyn Read,
        read_failed: impl Fn(io::Error) -> TreeError,
    ) -> Result<u64, TreeError> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        let file = self.place(path, |parent, name| {
            openat(parent, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)
        })?;
        let mut file = File::from(file);
        let unwritable = |source| TreeError::Write {
            path: path.to_string(),
            source,
        };
        let mut length = 0;
        loop {
            let count = match content.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(read_failed(error)),
            };
            write_or_skip(&mut file, &self.buffer[..count]).map_err(unwritable)?;
            length += count as u64;
        }
        // Zeros at the end have moved the position only.
        file.set_len(length).map_err(unwritable)?;
        attributes.set(&file, path)?;
        self.size_bytes += length;
        Ok(length)
    }

    /// Makes a symbolic link. Its target is kept as it is: it means something inside the container only.
    pub(super) fn symbolic_link(
        &mut self,
        path: &EntryPath,
        target: &OsStr,
        attributes: &Attributes,
    ) -> Result<(), TreeError> {
        self.place(path, |parent, name| {
            symlinkat(target, parent, name)?;
            Ok(())
        })?;
        let (parent, name) = self.place_of(path)?;
        attributes.set_on_link(parent.as_fd(), name, path)
    }

    /// Makes another name for something that stands in the tree already.
    pub(super) fn hard_link(
        &mut self,
        path: &EntryPath,
        target: &EntryPath,
    ) -> Result<(), TreeError> {
        let fails = |error: Errno| TreeError::HardLink {
            path: path.to_string(),
            target: target.to_string(),
            source: error.into(),
        };
        if path == target {
            return Err(fails(Errno::EEXIST));
        }
        let (from, from_name) = self.place_of(target)?;
        fstatat(&from, from_name, AtFlags::AT_SYMLINK_NOFOLLOW).map_err(fails)?;
        let (to, to_name) = self.place_of(path)?;
        let link = || linkat(&from, from_name, &to, to_name, LinkatFlags::empty());
        match link() {
            Err(Errno::EEXIST) => remove(to.as_fd(), to_name).and_then(|()| link()),
            outcome => outcome,
        }
        .map_err(fails)
    }

    /// Makes a FIFO.
    pub(super) fn fifo(
        &mut self,
        path: &EntryPath,
        attributes: &Attributes,
    ) -> Result<(), TreeError> {
        self.place(path, |parent, name| {
            mkfifoat(parent, name, Mode::S_IRUSR | Mode::S_IWUSR)
        })?;
        let (parent, name) = self.place_of(path)?;
        attributes.set_on_special(parent.as_fd(), name, path)
    }

    /// Makes a device node.
    pub(super) fn device(
        &mut self,
        path: &EntryPath,
        device: Device,
        attributes: &Attributes,
    ) -> Result<(), TreeError> {
        let kind = match device.kind {
            DeviceKind::Character => SFlag::S_IFCHR,
            DeviceKind::Block => SFlag::S_IFBLK,
        };
        self.place(path, |parent, name| {
            mknodat(parent, name, kind, Mode::S_IRUSR, device.number)
        })?;
        let (parent, name) = self.place_of(path)?;
        attributes.set_on_special(parent.as_fd(), name, path)
    }

    /// Gives the directories their attributes, and says how many bytes of content the tree was given.
    pub(super) fn finish(self) -> Result<u64, TreeError> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
        for (path, attributes) in &self.directories {
            match open_beneath(&self.root, path, flags, Links::Within) {
                Ok(directory) => attributes.set(directory, path)?,
                // A later entry has taken the directory's place.
                Err(error) if is_gone(&error) => {}
                Err(source) => {
                    return Err(TreeError::Make {
                        path: path.to_string(),
                        source,
                    });
                }
            }
        }
        Ok(self.size_bytes)
    }

    /// Makes one name in its directory; what stands there is removed first.
    fn place<T>(
        &self,
        path: &EntryPath,
        make: impl Fn(BorrowedFd<'_>, &OsStr) -> nix::Result<T>,
    ) -> Result<T, TreeError> {
        let (parent, name) = self.place_of(path)?;
        let parent = parent.as_fd();
        match make(parent, name) {
            Err(Errno::EEXIST) => remove(parent, name).and_then(|()| make(parent, name)),
            outcome => outcome,
        }
        .map_err(|error| cannot_make(path, error))
    }

    /// The opened directory and the name in it. The root itself has neither, so only a directory can stand for it.
    fn place_of<'a>(&self, path: &'a EntryPath) -> Result<(OwnedFd, &'a OsStr), TreeError> {
        let (parent, name) = path
            .split()
            .ok_or_else(|| cannot_make(path, Errno::EISDIR))?;
        Ok((self.open_directory(&parent)?, name))
    }

    /// Opens a directory of the tree; those that are missing on the way are made, as `tar` makes them.
    fn open_directory(&self, path: &EntryPath) -> Result<OwnedFd, TreeError> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
        match open_beneath(&self.root, path, flags, Links::Within) {
            Ok(directory) => return Ok(directory),
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {}
            Err(error) => return Err(cannot_enter(path, error)),
        }
        let Some((above, name)) = path.split() else {
            return Err(cannot_make(path, Errno::ENOENT));
        };
        let above = self.open_directory(&above)?;
        let mode = Mode::from_bits_truncate(0o755);
        // The mode is set again because the process's own mask must not show in an image. Nobody else changes the tree, so the name
        // is still the directory that was made just now.
        mkdirat(&above, name, mode)
            .and_then(|()| fchmodat(&above, name, mode, FchmodatFlags::FollowSymlink))
            .map_err(|error| cannot_make(path, error))?;
        open_beneath(&self.root, path, flags, Links::Within)
            .map_err(|error| cannot_enter(path, error))
    }
}

/// Writes a piece of a new file, or leaves a hole of its length if it is nothing but zeros.
fn write_or_skip(file: &mut File, piece: &[u8]) -> io::Result<()> {
    match piece.iter().all(|byte| *byte == 0) {
        true => file.seek(SeekFrom::Current(piece.len() as i64)).map(drop),
        false => file.write_all(piece),
    }
}

fn is_directory(parent: BorrowedFd<'_>, name: &OsStr) -> bool {
    fstatat(parent, name, AtFlags::AT_SYMLINK_NOFOLLOW).is_ok_and(|found| {
        SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT == SFlag::S_IFDIR
    })
}

/// Removes one name; a directory only if nothing is in it.
fn remove(parent: BorrowedFd<'_>, name: &OsStr) -> nix::Result<()> {
    match unlinkat(parent, name, UnlinkatFlags::NoRemoveDir) {
        Err(Errno::EISDIR) => unlinkat(parent, name, UnlinkatFlags::RemoveDir),
        outcome => outcome,
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::ENOENT) | Some(libc::ENOTDIR) | Some(libc::ELOOP)
    )
}

fn cannot_make(path: &EntryPath, error: Errno) -> TreeError {
    TreeError::Make {
        path: path.to_string(),
        source: error.into(),
    }
}

fn cannot_enter(path: &EntryPath, error: io::Error) -> TreeError {
    let path = path.to_string();
    match would_leave(&error) {
        true => TreeError::Escapes { path },
        false => TreeError::Make {
            path,
            source: error,
        },
    }
}
