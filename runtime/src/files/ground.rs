//! A root from which named paths are resolved: the host's, or a container's, which no path leads out of.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2, readlinkat};
use nix::sys::stat::{FileStat, SFlag, fstat};

use super::copy_path::{CopyPath, PathEnd};
use super::decide::{SourceKind, TargetKind};
use super::error::{FilesError, Side};
use crate::image::copy::kind_of;
use crate::user_ids::IdRange;

/// As many symbolic links as the kernel itself follows in one path.
const MOST_LINKS: usize = 40;

/// How often a path is tried again: a container that renames without end must not hold a command up for ever.
const MOST_ATTEMPTS: usize = 10_000;

/// Where paths begin.
#[derive(Debug)]
pub(super) struct Ground {
    root: OwnedFd,
    side: Side,
    users: Option<IdRange>,
}

/// What is to be copied, as a location.
pub(super) struct Found {
    /// The location.
    pub(super) location: OwnedFd,
    /// What it is.
    pub(super) status: FileStat,
    /// What of it is meant.
    pub(super) kind: SourceKind,
    /// Its name.
    pub(super) name: OsString,
}

/// A destination.
pub(super) struct Target {
    /// What is there.
    pub(super) kind: TargetKind,
    /// Its path from the root, once the links at its end are followed.
    pub(super) path: PathBuf,
}

impl Ground {
    /// The host.
    pub(super) fn host() -> Result<Self, FilesError> {
        let root = File::open("/").map_err(|error| FilesError::Unreachable {
            path: "/".into(),
            side: Side::Host,
            error,
        })?;
        Ok(Self {
            root: root.into(),
            side: Side::Host,
            users: None,
        })
    }

    /// A container, by a descriptor of its root.
    pub(super) fn container(root: OwnedFd, side: Side) -> Self {
        Self {
            root,
            side,
            users: None,
        }
    }

    /// Where files are shown with these users of a container's own.
    pub(super) fn with_users(self, users: Option<IdRange>) -> Self {
        Self { users, ..self }
    }

    /// The users that files are shown with here, if they are a container's own.
    pub(super) fn users(&self) -> Option<IdRange> {
        self.users
    }

    /// Which one it is.
    pub(super) fn side(&self) -> &Side {
        &self.side
    }

    /// Gives the descriptor of the root away.
    pub(super) fn into_root(self) -> OwnedFd {
        self.root
    }

    /// Opens a path from the root.
    pub(super) fn open(&self, path: &Path, flags: OFlag) -> io::Result<OwnedFd> {
        match self.side {
            Side::Host => open_resolved(&self.root, path, (flags, ResolveFlag::empty())),
            Side::Container(_) => open_in_root(&self.root, path, flags),
        }
    }

    /// Finds what is to be copied. A symbolic link at the end is itself meant, unless it is to be followed.
    pub(super) fn find(&self, path: &CopyPath, links: EndLinks) -> Result<Found, FilesError> {
        let follows = links == EndLinks::Followed || path.end != PathEnd::Name;
        let flags = match follows {
            true => OFlag::O_PATH,
            false => OFlag::O_PATH | OFlag::O_NOFOLLOW,
        };
        let location = self
            .open(&path.path, flags)
            .map_err(|error| self.cannot_find(path, error))?;
        let status = self.status(path, &location)?;
        let kind = match (kind_of(&status) == SFlag::S_IFDIR, path.end) {
            (false, PathEnd::Name) => SourceKind::Single,
            (false, PathEnd::Slash | PathEnd::Dot) => {
                return Err(FilesError::NotADirectory {
                    path: path.typed.clone(),
                    side: self.side.clone(),
                });
            }
            (true, PathEnd::Dot) => SourceKind::Content,
            (true, PathEnd::Name | PathEnd::Slash) => SourceKind::Directory,
        };
        Ok(Found {
            location,
            status,
            kind,
            name: path.name().unwrap_or_default(),
        })
    }

