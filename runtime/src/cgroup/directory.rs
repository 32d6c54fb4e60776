//! Making and removing the directory `parent/id` of a container in any hierarchy, and `parent` with it.
//!
//! Other containers come and go at the same time, and whoever goes last takes the parent along, if that is minirun's own. A
//! container that was given its part of the hierarchy may have made groups in its group, which go with it.

use super::error::CgroupError;
use crate::resources::group_parent::{GroupParent, ParentFate};
use minirun_bridge::id::ContainerId;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// How often creation is tried again when another container's removal keeps taking the parent away.
const MOST_ATTEMPTS: usize = 100;

/// Which container's groups are meant: `parent/id` in every hierarchy.
pub type GroupName<'a> = (&'a GroupParent, &'a ContainerId);

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

/// Where the group of a container is.
pub(super) fn path(root: &Path, (parent, id): GroupName<'_>) -> PathBuf {
    root.join(parent.path()).join(id.to_string())
}

/// The groups from the root down to `parent`.
pub(super) fn levels(root: &Path, parent: &GroupParent) -> Vec<PathBuf> {
    let mut levels = vec![root.to_path_buf()];
    let mut level = root.to_path_buf();
    for name in parent.path().split('/') {
        level.push(name);
        levels.push(level.clone());
    }
    levels
}

/// Makes the directory, and its parent where that is missing.
pub(super) fn make(root: &Path, name: GroupName<'_>) -> Result<(PathBuf, Made), CgroupError> {
    let parent = root.join(name.0.path());
    let path = path(root, name);
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
            // A deeper one, of which more than the last is missing.
            Err(source) if is_gone(&source) => {
                fs::create_dir_all(&parent).map_err(|source| failed(&parent, source))?;
                made = Made::WithParent;
            }
            Err(source) if source.kind() != ErrorKind::AlreadyExists => {
                return Err(failed(&parent, source));
            }
            Err(_) => {}
            Ok(()) => made = Made::WithParent,
        }
    }
}

/// Removes the directory, whose group must be empty, with the groups in it, and its parent if that is empty now and goes with
/// it. One that is gone is no error.
pub(super) fn remove(path: &Path, fate: ParentFate) -> Result<(), CgroupError> {
    let failed = |path: &Path, source| CgroupError::Remove {
        path: path.to_owned(),
        source,
    };
    match fs::remove_dir(path) {
        Err(source) if !is_gone(&source) => {
            for group in within(path) {
                // Whether all are gone shows when the topmost is removed.
                let _ = fs::remove_dir(group);
            }
            match fs::remove_dir(path) {
                Err(source) if !is_gone(&source) => return Err(failed(path, source)),
                _ => {}
            }
        }
        _ => {}
    }
    let Some(parent) = path.parent().filter(|_| fate == ParentFate::Goes) else {
        return Ok(());
    };
    match fs::remove_dir(parent) {
        Err(source) if !is_in_use(&source) && !is_gone(&source) => Err(failed(parent, source)),
        _ => Ok(()),
    }
}

/// The groups in a group, the deepest first.
pub(super) fn within(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut level = vec![path.to_path_buf()];
    // It ends with the longest path at the latest.
    while !level.is_empty() {
        level = level.iter().flat_map(|group| directly_in(group)).collect();
        found.extend(level.iter().cloned());
    }
    found.reverse();
    found
}

fn directly_in(group: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
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
