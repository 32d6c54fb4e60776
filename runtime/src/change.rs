//! Changes of a container that a killed command may leave half made: its networks, links and name.
//!
//! Theory of operation
//!
//! 1. Under the container's lock, a sign is written beside its record before anything changes, and removed when all is done.
//!    For a renaming it holds the old name.
//! 2. The record says what is to be. Whoever meets the sign with nobody at work makes everything else what the record says:
//!    networks it is not on are left, names and links are written again, host ports and default routes are settled.

use crate::config::ContainerConfig;
use crate::connection::Connections;
use crate::error::RuntimeError;
use crate::rename::Patience;
use crate::runtime::Runtime;
use crate::store::ContainerLock;
use minirun_bridge::detach::Departure;
use minirun_bridge::id::ContainerId;
use minirun_bridge::name::ContainerName;
use minirun_netns::Silent;
use std::fs;
use std::io::ErrorKind;

impl Runtime {
    /// Notes that a container is about to change; `old_name` if it is about to be renamed.
    pub(crate) fn begin_change(
        &self,
        id: &ContainerId,
        old_name: Option<&ContainerName>,
    ) -> Result<(), RuntimeError> {
        let path = self.paths(id).changing();
        let text = old_name.map(ContainerName::to_string).unwrap_or_default();
        fs::write(&path, text).map_err(|error| RuntimeError::file("write", &path, error))
    }

    /// Notes that the change is done.
    pub(crate) fn end_change(&self, id: &ContainerId) {
        // What stays is found by the next command, which has nothing left to do then.
        let _ = fs::remove_file(self.paths(id).changing());
    }

    /// Finishes a change that was interrupted, if there is one and nobody is at work.
    pub(crate) fn finish_change(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        if !self.paths(id).changing().exists() {
            return Ok(());
        }
        match (self.try_lock(id)?, self.read(id)?) {
            (Some(lock), Some(config)) => self.finish_change_locked(&config, &lock),
            _ => Ok(()),
        }
    }

    /// The same, for callers that hold the lock.
    pub(crate) fn finish_change_locked(
        &self,
        config: &ContainerConfig,
        _lock: &ContainerLock,
    ) -> Result<(), RuntimeError> {
        let path = self.paths(&config.id).changing();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(RuntimeError::file("read", &path, error)),
        };
        let old_name: Option<ContainerName> = text.parse().ok();
        let mut complete = true;
        if let Some(old) = old_name.filter(|old| *old != config.name) {
            self.follow_rename(config, &old)?;
            complete = self.retarget_links((&old, &config.name), Patience::None)?;
        }
        if self.runs(config)? {
            self.settle_networks(config)?;
        }
        if complete {
            self.end_change(&config.id);
        }
        Ok(())
    }

    /// Makes the networks of a running container what its record says.
    fn settle_networks(&self, config: &ContainerConfig) -> Result<(), RuntimeError> {
        for network in self.networks.networks_of(&config.id)? {
            if config.network.membership(&network).is_none() {
                let leaving = (&config.id, Departure::Disconnected);
                self.networks.detach(&network, leaving, &mut Silent)?;
                self.networks.forget(&network, &config.id, &[])?;
            }
        }
        self.settle_links(config, &mut Silent)?;
        let connections = Connections::of(self, config)?;
        self.settle_ways(config, &connections, &mut Silent)
    }
}
