//! What a container has changed of its image: a look at what it has written, beside the layers below.
//!
//! A directory counts as changed if something in it was added, changed or removed, or if its own owner, mode or time is another.
//! The places that the runtime makes for its mounts are nobody's change, and neither is the time of a directory that they
//! were made in.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::{FileStat, SFlag, fstat, fstatat};

use super::error::FilesError;
use super::lower_layers::{Lower, LowerDirectory, LowerLayers};
use super::mount_points::mount_points;
use crate::config::ContainerConfig;
use crate::error::RuntimeError;
use crate::image::attributes::{OPAQUE, read_one};
use crate::image::beneath::{Links, open_beneath};
use crate::image::copy::{kind_of, names_in};
use crate::image::entry_path::EntryPath;
use crate::runtime::Runtime;

/// Something that a container has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// What became of it.
    pub kind: ChangeKind,
    /// Its absolute path in the container.
    pub path: PathBuf,
}

/// What became of a file or directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It was there and is another now, or something in it is.
    Changed,
    /// It was there and is gone.
    Deleted,
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            ChangeKind::Added => "A",
            ChangeKind::Changed => "C",
            ChangeKind::Deleted => "D",
        })
    }
}

impl Runtime {
    /// What a container has changed of its image, sorted by path. Mounts and volumes do not count.
    ///
    /// # Errors
    /// [`FilesError::Compare`].
    pub fn changes(&self, config: &ContainerConfig) -> Result<Vec<FileChange>, RuntimeError> {
        let failed = |path: &Path, error| FilesError::Compare {
            path: Path::new("/").join(path).display().to_string(),
            container: config.name.clone(),
            error,
        };
        let upper = self.paths(&config.id).root.join("upper");
        let layers = self.images.image(&config.image_id)?.layers;
        let mut comparison = Comparison {
            upper: File::open(&upper)
                .map_err(|error| failed(Path::new(""), error))?
                .into(),
            lower: LowerLayers::open(&layers)
                .map_err(|error| failed(Path::new(""), io::Error::other(error)))?,
            mount_points: mount_points(self, config),
            changes: Vec::new(),
        };
        comparison
            .directory(&EntryPath::root())
            .map_err(|(path, error)| failed(path.as_path(), error))?;
        let mut changes = comparison.changes;
        changes.sort_by(|one, other| one.path.as_os_str().cmp(other.path.as_os_str()));
        Ok(changes)
    }
}

/// A path that could not be read, and why.
type Failed = (EntryPath, io::Error);

struct Comparison {
    upper: OwnedFd,
    lower: LowerLayers,
    mount_points: Vec<PathBuf>,
    changes: Vec<FileChange>,
}

/// What there is to say about what is in a directory.
#[derive(Default)]
struct Inside {
    changed: bool,
    /// Something that the runtime made is in it.
    places: bool,
    others: bool,
}

impl Comparison {
    /// Notes what was changed in a directory, and the directory itself; says what it comes to for the one above.
    fn directory(&mut self, path: &EntryPath) -> Result<Inside, Failed> {
        let fails = |error: io::Error| (path.clone(), error);
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
        let upper = match open_beneath(&self.upper, path, flags, Links::Refused) {
            // It was removed while we looked elsewhere.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Inside::default()),
            outcome => outcome.map_err(fails)?,
        };
        let lower = self.lower.directory(path).map_err(fails)?;
        let mut directories = Vec::new();
        let mut inside = self
            .names(path, (&upper, lower.as_ref()), &mut directories)
            .map_err(fails)?;
        let status = fstat(&upper).map_err(|error| fails(error.into()))?;
        drop(upper);
        let before = match &lower {
            Some(lower) => lower.status().map_err(fails)?,
            None => None,
        };
        // A deep tree must not need a descriptor for each of its directories.
        drop(lower);
        for child in directories {
            let below = self.directory(&child)?;
            inside.changed |= below.changed;
            inside.places |= below.places;
            inside.others |= below.others;
        }
        self.judge(path, (status, before), inside).map_err(fails)
    }

