//! Giving each container a range of its own.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use minirun_bridge::id::ContainerId;

use super::pool::{IdPool, IdPoolError};
use super::range::IdRange;
use crate::create::CreateRequest;
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use crate::security::user_namespace::UserNamespaceChoice;

impl Runtime {
    /// The request with users of the container's own, if it wants any.
    pub(crate) fn with_users(
        &self,
        mut request: CreateRequest,
        id: &ContainerId,
    ) -> Result<CreateRequest, RuntimeError> {
        request.security.id_range = match request.security.user_namespace {
            UserNamespaceChoice::Host => None,
            UserNamespaceChoice::Auto => Some(self.claim_ids(id)?),
        };
        Ok(request)
    }

    /// Takes a range for a container, whose directory is there already. Where to begin is left to chance, so that hardly ever
    /// a range is met that another container has.
    fn claim_ids(&self, id: &ContainerId) -> Result<IdRange, RuntimeError> {
        let pool = IdPool::of_host()?;
        let begin = id.to_string().bytes().take(8).fold(0_u32, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u32::from(byte))
        });
        for number in 0..pool.len() {
            let number = (u64::from(begin) + u64::from(number)) % u64::from(pool.len());
            if let Some(range) = pool.range(number as u32)
                && (self.try_claim(range, id)? || self.claim_orphan(range, id)?)
            {
                return Ok(range);
            }
        }
        Err(IdPoolError::Exhausted.into())
    }

    /// Gives a range back, if it is the container's. Without the lock it could be somebody else's between the question and the
    /// removal. Where it cannot be had, the range is taken from the container when it is gone.
    pub(crate) fn release_ids(&self, range: IdRange, id: &ContainerId) {
        if let Ok(_lock) = self.lock_ids()
            && self.owner_of_ids(range) == Some(*id)
        {
            let _ = fs::remove_file(self.ids_path(range));
        }
    }

    /// The same for a container that nobody can say the range of any more, because a command was killed while it made or removed
    /// the container. The caller holds its lock.
    pub(crate) fn release_unrecorded_ids(&self, id: &ContainerId) {
        let entries = fs::read_dir(self.user_ids())
            .into_iter()
            .flatten()
            .flatten();
        let ranges = entries
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter_map(IdRange::from);
        for range in ranges.filter(|range| self.owner_of_ids(*range) == Some(*id)) {
            self.release_ids(range, id);
        }
    }

    fn lock_ids(&self) -> Result<fs::File, RuntimeError> {
        let directory = self.user_ids();
        let lock = fs::File::open(&directory)
            .map_err(|error| RuntimeError::file("open", &directory, error))?;
        lock.lock()
            .map_err(|error| RuntimeError::file("lock", &directory, error))?;
        Ok(lock)
    }

    fn try_claim(&self, range: IdRange, id: &ContainerId) -> Result<bool, RuntimeError> {
        let path = self.ids_path(range);
        let claim = || symlink(id.to_string(), &path);
        let outcome = match claim() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let directory = self.user_ids();
                fs::create_dir_all(&directory)
                    .map_err(|error| RuntimeError::file("create", &directory, error))?;
                claim()
            }
            outcome => outcome,
        };
        match outcome {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(RuntimeError::file("create", &path, error)),
        }
    }

    /// Takes a range from a container that is gone, whose removal was interrupted. Under the lock of the directory only one does
    /// so at a time; somebody without it may still be quicker to claim what was freed.
    fn claim_orphan(&self, range: IdRange, id: &ContainerId) -> Result<bool, RuntimeError> {
        let is_orphan = || match self.owner_of_ids(range) {
            Some(owner) => !self.paths(&owner).root.exists(),
            None => false,
        };
        if !is_orphan() {
            return Ok(false);
        }
        let _lock = self.lock_ids()?;
        if !is_orphan() {
            return Ok(false);
        }
        let path = self.ids_path(range);
        fs::remove_file(&path).map_err(|error| RuntimeError::file("remove", &path, error))?;
        self.try_claim(range, id)
    }

    fn owner_of_ids(&self, range: IdRange) -> Option<ContainerId> {
        let target = fs::read_link(self.ids_path(range)).ok()?;
        target.to_str()?.parse().ok()
    }

    /// The directory with one symbolic link for each range that a container has.
    fn user_ids(&self) -> PathBuf {
        self.directories.root.join("user-ids")
    }

    fn ids_path(&self, range: IdRange) -> PathBuf {
        self.user_ids().join(range.first().to_string())
    }
}
