//! Making and removing the directory `parent/id` of a container in any hierarchy, and `parent` with it.
//!
//! Other containers come and go at the same time, and whoever goes last takes the parent along.

use super::error::CgroupError;
use minirun_bridge::id::ContainerId;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// How often creation is tried again when another container's removal keeps taking the parent away.
const MOST_ATTEMPTS: usize = 100;

/// Which container's groups are meant: `parent/id` in every hierarchy, where `parent` is one name such as `minirun`.
pub type GroupName<'a> = (&'a str, &'a ContainerId);

/// Since when a directory has been there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// Since just now, as the first in its parent.
    WithParent,
    /// Since just now.
    Now,
    /// Since before.
    Before,
}

/// Makes the directory, and its parent where that is missing.
pub(super) fn make(
    root: &Path,
    (parent, id): GroupName<'_>,
) -> Result<(PathBuf, Made), CgroupError> {
    let parent = root.join(parent);
    let path = parent.join(id.to_string());
    let failed = |path: &Path, source| CgroupError::Create {
        path: path.to_owned(),
        source,
    };
    let (mut attempts, mut made) = (0, Made::Now);
    loop {
        attempts += 1;
        match fs::create_dir(&path) {
            Ok(()) => return Ok((path, made)),
            Err(source) if source.kind() == ErrorKind::AlreadyExists => {
                return Ok((path, Made::Before));
            }
            Err(source) if is_gone(&source) && attempts < MOST_ATTEMPTS => {}
            Err(source) => return Err(failed(&path, source)),
        }
        match fs::create_dir(&parent) {
            Err(source) if source.kind() != ErrorKind::AlreadyExists => {
                return Err(failed(&parent, source));
            }
            Err(_) => {}
            Ok(()) => made = Made::WithParent,
        }
    }
}

/// Removes the directory, whose group must be empty, and its parent if that is empty now. One that is gone is no error.
pub(super) fn remove(path: &Path) -> Result<(), CgroupError> {
    let failed = |path: &Path, source| CgroupError::Remove {
        path: path.to_owned(),
        source,
    };
    match fs::remove_dir(path) {
        Err(source) if !is_gone(&source) => return Err(failed(path, source)),
        _ => {}
    }
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    match fs::remove_dir(parent) {
        Err(source) if !is_in_use(&source) && !is_gone(&source) => Err(failed(parent, source)),
        _ => Ok(()),
    }
}

/// Whether a group was removed before or while it was used: by name it is not found, through an open file it has no
/// device any more.
pub(super) fn is_gone(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(libc::ENODEV)
}

/// Whether a directory could not be removed because other groups are in it.
fn is_in_use(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ResourceBusy | ErrorKind::DirectoryNotEmpty
    )
}
