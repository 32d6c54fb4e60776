//! Looking at all containers, each of them once, and finishing on the way what was left by whoever was killed.
//!
//! With a thousand containers the looking is all that a listing costs: what was read already is not read again, of records only
//! what is shown, and no file of which another says that there is nothing in it to show.

use crate::condition::Condition;
use crate::container_state::ContainerState;
use crate::error::RuntimeError;
use crate::health::Health;
use crate::lookout::Lookout;
use crate::outline::{ContainerOutline, NetworkOutline};
use crate::runtime::Runtime;
use crate::store::ids_in;
use crate::summary::ContainerSummary;
use minirun_bridge::endpoint::EndpointPorts;
use minirun_bridge::id::ContainerId;
use minirun_bridge::name::NetworkName;
use std::collections::{HashMap, HashSet};

/// All containers, and what could not be mended.
#[derive(Debug)]
pub struct Survey {
    /// What there is to know about them, oldest first. Those that are just removing themselves are left out.
    pub containers: Vec<ContainerSummary>,
    /// What keeps nothing else from being mended or shown.
    pub failures: Vec<RuntimeError>,
}

/// The ids of the networks that were read already, by name; none where there is no such network.
type KnownNetworks = HashMap<NetworkName, Option<ContainerId>>;

impl Runtime {
    /// Does what [`Runtime::sweep`] does, and says what listings show of all containers.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn survey(&self) -> Result<Survey, RuntimeError> {
        let mut failures = Vec::new();
        let ids = self.ids()?;
        self.sweep_unrecorded(&ids, &mut failures)?;
        let mut lookout = Lookout::of(self)?;
        let mut known = KnownNetworks::default();
        let mut containers = Vec::with_capacity(ids.len());
        for id in &ids {
            if let Some((outline, state)) = self.look_at(id, &mut lookout, &mut failures)? {
                containers.push(self.summary(outline, state, (&mut lookout, &mut known))?);
            }
        }
        containers.sort_by_cached_key(|summary| (summary.outline.created, summary.outline.id));
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
        for id in ids_in(&self.states())? {
            if !there.contains(&id) {
                failures.extend(self.sweep_monitor(&id).err());
            }
        }
        Ok(())
    }

    /// What a container is, after what others left of it is mended; none if it is gone, or just going.
    fn look_at(
        &self,
        id: &ContainerId,
        lookout: &mut Lookout,
        failures: &mut Vec<RuntimeError>,
    ) -> Result<Option<(ContainerOutline, ContainerState)>, RuntimeError> {
        if lookout.is_changing(id) {
            failures.extend(self.finish_change(id).err());
        }
        let Some(mut outline) = lookout.outline(id)? else {
            failures.extend(self.sweep_half_made(id).err());
            return Ok(None);
        };
        let mut state = lookout.state(id)?;
        if needs_care(&outline, &state, lookout) {
            failures.extend(self.care_for(&outline, &state).err());
            match lookout.outline(id)? {
                Some(current) => outline = current,
                None => return Ok(None),
            }
            state = lookout.state(id)?;
            if outline.is_leaving(&state) {
                return Ok(None);
            }
        }
        // One that was removed between two looks leaves no sign of how it ended.
        let is_unsure = matches!(
            state,
            ContainerState::Created | ContainerState::Abandoned(_)
        );
        if is_unsure && !lookout.has_record(id) {
            return Ok(None);
        }
        Ok(Some((outline, state)))
    }

    /// One whose monitor is just finishing is left to it.
    fn care_for(
        &self,
        outline: &ContainerOutline,
        state: &ContainerState,
    ) -> Result<(), RuntimeError> {
        if !outline.is_leaving(state) {
            return self.sweep_monitor(&outline.id);
        }
        match (self.try_lock(&outline.id)?, self.read(&outline.id)?) {
            (Some(lock), Some(config)) => self.resume_locked(&config, &lock),
            _ => Ok(()),
        }
    }

    /// What a listing shows of a container.
    fn summary(
        &self,
        outline: ContainerOutline,
        state: ContainerState,
        (lookout, known): (&mut Lookout, &mut KnownNetworks),
    ) -> Result<ContainerSummary, RuntimeError> {
        let is_running = matches!(state, ContainerState::Running(_));
        let health = match state.has_program() && outline.is_health_checked() {
            true => Some(Health::read(&self.paths(&outline.id))?.unwrap_or_default()),
            false => None,
        };
        let ports = match is_running && outline.network.may_have_ports() {
            true => self.ports_of(&outline)?,
            false => EndpointPorts::default(),
        };
        let is_paused = is_running && lookout.is_paused(&outline)?;
        Ok(ContainerSummary {
            condition: Condition {
                state,
                health,
                is_paused,
            },
            ports,
            networks: self.network_ids(&outline.network, known)?,
            outline,
        })
    }

    /// The endpoints of a container are told of the same exposed ports; published ports stand on one of them.
    fn ports_of(&self, outline: &ContainerOutline) -> Result<EndpointPorts, RuntimeError> {
        let mut ports: Option<EndpointPorts> = None;
        for membership in &outline.network.memberships {
            let network = self.networks.network(&membership.network);
            let Some(found) = network.find_ports(&outline.id)? else {
                continue;
            };
            match &mut ports {
                None => ports = Some(found),
                Some(ports) => ports.publications.extend(found.publications),
            }
        }
        Ok(ports.unwrap_or_default())
    }

    /// The ids of the networks that a container is on. A network that was read already is not read again.
    fn network_ids(
        &self,
        network: &NetworkOutline,
        known: &mut KnownNetworks,
    ) -> Result<Vec<ContainerId>, RuntimeError> {
        let mut ids = Vec::with_capacity(network.memberships.len());
        for membership in &network.memberships {
            let name = &membership.network;
            match known.get(name) {
                Some(id) => ids.extend(*id),
                None => {
                    let id = self.networks.load(name)?.map(|network| network.id);
                    known.insert(name.clone(), id);
                    ids.extend(id);
                }
            }
        }
        Ok(ids)
    }
}

/// Whether one that watched a container may have been killed.
fn needs_care(outline: &ContainerOutline, state: &ContainerState, lookout: &mut Lookout) -> bool {
    outline.is_leaving(state) || lookout.is_left_alone(state)
}
