//! Puts the entries of a tree at their new place, which somebody else may be changing at the same time.
//!
//! # Theory of operation
//!
//! 1. Every entry's directory is opened beneath the base's descriptor, with no symbolic link followed; only an archive that is
//!    unpacked into a container may use the links there, which lead nowhere but into that container.
//! 2. Anything but a directory is made complete under a name of its own and then renamed: so it is never written through
//!    something that stood there, nobody sees half of it, and what stood there is lost only when the new is whole.
//! 3. A directory merges with one that is there. A directory and something else never take each other's place.
//! 4. Directories get their attributes at the end, because making something in them changes their time.
//! 5. Device nodes and sockets are left out and told. A node that a container made could open a disk of the host.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::SystemTime;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{Mode, SFlag, fchmod, fstat, fstatat, mkdirat};
use nix::unistd::{LinkatFlags, UnlinkatFlags, linkat, mkfifoat, symlinkat, unlinkat};

use super::content::{ContentError, write_content};
use super::copy::Skipped;
use super::file_creator::FileCreator;
use super::ground::open_in_root;
use super::ownership::{Ownership, Wearer};
use super::single::{is_mount_point, set_attributes};
use crate::image::TreeError;
use crate::image::attributes::Attributes;
use crate::image::beneath::{Links, open_beneath};
use crate::image::copy::kind_of;
use crate::image::entry_path::EntryPath;
use crate::image::receive::{Content, Device, DeviceKind, Receive, Source};
use crate::user_ids::IdRange;

const BUFFER: usize = 128 * 1024;

/// What the paths of entries are relative to.
pub(super) enum Base {
    /// A directory, below which no symbolic link is followed.
    Directory(OwnedFd),
    /// A directory of a container, by its root and its path from there. Links mean what they mean in the container.
    InContainer {
        /// The container's root.
        root: OwnedFd,
        /// The directory.
        path: PathBuf,
    },
}

/// Makes what it receives below a base.
pub(super) struct Placer<'a> {
    base: Base,
    ownership: Ownership,
    told: &'a mut dyn FnMut(Skipped),
    directories: BTreeMap<EntryPath, Attributes>,
    buffer: Vec<u8>,
    made: u64,
    size_bytes: u64,
    users: Option<(IdRange, FileCreator)>,
}

impl<'a> Placer<'a> {
    /// Begins; `told` hears of what is left out.
    pub(super) fn new(base: Base, ownership: Ownership, told: &'a mut dyn FnMut(Skipped)) -> Self {
        Self {
            base,
            ownership,
            told,
            directories: BTreeMap::new(),
            buffer: vec![0; BUFFER],
            made: 0,
            size_bytes: 0,
            users: None,
        }
    }

    /// What is made belongs to these users, if they are a container's own.
    pub(super) fn for_users(self, users: Option<IdRange>) -> io::Result<Self> {
        let creator = users.map(|users| FileCreator::of(users).map(|creator| (users, creator)));
        Ok(Self {
            users: creator.transpose()?,
            ..self
        })
    }

    /// The attributes that something has at its new place, with the numbers that its owners have on the host.
    fn adapted(&self, attributes: Attributes, wearer: Wearer) -> Attributes {
        let mut adapted = self.ownership.adapt(attributes, wearer);
        if let Some((users, _)) = &self.users {
            adapted.owner = users.outside_or_nobody(adapted.owner);
            adapted.group = users.outside_or_nobody(adapted.group);
        }
        adapted
    }

