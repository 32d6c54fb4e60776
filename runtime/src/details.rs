//! Everything there is to know about a container, gathered for whoever shows it.

use crate::config::{ContainerConfig, Membership};
use crate::container_state::{ContainerPaths, ContainerState};
use crate::error::RuntimeError;
use crate::health::Health;
use crate::runtime::Runtime;
pub use minirun_bridge::endpoint::DefaultRoute;
use minirun_bridge::endpoint::Endpoint;
use minirun_bridge::link::Link;
use minirun_bridge::name::NetworkName;
use minirun_bridge::network::Network;
use minirun_bridge::port::ExposedPort;
use std::collections::{BTreeSet, HashMap};
use std::net::Ipv4Addr;

/// A container as it is now.
#[derive(Debug)]
pub struct ContainerDetails {
    /// As it was created.
    pub config: ContainerConfig,
    /// What state it is in.
    pub state: ContainerState,
    /// Whether it does its work; none unless it runs and that is checked.
    pub health: Option<Health>,
    /// Its networks, in the order of its interfaces.
    pub places: Vec<Place>,
    /// Where its files are.
    pub paths: ContainerPaths,
    /// Whether it is paused while it runs.
    pub is_paused: bool,
}

/// A container's place on a network.
#[derive(Debug, Clone)]
pub struct Place {
    /// What it asked for.
    pub membership: Membership,
    /// The network; none if it was removed, or has not been made yet.
    pub network: Option<Network>,
    /// What it has, while it runs.
    pub endpoint: Option<Endpoint>,
    /// What its links have opened.
    pub linked: Vec<LinkedPorts>,
    /// Whether its way to everywhere else leads through this network.
    pub default_route: DefaultRoute,
}

/// What a link has opened on a network.
#[derive(Debug, Clone)]
pub struct LinkedPorts {
    /// The link.
    pub link: Link,
    /// The target's IPv4 address, while it runs.
    pub address: Option<Ipv4Addr>,
    /// The ports of it that are open; empty while it does not run.
    pub ports: BTreeSet<ExposedPort>,
}

/// A network as it is now.
#[derive(Debug)]
pub struct NetworkDetails {
    /// Its definition.
    pub network: Network,
    /// The running containers on it.
    pub endpoints: Vec<Endpoint>,
}

/// The networks that were read already, by name; none where there is none.
#[derive(Debug, Default)]
pub(crate) struct KnownNetworks(HashMap<NetworkName, Option<Network>>);

impl KnownNetworks {
    fn network(
        &mut self,
        runtime: &Runtime,
        name: &NetworkName,
    ) -> Result<Option<Network>, RuntimeError> {
        if let Some(network) = self.0.get(name) {
            return Ok(network.clone());
        }
        let network = runtime.networks.load(name)?;
        self.0.insert(name.clone(), network.clone());
        Ok(network)
    }
}

impl Runtime {
    /// What there is to know about a container.
    ///
    /// # Errors
    /// When its records cannot be read.
    pub fn details(&self, config: ContainerConfig) -> Result<ContainerDetails, RuntimeError> {
        let state = self.paths(&config.id).container_state()?;
        self.details_in(config, state, &mut KnownNetworks::default())
    }

    /// The same for a container whose state is known, with networks that need not be read again.
    pub(crate) fn details_in(
        &self,
        config: ContainerConfig,
        state: ContainerState,
        known: &mut KnownNetworks,
    ) -> Result<ContainerDetails, RuntimeError> {
        let paths = self.paths(&config.id);
        let memberships = config.network.memberships.iter();
        let places = memberships
            .map(|membership| self.place((&config, &state), membership, known))
            .collect::<Result<Vec<Place>, RuntimeError>>()?;
        let health = match &state {
            ContainerState::Running(record) if record.init.is_some() && config.health.is_some() => {
                Some(Health::read(&paths)?.unwrap_or_default())
            }
            _ => None,
        };
        let is_paused = matches!(state, ContainerState::Running(_)) && self.is_paused(&config)?;
        Ok(ContainerDetails {
            config,
            health,
            state,
            places,
            paths,
            is_paused,
        })
    }

    fn place(
        &self,
        (config, state): (&ContainerConfig, &ContainerState),
        membership: &Membership,
        known: &mut KnownNetworks,
    ) -> Result<Place, RuntimeError> {
        let here = self.networks.network(&membership.network);
        let endpoint = match state {
            ContainerState::Running(_) => here.find(&config.id)?,
            _ => None,
        };
        let mut linked = Vec::new();
        for link in config.network.links.iter().filter(|_| endpoint.is_some()) {
            let target = here.find_by_name(&link.target)?;
            linked.push(LinkedPorts {
                link: link.clone(),
                address: target.as_ref().map(|target| target.address),
                ports: target.map(|target| target.exposed).unwrap_or_default(),
            });
        }
        Ok(Place {
            membership: membership.clone(),
            network: known.network(self, &membership.network)?,
            default_route: endpoint
                .as_ref()
                .map(|endpoint| endpoint.default_route)
                .unwrap_or_default(),
            endpoint,
            linked,
        })
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
