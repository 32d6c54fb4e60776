//! Everything there is to know about a container, gathered for whoever shows it.

use crate::condition::Condition;
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
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// A container as it is now.
#[derive(Debug)]
pub struct ContainerDetails {
    /// As it was created.
    pub config: ContainerConfig,
    /// What it does.
    pub condition: Condition,
    /// Its networks, in the order of its interfaces.
    pub places: Vec<Place>,
    /// Where its files are.
    pub paths: ContainerPaths,
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

impl Runtime {
    /// What there is to know about a container.
    ///
    /// # Errors
    /// When its records cannot be read.
    pub fn details(&self, config: ContainerConfig) -> Result<ContainerDetails, RuntimeError> {
        let paths = self.paths(&config.id);
        let state = paths.container_state()?;
        let memberships = config.network.memberships.iter();
        let places = memberships
            .map(|membership| self.place((&config, &state), membership))
            .collect::<Result<Vec<Place>, RuntimeError>>()?;
        let is_checked = state.has_program() && config.health.is_some();
        let health = match is_checked {
            true => Some(Health::read(&paths)?.unwrap_or_default()),
            false => None,
        };
        let is_paused = matches!(state, ContainerState::Running(_)) && self.is_paused(&config)?;
        Ok(ContainerDetails {
            config,
            condition: Condition {
                state,
                health,
                is_paused,
            },
            places,
            paths,
        })
    }

    fn place(
        &self,
        (config, state): (&ContainerConfig, &ContainerState),
        membership: &Membership,
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
            network: self.networks.load(&membership.network)?,
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
