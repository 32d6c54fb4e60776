//! Looking at all containers, each of them once, and finishing on the way what was left by whoever was killed.
//!
//! With a thousand containers the looking is all that a listing costs: a record, a state or the definition of a network that was
//! read already is not read again.

use crate::config::ContainerConfig;
use crate::container_state::ContainerState;
use crate::details::{ContainerDetails, KnownNetworks};
use crate::error::RuntimeError;
use crate::process_identity::ProcessIdentity;
use crate::runtime::Runtime;
use crate::store::ids_in;
use minirun_bridge::id::ContainerId;
use std::collections::HashSet;

/// All containers, and what could not be mended.
#[derive(Debug)]
pub struct Survey {
    /// What there is to know about them, oldest first. Those that are just removing themselves are left out.
    pub containers: Vec<ContainerDetails>,
    /// What keeps nothing else from being mended or shown.
    pub failures: Vec<RuntimeError>,
}

impl Runtime {
    /// Does what [`Runtime::sweep`] does, and says what there is to know about all containers.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn survey(&self) -> Result<Survey, RuntimeError> {
        let mut failures = Vec::new();
        let ids = self.ids()?;
        self.sweep_unrecorded(&ids, &mut failures)?;
        let mut known = KnownNetworks::default();
        let mut containers = Vec::with_capacity(ids.len());
        for id in &ids {
            containers.extend(self.look_at(id, &mut known, &mut failures)?);
        }
        containers.sort_by_key(|details| (details.config.created, details.config.id));
        self.sweep_surroundings(&mut failures)?;
        Ok(Survey {
            containers,
            failures,
        })
    }

    /// Forgets the runs of containers that are gone.
    fn sweep_unrecorded(
        &self,
        ids: &[ContainerId],
        failures: &mut Vec<RuntimeError>,
    ) -> Result<(), RuntimeError> {
        let there: HashSet<&ContainerId> = ids.iter().collect();
        for id in ids_in(&self.directories.state.join("containers"))? {
            if !there.contains(&id) {
                failures.extend(self.sweep_monitor(&id).err());
            }
        }
        Ok(())
    }

    /// What there is to know about a container, after what others left of it is mended; none if it is gone, or just going.
    fn look_at(
        &self,
        id: &ContainerId,
        known: &mut KnownNetworks,
        failures: &mut Vec<RuntimeError>,
    ) -> Result<Option<ContainerDetails>, RuntimeError> {
        failures.extend(self.finish_change(id).err());
        let Some(mut config) = self.read(id)? else {
            failures.extend(self.sweep_half_made(id).err());
            return Ok(None);
        };
        let paths = self.paths(id);
        let mut state = paths.container_state()?;
        if needs_care(&config, &state) {
            failures.extend(self.care_for(&config, &state).err());
            match self.read(id)? {
                Some(current) => config = current,
                None => return Ok(None),
            }
            state = paths.container_state()?;
            if is_leaving(&config, &state) {
                return Ok(None);
            }
        }
        // One that was removed between two looks leaves no sign of how it ended.
        if state == ContainerState::Created && !paths.record().exists() {
            return Ok(None);
        }
        self.details_in(config, state, known).map(Some)
    }

    /// One whose monitor is just finishing is left to it.
    fn care_for(
        &self,
        config: &ContainerConfig,
        state: &ContainerState,
    ) -> Result<(), RuntimeError> {
        if !is_leaving(config, state) {
            return self.sweep_monitor(&config.id);
        }
        match self.try_lock(&config.id)? {
            Some(lock) => self.resume_locked(config, &lock),
            None => Ok(()),
        }
    }
}

/// Whether a container removes itself and has ended, so that it is as good as gone.
fn is_leaving(config: &ContainerConfig, state: &ContainerState) -> bool {
    config.auto_remove && matches!(state, ContainerState::Exited(_))
}

/// Whether one that watched a container may have been killed.
fn needs_care(config: &ContainerConfig, state: &ContainerState) -> bool {
    let is_dead = |guardian: &ProcessIdentity| !guardian.is_alive();
    match state {
        ContainerState::Abandoned(_) => true,
        ContainerState::Running(record) => record.guardian.as_ref().is_some_and(is_dead),
        _ => is_leaving(config, state),
    }
}