    /// Gives the directories their attributes, and says how many bytes of content were copied.
    pub(super) fn finish(self) -> Result<u64, TreeError> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
        for (path, attributes) in &self.directories {
            match self.base.open(path, flags) {
                Ok(directory) => attributes.set(directory, path)?,
                // Somebody has removed it meanwhile, or put something else in its place.
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(cannot_make(path)(error)),
            }
        }
        Ok(self.size_bytes)
    }

    /// Makes something under a name of its own and renames it to the entry's.
    fn put<T>(
        &mut self,
        path: &EntryPath,
        make: impl FnOnce(&mut Self, BorrowedFd<'_>, &OsStr) -> Result<T, TreeError>,
    ) -> Result<T, TreeError> {
        let (above, name) = path
            .split()
            .ok_or_else(|| cannot_make(path)(Errno::EISDIR))?;
        let parent = self.open_directory(&above)?;
        let parent = parent.as_fd();
        refuse_what_stays(parent, name, path)?;
        let temporary = self.temporary_name();
        let made = make(self, parent, &temporary).and_then(|value| {
            renameat(parent, temporary.as_os_str(), parent, name).map_err(|error| match error {
                Errno::EISDIR | Errno::ENOTEMPTY | Errno::EEXIST => TreeError::DirectoryInTheWay {
                    path: path.to_string(),
                },
                Errno::EBUSY => TreeError::MountPoint {
                    path: path.to_string(),
                },
                error => cannot_make(path)(error),
            })?;
            Ok(value)
        });
        // It is gone after the renaming, unless that failed, or both names were of one file already.
        let _ = unlinkat(parent, temporary.as_os_str(), UnlinkatFlags::NoRemoveDir);
        made
    }

    /// A name that nothing in the directory has.
    fn temporary_name(&mut self) -> OsString {
        self.made += 1;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let moment = now.unwrap_or_default().as_nanos();
        let process = std::process::id();
        format!(".minirun-{process}-{moment}-{}", self.made).into()
    }

    /// Opens a directory below the base. Those that are missing on the way are made: archives need not name them.
    fn open_directory(&self, path: &EntryPath) -> Result<OwnedFd, TreeError> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
        match self.base.open(path, flags) {
            Ok(directory) => return Ok(directory),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(cannot_make(path)(error)),
        }
        let (above, name) = path
            .split()
            .ok_or_else(|| cannot_make(path)(Errno::ENOENT))?;
        let above = self.open_directory(&above)?;
        let usual = Mode::from_bits_truncate(0o755);
        let made = match mkdirat(&above, name, usual) {
            // Somebody was faster, or a link that leads nowhere has the name.
            Err(Errno::EEXIST) => false,
            outcome => outcome.map(|()| true).map_err(cannot_make(path))?,
        };
        let directory = enter(above.as_fd(), name).map_err(cannot_make(path))?;
        if made {
            // This process's own mask must not show.
            fchmod(&directory, usual).map_err(cannot_make(path))?;
        }
        Ok(directory)
    }

    fn skip(&mut self, path: &EntryPath, kind: &'static str) {
        (self.told)(Skipped {
            path: path.to_string(),
            kind,
        });
    }
}

impl Receive for Placer<'_> {
    fn directory(&mut self, path: EntryPath, attributes: Attributes) -> Result<(), TreeError> {
        let Some((above, name)) = path.split() else {
            // The base itself is the receiver's own.
            return Ok(());
        };
        let parent = self.open_directory(&above)?;
        match mkdirat(&parent, name, Mode::S_IRWXU) {
            Ok(()) => {}
            Err(Errno::EEXIST) => {
                enter(parent.as_fd(), name).map_err(|error| match is_gone(&error) {
                    true => TreeError::NoDirectoryInTheWay {
                        path: path.to_string(),
                    },
                    false => cannot_make(&path)(error),
                })?;
            }
            Err(error) => return Err(cannot_make(&path)(error)),
        }
        let attributes = self.adapted(attributes, Wearer::Directory);
        self.directories.insert(path, attributes);
        Ok(())
    }

    fn file(
        &mut self,
        path: &EntryPath,
        attributes: &Attributes,
        content: Content<'_>,
    ) -> Result<u64, TreeError> {
        let attributes = self.adapted(attributes.clone(), Wearer::Other);
        let is_archive = matches!(content.source, Source::Archive(_));
        let length = self.put(path, |placer, parent, name| {
            let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
            let file = openat(parent, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)
                .map_err(cannot_make(path))?;
            let file = File::from(file);
            let length = write_content(&file, content, &mut placer.buffer)
                .map_err(|error| content_error(error, is_archive, path))?;
            attributes.set(&file, path)?;
            Ok(length)
        })?;
        self.size_bytes += length;
        Ok(length)
    }

    fn symbolic_link(
        &mut self,
        path: &EntryPath,
        target: &OsStr,
        attributes: &Attributes,
    ) -> Result<(), TreeError> {
        let attributes = self.adapted(attributes.clone(), Wearer::Other);
        self.put(path, |_, parent, name| {
            symlinkat(target, parent, name).map_err(cannot_make(path))?;
            set_attributes(parent, (name, SFlag::S_IFLNK), &attributes).map_err(cannot_set(path))
        })
    }

    fn hard_link(
        &mut self,
        path: &EntryPath,
        target: &EntryPath,
        _attributes: &Attributes,
    ) -> Result<(), TreeError> {
        let fails = |error: Errno| TreeError::HardLink {
            path: path.to_string(),
            target: target.to_string(),
            source: error.into(),
        };
        if path == target {
            return Err(fails(Errno::EEXIST));
        }
        let (above, target_name) = target.split().ok_or_else(|| fails(Errno::EISDIR))?;
        let from = self.base.open(&above, OFlag::O_PATH | OFlag::O_DIRECTORY);
        let from =
            from.map_err(|error| fails(Errno::from_raw(error.raw_os_error().unwrap_or(0))))?;
        fstatat(&from, target_name, AtFlags::AT_SYMLINK_NOFOLLOW).map_err(fails)?;
        self.put(path, |_, parent, name| {
            linkat(&from, target_name, parent, name, LinkatFlags::empty()).map_err(fails)
        })
    }

    fn fifo(&mut self, path: &EntryPath, attributes: &Attributes) -> Result<(), TreeError> {
        let attributes = self.adapted(attributes.clone(), Wearer::Other);
        self.put(path, |_, parent, name| {
            mkfifoat(parent, name, Mode::S_IRUSR | Mode::S_IWUSR).map_err(cannot_make(path))?;
            set_attributes(parent, (name, SFlag::S_IFIFO), &attributes).map_err(cannot_set(path))
        })
    }

    fn device(
        &mut self,
        path: &EntryPath,
        device: Device,
        _attributes: &Attributes,
    ) -> Result<(), TreeError> {
        self.skip(path, device_kind(device));
        Ok(())
    }

    fn socket(&mut self, path: &EntryPath) {
        self.skip(path, "a socket");
    }
}

