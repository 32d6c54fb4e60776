//! Pausing containers: their processes stand still until they are told to go on.
//!
//! Whether a container is paused is on no record. The kernel knows, and forgets it with the container.

use crate::cgroup::{Members, freezer};
use crate::config::ContainerConfig;
use crate::container_state::ContainerState;
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::runtime::Runtime;
use std::time::Duration;

/// How long the processes of a container may take to stand still. One that waits for a device cannot at once.
const PATIENCE: Duration = Duration::from_secs(10);

impl Runtime {
    /// Pauses a running container.
    ///
    /// # Errors
    /// [`RuntimeError::NotRunning`], [`RuntimeError::AlreadyPaused`]; when it cannot be made to stand still, it goes on.
    pub fn pause(&self, config: &ContainerConfig) -> Result<(), RuntimeError> {
        let _lock = self.lock(&config.id)?;
        let members = self.members(config)?;
        if self.is_paused(config)? {
            return Err(RuntimeError::AlreadyPaused(config.name.clone()));
        }
        freezer::freeze(config.group(), &members, PATIENCE)?;
        self.tell_event(Event::container(config, Action::Pause));
        Ok(())
    }

    /// Lets a paused container go on.
    ///
    /// # Errors
    /// [`RuntimeError::NotRunning`], [`RuntimeError::NotPaused`].
    pub fn unpause(&self, config: &ContainerConfig) -> Result<(), RuntimeError> {
        let _lock = self.lock(&config.id)?;
        self.members(config)?;
        if !self.is_paused(config)? {
            return Err(RuntimeError::NotPaused(config.name.clone()));
        }
        self.let_go_on(config)?;
        self.tell_event(Event::container(config, Action::Unpause));
        Ok(())
    }

    /// Whether a container is paused; one that does not run is not.
    ///
    /// # Errors
    /// When its control group cannot be read.
    pub fn is_paused(&self, config: &ContainerConfig) -> Result<bool, RuntimeError> {
        Ok(freezer::is_frozen(config.group())?)
    }

    /// Lets a container go on, whether it is paused or not.
    pub(crate) fn let_go_on(&self, config: &ContainerConfig) -> Result<(), RuntimeError> {
        Ok(freezer::thaw(config.group())?)
    }

    /// The processes of a running container.
    pub(crate) fn members(&self, config: &ContainerConfig) -> Result<Members, RuntimeError> {
        match self.paths(&config.id).container_state()? {
            ContainerState::Running(record) => match record.init {
                Some(init) => Ok(Members::of(config.group(), init.pid)?),
                None => Err(RuntimeError::NotRunning(config.name.clone())),
            },
            _ => Err(RuntimeError::NotRunning(config.name.clone())),
        }
    }
}
