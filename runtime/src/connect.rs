//! Containers connected to networks and taken off them, while they run or not.
//!
//! Theory of operation of a change to a container's networks
//!
//! 1. The container's lock is taken, so that it neither starts nor ends meanwhile. Its record is read again under it.
//! 2. If it runs, it is attached to the network or detached from it. The record is saved after an attachment and before a
//!    detachment: whatever is interrupted, the next start gives it the networks that were confirmed.
//! 3. What follows from that is settled (the module `settle`).

use crate::config::{ContainerConfig, Membership, NetworkMode};
use crate::connections::Connections;
use crate::error::RuntimeError;
use crate::events::Action;
use crate::link_resolution::LinkSource;
use crate::monitor::last_addresses;
use crate::remove::Force;
use crate::runtime::Runtime;
use crate::store::ContainerLock;
use crate::warning::Warning;
use minirun_bridge::atomic_file;
use minirun_bridge::attach::{Ipv6OfInterfaces, NamespaceToAttach};
use minirun_bridge::detach::Departure;
use minirun_bridge::error::NetworkError;
use minirun_bridge::link::LinkRequest;
use minirun_bridge::name::NetworkName;
use minirun_netns::Narrator;
use std::collections::BTreeSet;

/// How a container is to be connected.
#[derive(Debug, Clone)]
pub struct Connection {
    /// To what, and as what.
    pub membership: Membership,
    /// More links for it.
    pub links: Vec<LinkRequest>,
}

impl Runtime {
    /// Connects a container to a network, at once if it runs.
    ///
    /// # Errors
    /// [`NetworkError::AlreadyConnected`], [`RuntimeError::CannotConnect`]; else that of the step that failed, and nothing
    /// has changed then.
    pub fn connect(
        &self,
        container: &ContainerConfig,
        connection: Connection,
        narrator: &mut dyn Narrator,
    ) -> Result<Vec<Warning>, RuntimeError> {
        for link in &connection.links {
            // Whoever is just leaving is waited for before the lock is taken.
            let _ = self.resolve(&link.target);
        }
        let lock = self.lock(&container.id)?;
        let before = self.changeable(container, &lock)?;
        let name = connection.membership.network.clone();
        if before.network.membership(&name).is_some() {
            return Err(NetworkError::AlreadyConnected {
                container: before.name,
                network: name,
            }
            .into());
        }
        let mut after = before.clone();
        after.network.memberships.push(connection.membership);
        let source = LinkSource {
            name: Some(&before.name),
            memberships: &after.network.memberships,
        };
        after.network.links =
            self.resolve_more_links(&source, &connection.links, before.network.links.clone())?;
        let connections = Connections::of(self, &after)?;
        self.begin_change(&after.id)?;
        let joined = self.join(&after, &connections, narrator);
        if joined.is_err() {
            // The error that is told is the first one. The record says what it said before.
            let leaving = (&after.id, Departure::Disconnected);
            let undone = self.networks.detach(&name, leaving, narrator);
            let undone = undone.and_then(|()| self.networks.forget(&name, &after.id, &[]));
            if undone.is_ok() {
                self.end_change(&after.id);
            }
        }
        joined?;
        if self.runs(&after)? {
            self.settle_links(&after, narrator)?;
            self.settle_ways(&after, &connections, narrator)?;
        }
        self.end_change(&after.id);
        let mut warnings =
            self.link_warnings((&after.network.memberships, &after.network.links))?;
        let last = self.paths(&after.id).read_last_place()?;
        if self.runs(&after)? && connections.lacks_ipv6_ports((self, &after), &last) {
            warnings.push(Warning::PublishIpv6Later {
                container: after.name,
            });
        }
        Ok(warnings)
    }

    /// Attaches a container that runs to the last of its networks, and records that it is on it.
    fn join(
        &self,
        config: &ContainerConfig,
        connections: &Connections,
        narrator: &mut dyn Narrator,
    ) -> Result<(), RuntimeError> {
        if self.runs(config)? {
            self.attach_live(config, connections, narrator)?;
        }
        let record = self.paths(&config.id).record();
        Ok(atomic_file::write_json(&record, config)?)
    }

