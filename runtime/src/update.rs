//! Changing what a container may do, whether it runs or not.

use crate::config::ContainerConfig;
use crate::container_state::ContainerState;
use crate::egress::EgressChange;
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::monitor::tell_time_limit_changed;
use crate::resources::ResourcesChange;
use crate::restart_policy::RestartPolicy;
use crate::runtime::Runtime;
use crate::settle::heed;
use crate::time_limit::TimeLimit;
use minirun_bridge::atomic_file;

/// What is to be changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerChange {
    /// `--restart`.
    pub restart: Option<RestartPolicy>,
    /// `--memory`, `--cpus` and other limits.
    pub resources: ResourcesChange,
    /// `--timeout`, which counts from the beginning of the run all the same.
    pub time_limit: Option<TimeLimit>,
    /// `--egress` and `--egress-deny`.
    pub egress: EgressChange,
}

impl Runtime {
    /// Changes a container.
    ///
    /// # Errors
    /// [`RuntimeError::RestartOfRemoved`]; when the host cannot keep a limit. Nothing has changed then.
    pub fn update(
        &self,
        container: &ContainerConfig,
        change: &ContainerChange,
    ) -> Result<(), RuntimeError> {
        self.check_egress_change(container, &change.egress)?;
        match change.restart {
            Some(restart) => self.update_with_policy(container, (restart, &change.resources))?,
            None if change.resources.is_empty() => {}
            None => self.update_resources(container, &change.resources)?,
        }
        if let Some(limit) = change.time_limit {
            self.update_time_limit(container, limit)?;
        }
        if !change.egress.is_empty() {
            self.update_egress(container, &change.egress)?;
        }
        self.tell_event(Event::container(container, Action::Update));
        Ok(())
    }

    fn update_time_limit(
        &self,
        container: &ContainerConfig,
        limit: TimeLimit,
    ) -> Result<(), RuntimeError> {
        let lock = self.lock(&container.id)?;
        let mut config = self.current_record(&container.id)?;
        self.finish_change_locked(&config, &lock)?;
        config.time_limit = limit;
        // If we are killed after the record, the next command tells the monitor.
        self.begin_change(&config.id)?;
        atomic_file::write_json(&self.paths(&config.id).record(), &config)?;
        self.settle_time_limit(&config)?;
        self.end_change(&config.id);
        Ok(())
    }

    /// Has the monitor of a running container read its time limit again.
    pub(crate) fn settle_time_limit(&self, config: &ContainerConfig) -> Result<(), RuntimeError> {
        let paths = self.paths(&config.id);
        match paths.container_state()? {
            ContainerState::Running(_) => heed(config, tell_time_limit_changed(&paths)),
            _ => Ok(()),
        }
    }

    fn update_with_policy(
        &self,
        container: &ContainerConfig,
        (restart, resources): (RestartPolicy, &ResourcesChange),
    ) -> Result<(), RuntimeError> {
        if container.auto_remove && restart != RestartPolicy::No {
            return Err(RuntimeError::RestartOfRemoved);
        }
        if !resources.is_empty() {
            self.update_resources(container, resources)?;
        }
        let lock = self.lock(&container.id)?;
        let mut config = self.current_record(&container.id)?;
        self.finish_change_locked(&config, &lock)?;
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
