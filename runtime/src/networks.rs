//! Networks made, removed and changed.

use crate::connections::Connections;
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::remove::Force;
use crate::runtime::Runtime;
use crate::warning::{Warning, blockade_of};
use minirun_bridge::detach::Departure;
use minirun_bridge::error::NetworkError;
use minirun_bridge::id::ContainerId;
use minirun_bridge::name::NetworkName;
use minirun_bridge::network::{DEFAULT_NETWORK, Network};
use minirun_bridge::network_request::NetworkRequest;
use minirun_bridge::reload;
pub use minirun_bridge::update::NetworkChange;
use minirun_netns::{Narrator, Silent};
use std::collections::BTreeSet;

/// A network that was made.
#[derive(Debug)]
pub struct CreatedNetwork {
    /// Its definition.
    pub network: Network,
    /// What may not be what was meant.
    pub warnings: Vec<Warning>,
}

impl Runtime {
    /// Makes a network.
    ///
    /// # Errors
    /// With everything that is wrong with the request, or that of the step that failed; nothing is left behind.
    pub fn create_network(&self, request: &NetworkRequest) -> Result<CreatedNetwork, RuntimeError> {
        // Its addresses are held like those of any other.
        self.default_network()?;
        let network = self.networks.create(request, &mut Silent)?;
        self.tell_event(Event::network(&network, Action::Create));
        Ok(CreatedNetwork {
            warnings: blockade_of(&network, self.networks.blockade()),
            network,
        })
    }

    /// Removes a network that no running container is on; with force, takes them off it first.
    ///
    /// # Errors
    /// [`NetworkError::InUse`] and
    /// [`NetworkError::BuiltIn`].
    pub fn remove_network(&self, name: &NetworkName, force: Force) -> Result<(), RuntimeError> {
        if name.as_str() == DEFAULT_NETWORK {
            return Err(NetworkError::BuiltIn(name.clone()).into());
        }
        self.await_leaving(name)?;
        if force == Force::Yes {
            for endpoint in self.networks.network(name).all()? {
                if let Some(config) = self.read(&endpoint.container)? {
                    match self.disconnect(&config, name, Force::Yes, &mut Silent) {
                        // It has removed itself meanwhile.
                        Err(RuntimeError::UnknownContainer(_)) => {}
                        outcome => outcome?,
                    }
                }
                // Whatever its record says.
                let leaving = (&endpoint.container, Departure::Disconnected);
                self.networks.detach(name, leaving, &mut Silent)?;
            }
        }
        let network = self.networks.load(name)?;
        self.networks.remove(name, &mut Silent)?;
        if let Some(network) = network {
            self.tell_event(Event::network(&network, Action::Destroy));
        }
        Ok(())
    }

    /// Waits for the containers on a network that have ended and are just being taken down.
    fn await_leaving(&self, name: &NetworkName) -> Result<(), RuntimeError> {
        for endpoint in self.networks.network(name).all()? {
            if let Some(config) = self.read(&endpoint.container)?
                && !self.runs(&config)?
            {
                self.settle(&config)?;
            }
        }
        Ok(())
    }

    /// The networks that no container refers to, running or not, and that are not built in.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn unused_networks(&self) -> Result<Vec<Network>, RuntimeError> {
        let containers = self.outlines()?;
        let used: BTreeSet<&NetworkName> = containers
            .iter()
            .flat_map(|outline| &outline.network.memberships)
            .map(|membership| &membership.network)
            .collect();
        let mut networks = self.networks.networks()?;
        networks.retain(|network| !network.is_default() && !used.contains(&network.name));
        Ok(networks)
    }

    /// Changes a network, for running containers, too.
    ///
    /// # Errors
    /// See [`minirun_bridge::state::NetworkHost::update`].
    pub fn update_network(
        &self,
        name: &NetworkName,
        change: &NetworkChange,
        narrator: &mut dyn Narrator,
    ) -> Result<Network, RuntimeError> {
        let find = |container: &ContainerId| self.network_namespace(container);
        let network = self.networks.update(name, change, (&find, narrator))?;
        if change.names.is_some() {
            self.settle_names(&network, narrator)?;
        }
        Ok(network)
    }

    /// Lets the running containers of a network ask their DNS server, or the host's, as the network says now.
    fn settle_names(
        &self,
        network: &Network,
        narrator: &mut dyn Narrator,
    ) -> Result<(), RuntimeError> {
        for endpoint in self.networks.network(&network.name).all()? {
            let Some(_lock) = self.lock_if_present(&endpoint.container)? else {
                continue;
            };
            if let Some(config) = self.read(&endpoint.container)? {
                let connections = Connections::of(self, &config)?;
                self.settle_ways(&config, &connections, narrator)?;
                self.networks.refresh_hosts_of(&config.id)?;
            }
        }
        Ok(())
    }

    /// Makes devices, settings and rules of all networks what the records say, whatever others have done to them.
    ///
    /// # Errors
    /// That of the step that failed.
    pub fn reload_networks(&self, narrator: &mut dyn Narrator) -> Result<(), RuntimeError> {
        let networks = self.networks.networks()?;
        for network in &networks {
            self.networks.restore(&network.name, narrator)?;
        }
        if !networks.is_empty() {
            reload::reload_and_tell(&self.networks, narrator)?;
        }
        Ok(())
    }
}
