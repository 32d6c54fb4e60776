//! Changing what a container may do, whether it runs or not.

use crate::config::ContainerConfig;
use crate::container_state::ContainerState;
use crate::error::RuntimeError;
use crate::restart_policy::RestartPolicy;
use crate::runtime::Runtime;
use minirun_bridge::atomic_file;

/// What is to be changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ContainerChange {
    /// `--restart`.
    pub restart: Option<RestartPolicy>,
}

impl Runtime {
    /// Changes a container.
    ///
    /// # Errors
    /// [`RuntimeError::RestartOfRemoved`]; nothing has changed then.
    pub fn update(
        &self,
        container: &ContainerConfig,
        change: &ContainerChange,
    ) -> Result<(), RuntimeError> {
        let lock = self.lock(&container.id)?;
        let mut config = self.current_record(&container.id)?;
        self.finish_change_locked(&config, &lock)?;
        let restart = change.restart.unwrap_or(config.restart);
        if config.auto_remove && restart != RestartPolicy::No {
            return Err(RuntimeError::RestartOfRemoved);
        }
        config.restart = restart;
        atomic_file::write_json(&self.paths(&config.id).record(), &config)?;
        match (restart, self.paths(&config.id).container_state()?) {
            (RestartPolicy::No, ContainerState::Restarting(_)) => {
                self.dismiss_locked(&config, &lock)
            }
            (RestartPolicy::No, _) => Ok(()),
            _ => self.guard_locked(&config, &lock),
        }
    }
}
