//! Everything there is to know about a container, gathered for whoever shows it.

use crate::config::ContainerConfig;
use crate::container_state::{ContainerPaths, ContainerState};
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use minirun_bridge::endpoint::Endpoint;
use minirun_bridge::name::NetworkName;
use minirun_bridge::network::Network;

/// A container as it is now.
#[derive(Debug)]
pub struct ContainerDetails {
    /// As it was created.
    pub config: ContainerConfig,
    /// What state it is in.
    pub state: ContainerState,
    /// Its place on the network, while it runs.
    pub endpoint: Option<Endpoint>,
    /// The network, if it has been made.
    pub network: Option<Network>,
    /// Where its files are.
    pub paths: ContainerPaths,
}

/// A network as it is now.
#[derive(Debug)]
pub struct NetworkDetails {
    /// Its definition.
    pub network: Network,
    /// The running containers on it.
    pub endpoints: Vec<Endpoint>,
}

impl Runtime {
    /// What there is to know about a container.
    ///
    /// # Errors
    /// When its records cannot be read.
    pub fn details(&self, config: ContainerConfig) -> Result<ContainerDetails, RuntimeError> {
        let paths = self.paths(&config.id);
        let state = paths.container_state()?;
        let name = NetworkName::default();
        let endpoint = match state {
            ContainerState::Running(_) => self.networks.network(&name).find(&config.id)?,
            _ => None,
        };
        Ok(ContainerDetails {
            network: self.networks.load(&name)?,
            config,
            state,
            endpoint,
            paths,
        })
    }

    /// What there is to know about all containers, oldest first. Those that are just removing themselves are left out.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn all_details(&self) -> Result<Vec<ContainerDetails>, RuntimeError> {
        let mut all = Vec::new();
        for config in self.all()? {
            let mut details = self.details(config)?;
            let leaving =
                details.config.auto_remove && matches!(details.state, ContainerState::Exited(_));
            if leaving || matches!(details.state, ContainerState::Abandoned(_)) {
                // One whose monitor is just finishing is left to it.
                if let Some(lock) = self.try_lock(&details.config.id)? {
                    self.repair_locked(&details.config, &lock)?;
                }
                match self.read(&details.config.id)? {
                    Some(config) if !leaving => details = self.details(config)?,
                    _ => continue,
                }
            }
            // A record that vanished while we looked leaves no sign of how its container ended.
            if details.paths.record().exists() {
                all.push(details);
            }
        }
        Ok(all)
    }

    /// What there is to know about a network; the default one is made if it does not exist yet.
    ///
    /// # Errors
    /// When there is no such network.
    pub fn network_details(&self, name: &NetworkName) -> Result<NetworkDetails, RuntimeError> {
        let network = self.networks.load_or_create(name)?;
        let endpoints = self.networks.network(name).all()?;
        Ok(NetworkDetails { network, endpoints })
    }
}