    /// Finds a destination. The links at its end are followed one by one, because the last may lead to what is to be made.
    pub(super) fn find_target(&self, path: &CopyPath) -> Result<Target, FilesError> {
        let mut target = path.path.clone();
        for _ in 0..MOST_LINKS {
            let location = match self.open(&target, OFlag::O_PATH | OFlag::O_NOFOLLOW) {
                Ok(location) => location,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(Target {
                        kind: TargetKind::Missing,
                        path: target,
                    });
                }
                Err(error) => return Err(self.unreachable(path, error)),
            };
            let kind = match kind_of(&self.status(path, &location)?) {
                SFlag::S_IFLNK => {
                    let link = readlinkat(&location, "")
                        .map_err(|error| self.unreachable(path, error.into()))?;
                    target.pop();
                    target.push(link);
                    target = target.strip_prefix("/").unwrap_or(&target).to_owned();
                    continue;
                }
                SFlag::S_IFDIR => TargetKind::Directory,
                _ => TargetKind::Single,
            };
            return Ok(Target { kind, path: target });
        }
        Err(self.unreachable(path, Errno::ELOOP.into()))
    }

    /// Opens the directory that a destination is in, and gives its last name.
    pub(super) fn open_parent<'target>(
        &self,
        path: &CopyPath,
        target: &'target Target,
    ) -> Result<(OwnedFd, &'target OsStr), FilesError> {
        let missing = || FilesError::MissingDirectory {
            path: path.typed.clone(),
            side: self.side.clone(),
        };
        let name = target.path.file_name().ok_or_else(missing)?;
        let parent = target.path.parent().unwrap_or(Path::new(""));
        match self.open(parent, OFlag::O_PATH | OFlag::O_DIRECTORY) {
            Ok(parent) => Ok((parent, name)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(missing()),
            Err(error) => Err(self.unreachable(path, error)),
        }
    }

    /// Opens a destination that is a directory.
    pub(super) fn open_directory(
        &self,
        path: &CopyPath,
        target: &Target,
    ) -> Result<OwnedFd, FilesError> {
        self.open(&target.path, OFlag::O_PATH | OFlag::O_DIRECTORY)
            .map_err(|error| self.unreachable(path, error))
    }

    fn status(&self, path: &CopyPath, location: &OwnedFd) -> Result<FileStat, FilesError> {
        fstat(location).map_err(|error| self.unreachable(path, error.into()))
    }

    fn cannot_find(&self, path: &CopyPath, error: io::Error) -> FilesError {
        match error.kind() {
            io::ErrorKind::NotFound => FilesError::Missing {
                path: path.typed.clone(),
                side: self.side.clone(),
            },
            _ => self.unreachable(path, error),
        }
    }

    fn unreachable(&self, path: &CopyPath, error: io::Error) -> FilesError {
        FilesError::Unreachable {
            path: path.typed.clone(),
            side: self.side.clone(),
            error,
        }
    }
}

/// What becomes of a symbolic link at the end of a source's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EndLinks {
    /// It is copied.
    Meant,
    /// What it leads to is copied.
    Followed,
}

/// Opens a path as if the descriptor were the root of everything. Links that the kernel makes, which lead anywhere, are refused.
pub(super) fn open_in_root(root: &OwnedFd, path: &Path, flags: OFlag) -> io::Result<OwnedFd> {
    let resolve = ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS;
    open_resolved(root, path, (flags, resolve))
}

fn open_resolved(
    root: &OwnedFd,
    path: &Path,
    (flags, resolve): (OFlag, ResolveFlag),
) -> io::Result<OwnedFd> {
    let path = match path.as_os_str().is_empty() {
        true => Path::new("."),
        false => path,
    };
    let how = OpenHow::new()
        .flags(flags | OFlag::O_CLOEXEC)
        .resolve(resolve);
    for _ in 0..MOST_ATTEMPTS {
        match openat2(root, path, how) {
            // The kernel could not prove the answer because something was renamed meanwhile.
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            outcome => return outcome.map_err(io::Error::from),
        }
    }
    Err(Errno::EAGAIN.into())
}