    /// Takes a container off a network, at once if it runs.
    ///
    /// # Errors
    /// [`NetworkError::NotConnected`] unless forced; else that of the step that failed.
    pub fn disconnect(
        &self,
        container: &ContainerConfig,
        network: &NetworkName,
        force: Force,
        narrator: &mut dyn Narrator,
    ) -> Result<(), RuntimeError> {
        let lock = self.lock(&container.id)?;
        let mut config = self.changeable(container, &lock)?;
        if config.network.membership(network).is_none() {
            return match force {
                Force::Yes => Ok(()),
                Force::No => Err(NetworkError::NotConnected {
                    container: config.name,
                    network: network.clone(),
                }
                .into()),
            };
        }
        config
            .network
            .memberships
            .retain(|membership| membership.network != *network);
        let paths = self.paths(&config.id);
        self.begin_change(&config.id)?;
        atomic_file::write_json(&paths.record(), &config)?;
        let runs = self.runs(&config)?;
        if runs {
            let leaving = (&config.id, Departure::Disconnected);
            self.networks.detach(network, leaving, narrator)?;
            self.tell_membership(network, &config.id, Action::Disconnect);
        }
        let mut last = paths.read_last_place()?;
        let addresses = last.addresses.remove(network).map(|last| last.all());
        self.networks
            .forget(network, &config.id, &addresses.unwrap_or_default())?;
        atomic_file::write_json(&paths.last_place(), &last)?;
        if runs {
            let connections = Connections::of(self, &config)?;
            self.settle_ways(&config, &connections, narrator)?;
        }
        self.end_change(&config.id);
        Ok(())
    }

    /// The record as it is under the lock, if networks can be changed at all. What another command has left half made is
    /// finished first.
    fn changeable(
        &self,
        container: &ContainerConfig,
        lock: &ContainerLock,
    ) -> Result<ContainerConfig, RuntimeError> {
        let config = self.current_record(&container.id)?;
        if config.network.mode != NetworkMode::Networks {
            return Err(RuntimeError::CannotConnect {
                mode: config.network.mode_word(),
                container: config.name,
            });
        }
        self.finish_change_locked(&config, lock)?;
        Ok(config)
    }

    /// Attaches a running container to the last of its networks. Nothing leads through it before everything is in place.
    fn attach_live(
        &self,
        config: &ContainerConfig,
        connections: &Connections,
        narrator: &mut dyn Narrator,
    ) -> Result<(), RuntimeError> {
        let Some(joined) = connections.joined.last() else {
            return Ok(());
        };
        let paths = self.paths(&config.id);
        let Some(namespace) = self.namespace_while_running(&config.id)? else {
            // Its program has just ended, and its monitor waits for the lock that we hold.
            return Ok(());
        };
        let label = namespace.path().display().to_string();
        let last = paths.read_last_place()?;
        let interface = self.free_interface(config)?;
        let mut request =
            connections.endpoint_request((config, &paths), joined, (interface, &last));
        request.publications.clear();
        request.default_route = Default::default();
        let place = NamespaceToAttach {
            namespace: &namespace,
            label: &label,
            gives: Ipv6OfInterfaces::USUAL,
        };
        let attached = self.attach_waiting(&joined.network, &request, place, narrator)?;
        let mut last = paths.read_last_place()?;
        last.addresses.insert(
            joined.network.name.clone(),
            last_addresses(&attached.endpoint),
        );
        atomic_file::write_json(&paths.last_place(), &last)?;
        for port in attached.replaced {
            port.delete(&self.networks, narrator)?;
        }
        Ok(())
    }

    /// The first of `eth0`, `eth1` … that no network of a running container uses.
    fn free_interface(&self, config: &ContainerConfig) -> Result<String, RuntimeError> {
        let mut used = BTreeSet::new();
        for network in self.networks.networks_of(&config.id)? {
            let endpoint = self.networks.network(&network).find(&config.id)?;
            used.extend(endpoint.map(|endpoint| endpoint.interface_name));
        }
        let mut names = (0u32..).map(|number| format!("eth{number}"));
        Ok(names.find(|name| !used.contains(name)).unwrap_or_default())
    }
}