    /// Goes through the names in a directory of the upper layer; directories are kept for later.
    fn names(
        &mut self,
        path: &EntryPath,
        (upper, lower): (&OwnedFd, Option<&LowerDirectory>),
        directories: &mut Vec<EntryPath>,
    ) -> io::Result<Inside> {
        let mut inside = Inside::default();
        let names = names_in(upper.try_clone()?)?;
        let is_opaque = read_one(upper, OPAQUE)?.is_some_and(|value| value == b"y");
        if let (true, Some(lower)) = (is_opaque, lower) {
            for name in lower.names()? {
                if names.binary_search(&name).is_err() {
                    self.note(ChangeKind::Deleted, &path.child(&name));
                    inside.changed = true;
                }
            }
        }
        for name in names {
            let child = path.child(&name);
            let Ok(status) = fstatat(upper, name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW) else {
                continue;
            };
            if kind_of(&status) == SFlag::S_IFDIR {
                directories.push(child);
                continue;
            }
            let before = lower.map_or(Ok(Lower::Missing), |lower| lower.look_up(&name))?;
            let is_whiteout = kind_of(&status) == SFlag::S_IFCHR && status.st_rdev == 0;
            let kind = match (is_whiteout, before) {
                (true, Lower::Missing) => continue,
                (true, _) => ChangeKind::Deleted,
                (false, Lower::Missing) if self.is_place(&child, &status) => {
                    inside.places = true;
                    continue;
                }
                (false, Lower::Missing) => ChangeKind::Added,
                (false, Lower::Directory | Lower::Single) => ChangeKind::Changed,
            };
            self.note(kind, &child);
            inside.changed = true;
            inside.others |= kind != ChangeKind::Deleted;
        }
        Ok(inside)
    }

    /// Notes a directory if it is new or another, now that is known what is in it.
    fn judge(
        &mut self,
        path: &EntryPath,
        (status, before): (FileStat, Option<FileStat>),
        inside: Inside,
    ) -> io::Result<Inside> {
        let Some((above, name)) = path.split() else {
            return Ok(inside);
        };
        let kind = match before {
            Some(before) => {
                let changed = inside.changed
                    || differ(&status, &before)
                    || !inside.places && changed_at(&status) != changed_at(&before);
                changed.then_some(ChangeKind::Changed)
            }
            None if !inside.others && (inside.places || self.is_mount_point(path)) => None,
            None => {
                let above = self.lower.directory(&above)?;
                let before = above.map_or(Ok(Lower::Missing), |above| above.look_up(name))?;
                Some(match before {
                    Lower::Missing => ChangeKind::Added,
                    Lower::Directory | Lower::Single => ChangeKind::Changed,
                })
            }
        };
        if let Some(kind) = kind {
            self.note(kind, path);
        }
        Ok(Inside {
            changed: kind.is_some(),
            places: inside.places || kind.is_none() && before.is_none(),
            others: kind.is_some() || inside.others,
        })
    }

    /// Whether the runtime has made this file, to mount another on it.
    fn is_place(&self, path: &EntryPath, status: &FileStat) -> bool {
        kind_of(status) == SFlag::S_IFREG && status.st_size == 0 && self.is_mount_point(path)
    }

    fn is_mount_point(&self, path: &EntryPath) -> bool {
        self.mount_points.contains(&absolute(path))
    }

    fn note(&mut self, kind: ChangeKind, path: &EntryPath) {
        self.changes.push(FileChange {
            kind,
            path: absolute(path),
        });
    }
}

fn absolute(path: &EntryPath) -> PathBuf {
    Path::new("/").join(path.as_path())
}

/// Whether a directory has another owner or mode.
fn differ(one: &FileStat, other: &FileStat) -> bool {
    let key = |status: &FileStat| (status.st_mode, status.st_uid, status.st_gid);
    key(one) != key(other)
}

fn changed_at(status: &FileStat) -> (i64, i64) {
    (status.st_mtime, status.st_mtime_nsec)
}
