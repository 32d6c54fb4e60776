//! Changing the limits of a container, which may run.

use crate::cgroup::{Members, change, check_enforceable, restore, try_out};
use crate::config::ContainerConfig;
use crate::container_state::ContainerState;
use crate::error::RuntimeError;
use crate::resources::{Resources, ResourcesChange, check_presence};
use crate::runtime::Runtime;
use crate::ulimits::check_settable;
use minirun_bridge::atomic_file;
use std::fs;

impl Runtime {
    /// Changes the limits of a container. If it runs, they hold at once; if one cannot be had, all stay as they were.
    ///
    /// # Errors
    /// When the limits contradict each other, or this host cannot keep them.
    pub(crate) fn update_resources(
        &self,
        config: &ContainerConfig,
        wanted: &ResourcesChange,
    ) -> Result<(), RuntimeError> {
        let lock = self.lock(&config.id)?;
        let mut config = self.current_record(&config.id)?;
        self.repair_locked(&config, &lock)?;
        self.finish_change_locked(&config, &lock)?;
        let before = config.resources.clone();
        config.resources = before.changed(wanted)?;
        check_resources(&config.resources)?;
        // If we are killed between the kernel's files and the record, the record holds.
        self.begin_change(&config.id)?;
        let applied = self.apply(&config, (&before, &config.resources));
        let changed = applied.and_then(|()| {
            let path = self.paths(&config.id).record();
            atomic_file::write_json(&path, &config).map_err(|error| {
                // That they were had before means that they can be had again; the record is what failed.
                let _ = self.apply(&config, (&config.resources, &before));
                error.into()
            })
        });
        self.end_change(&config.id);
        changed
    }

    /// Lets the kernel know, if the container runs; else asks it whether it would keep the limits.
    fn apply(
        &self,
        config: &ContainerConfig,
        (before, after): (&Resources, &Resources),
    ) -> Result<(), RuntimeError> {
        let name = config.group();
        let init = match self.paths(&config.id).container_state()? {
            ContainerState::Running(record) => record.init,
            _ => None,
        };
        match init {
            Some(init) => {
                let members = Members::of(name, init.pid)?;
                Ok(change(name, (before, after), &members)?)
            }
            None => Ok(try_out(name, after)?),
        }
    }

    /// Has the kernel try out the limits of a container that was just created. It is on record, so that groups which a killed
    /// command leaves are found again; if a limit cannot be kept, it is not any more.
    pub(crate) fn try_limits(&self, config: &ContainerConfig) -> Result<(), RuntimeError> {
        let tried = try_out(config.group(), &config.resources);
        if tried.is_err() {
            // What remains is removed by whoever creates the container.
            let _ = fs::remove_file(self.paths(&config.id).record());
            self.paths(&config.id).remove_running();
        }
        Ok(tried?)
    }

    /// Makes the limits of a running container what its record says.
    pub(crate) fn settle_resources(&self, config: &ContainerConfig) -> Result<(), RuntimeError> {
        match self.paths(&config.id).container_state()? {
            ContainerState::Running(_) => Ok(restore(config.group(), &config.resources)?),
            _ => Ok(()),
        }
    }
}

/// Refuses limits that this host cannot keep.
pub(crate) fn check_resources(resources: &Resources) -> Result<(), RuntimeError> {
    resources.check()?;
    check_presence(resources)?;
    check_settable(resources)?;
    Ok(check_enforceable(resources)?)
}
