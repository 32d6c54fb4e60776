//! Changes of a container that a killed command may leave half made: its networks, links and name.
//!
//! Theory of operation
//!
//! 1. Under the container's lock, a sign is written beside its record before anything changes, and removed, under the lock
//!    again, when all is done. It lists the names that the container had and that others may still link to.
//! 2. The record says what is to be. Whoever meets the sign with nobody at work makes everything else what the record says:
//!    networks it is not on are left, names and links are written again, host ports and default routes are settled.
//! 3. Links of others change under the locks of those others, which are not waited for while the container's own is held. A
//!    name stays in the list, and belongs to nobody else, until no link leads to it any more.

use crate::config::{ContainerConfig, NetworkMode};
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use crate::store::ContainerLock;
use minirun_bridge::id::ContainerId;
use minirun_bridge::name::ContainerName;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};

impl Runtime {
    /// Notes that a container is about to change.
    pub(crate) fn begin_change(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        self.append_to_sign(id, "")
    }

    /// Notes that a container is about to lose a name.
    pub(crate) fn begin_renaming(
        &self,
        id: &ContainerId,
        old: &ContainerName,
    ) -> Result<(), RuntimeError> {
        self.append_to_sign(id, &format!("{old}\n"))
    }

    /// Notes that a change is done. A sign that lists names stays: links may still lead to them.
    pub(crate) fn end_change(&self, id: &ContainerId) {
        if let Ok(Some(names)) = self.old_names(id)
            && names.is_empty()
        {
            // What stays is found by the next command, which has nothing left to do then.
            let _ = fs::remove_file(self.paths(id).changing());
        }
    }

    /// The names that a container had and that others may still link to; none if it is not being changed.
    pub(crate) fn old_names(
        &self,
        id: &ContainerId,
    ) -> Result<Option<Vec<ContainerName>>, RuntimeError> {
        let path = self.paths(id).changing();
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(
                text.lines().filter_map(|line| line.parse().ok()).collect(),
            )),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(RuntimeError::file("read", &path, error)),
        }
    }

    fn append_to_sign(&self, id: &ContainerId, text: &str) -> Result<(), RuntimeError> {
        let path = self.paths(id).changing();
        File::options()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| RuntimeError::file("write", &path, error))
    }

    /// Finishes a change that was interrupted, if there is one and nobody is at work.
    pub(crate) fn finish_change(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        if !self.paths(id).changing().exists() {
            return Ok(());
        }
        match (self.try_lock(id)?, self.read(id)?) {
            (Some(lock), Some(config)) => self.finish_change_locked(&config, &lock).map(drop),
            _ => Ok(()),
        }
    }

    /// The same, for callers that hold the lock. Those whose links could not be changed, because others are at work on them,
    /// are the result.
    pub(crate) fn finish_change_locked(
        &self,
        config: &ContainerConfig,
        _lock: &ContainerLock,
    ) -> Result<Vec<ContainerId>, RuntimeError> {
        let Some(old_names) = self.old_names(&config.id)? else {
            return Ok(Vec::new());
        };
        if !old_names.is_empty() {
            self.tell_name(config)?;
        }
        if config.network.mode == NetworkMode::Networks && self.runs(config)? {
            self.settle_networks(config)?;
        }
        self.settle_resources(config)?;
        self.settle_time_limit(config)?;
        let mut busy = Vec::new();
        for old in old_names.iter().filter(|old| **old != config.name) {
            busy.extend(self.retarget_links(old, config)?);
        }
        if busy.is_empty() {
            for old in old_names.iter().filter(|old| **old != config.name) {
                self.release_name(old, &config.id);
            }
            // What stays is found by the next command, which has nothing left to do then.
            let _ = fs::remove_file(self.paths(&config.id).changing());
        }
        Ok(busy)
    }
}
