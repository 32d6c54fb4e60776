//! Private places for unfinished things, and what becomes of those whose owner died.
//!
//! A place is a directory below `tmp/` that its owner holds a lock on. The kernel drops the lock when the owner ends, however it ends,
//! so a place whose lock can be had is nobody's. Places are made and swept under the store's own lock: between making a
//! directory and locking it nobody else looks.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use nix::unistd::mkdtemp;

use crate::tree_removal::remove_tree;

/// A directory for unfinished things. It goes when this value goes.
pub(super) struct Staging {
    path: PathBuf,
    _lock: File,
}

impl Staging {
    /// Makes a place below `directory`. The caller holds the store's lock.
    pub(super) fn create(directory: &Path) -> io::Result<Self> {
        let path = mkdtemp(&directory.join("unfinished-XXXXXX"))?;
        let lock = File::open(&path)?;
        lock.lock()?;
        Ok(Self { path, _lock: lock })
    }

    /// A path for something in it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed now is swept by the next one who makes a place.
        let _ = remove_tree(&self.path);
    }
}

/// Removes the places whose owner is dead. The caller holds the store's lock.
pub(super) fn sweep(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        match File::open(&path).map(|place| place.try_lock()) {
            Ok(Ok(())) => remove_tree(&path)?,
            Ok(Err(TryLockError::WouldBlock)) => {}
            Ok(Err(TryLockError::Error(error))) => return Err(error),
            // Its owner has just removed it: owners need no lock for that.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_goes_with_its_owner_and_a_sweep_spares_the_living() {
        let directory = tempfile::tempdir().unwrap();
        let living = Staging::create(directory.path()).unwrap();
        let dead = directory.path().join("unfinished-dead");
        fs::create_dir_all(dead.join("tree/a")).unwrap();
        sweep(directory.path()).unwrap();
        assert!(living.path("").is_dir());
        assert!(!dead.exists());
        drop(living);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