/// What a device is called.
pub(super) fn device_kind(device: Device) -> &'static str {
    match device.kind {
        DeviceKind::Character => "a character device",
        DeviceKind::Block => "a block device",
    }
}

impl Base {
    fn open(&self, path: &EntryPath, flags: OFlag) -> io::Result<OwnedFd> {
        match self {
            Self::Directory(directory) => open_beneath(directory, path, flags, Links::Refused),
            Self::InContainer { root, path: base } => {
                open_in_root(root, &base.join(path.as_path()), flags)
            }
        }
    }
}

/// Opens a directory of this name, and nothing else.
fn enter(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    Ok(openat(parent, name, flags, Mode::empty())?)
}

/// Directories are not replaced. Neither is a file that something is mounted on: the kernel would let us, and take the mount away
/// from the container.
fn refuse_what_stays(
    parent: BorrowedFd<'_>,
    name: &OsStr,
    path: &EntryPath,
) -> Result<(), TreeError> {
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let location = match openat(parent, name, flags, Mode::empty()) {
        Ok(location) => location,
        Err(Errno::ENOENT) => return Ok(()),
        Err(error) => return Err(cannot_make(path)(error)),
    };
    let status = fstat(&location).map_err(cannot_make(path))?;
    if kind_of(&status) == SFlag::S_IFDIR {
        return Err(TreeError::DirectoryInTheWay {
            path: path.to_string(),
        });
    }
    match is_mount_point(&location).map_err(cannot_make(path))? {
        true => Err(TreeError::MountPoint {
            path: path.to_string(),
        }),
        false => Ok(()),
    }
}

fn content_error(error: ContentError, is_archive: bool, path: &EntryPath) -> TreeError {
    let path = path.to_string();
    match error {
        ContentError::Read(source) if is_archive => TreeError::Archive { source },
        ContentError::Read(source) => TreeError::Read { path, source },
        ContentError::Write(source) => TreeError::Write { path, source },
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::ENOENT | libc::ENOTDIR | libc::ELOOP | libc::EXDEV)
    )
}

fn cannot_make<E: Into<io::Error>>(path: &EntryPath) -> impl Fn(E) -> TreeError {
    move |source| TreeError::Make {
        path: path.to_string(),
        source: source.into(),
    }
}

fn cannot_set(path: &EntryPath) -> impl Fn(io::Error) -> TreeError {
    move |source| TreeError::Attribute {
        attribute: "owner, mode or time",
        path: path.to_string(),
        source,
    }
}
