//! Resolving what a container wants of a network against what there is: an address, host ports, and the peers it is linked
//! with. The caller holds the network's lock.

use crate::attach::EndpointRequest;
use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::firewall::Firewall;
use crate::firewall::rule::Transaction;
use crate::id::ContainerId;
use crate::lease::{LeaseError, Leases};
use crate::network::Network;
use crate::policy;
use crate::reload::KnownRules;
use crate::reservation::{Reservation, ReservationError, reserve};
use crate::state::NetworkHost;
use minirun_netns::MacAddress;
use std::net::Ipv4Addr;

/// What the plan is made of.
pub(crate) struct Resolved {
    pub(crate) network: Network,
    pub(crate) endpoint: Endpoint,
    pub(crate) reservations: Vec<Reservation>,
    pub(crate) targets: Vec<Endpoint>,
    pub(crate) sources: Vec<Source>,
    /// The interface that had the address before.
    pub(crate) previous_interface: Option<String>,
    /// The rules that the endpoint adds, and their removal.
    pub(crate) rules: (Transaction, Transaction),
    /// Whether the rules that are there are known.
    pub(crate) known: KnownRules,
}

/// A running container that is linked to the one that is attached.
pub(crate) struct Source {
    pub(crate) endpoint: Endpoint,
    /// The others it is linked to, as far as they run.
    pub(crate) other_targets: Vec<Endpoint>,
}

impl NetworkHost {
    /// Takes what a container needs from what there is: address, ports, peers.
    pub(crate) fn resolve(
        &self,
        network: &Network,
        request: &EndpointRequest,
    ) -> Result<Resolved, NetworkError> {
        if !request.publish.is_empty() && self.firewall == Firewall::None {
            return Err(NetworkError::CannotPublish {
                container: request.name.clone(),
            });
        }
        let reservations = self.reserve_ports(network, request)?;
        let state = self.network(&network.name);
        let mut targets = Vec::new();
        for link in &request.links {
            targets.extend(state.find_by_name(&link.target)?);
        }
        let linked = state.sources_of(&request.name)?;
        let address = self.lease(network, request)?;
        let endpoint = Endpoint {
            id: ContainerId::random()?,
            container: request.container,
            name: request.name.clone(),
            hostname: request.hostname.clone(),
            address,
            mac: request
                .mac
                .unwrap_or_else(|| MacAddress::for_address(address)),
            interface: host_interface()?,
            exposed: request.exposed.clone(),
            publications: reservations
                .iter()
                .map(|reservation| reservation.publication)
                .collect(),
            links: request.links.clone(),
            hosts: request.hosts.clone(),
        };
        let contribution = policy::contribution(network, &endpoint, &targets, &linked);
        let rules = (
            self.firewall.addition(network, &contribution),
            self.firewall.removal(network, &contribution),
        );
        let known = if rules.0.is_empty() {
            self.known_rules()
        } else {
            self.begin_rules_change()
        };
        Ok(Resolved {
            network: network.clone(),
            sources: self.sources(network, &endpoint, linked),
            previous_interface: state.previous_interface(address),
            endpoint,
            reservations,
            targets,
            rules,
            known,
        })
    }

    fn sources(&self, network: &Network, target: &Endpoint, linked: Vec<Endpoint>) -> Vec<Source> {
        linked
            .into_iter()
            .map(|endpoint| {
                let mut other_targets = self.running_targets(network, &endpoint);
                other_targets.retain(|other| other.name != target.name);
                Source {
                    endpoint,
                    other_targets,
                }
            })
            .collect()
    }

    fn lease(
        &self,
        network: &Network,
        request: &EndpointRequest,
    ) -> Result<Ipv4Addr, NetworkError> {
        let leases = self.leases(network)?;
        let claim = || match request.static_address {
            Some(address) => leases.claim_static(address, &request.container),
            None => leases.claim(&request.container, request.last_address),
        };
        match claim() {
            Err(LeaseError::Taken { address, owner }) => {
                // A container that does not run has its address only as long as nobody insists on it.
                if self.holds_lease(network, &owner, address)? {
                    return Err(
                        self.name_address_owner(network, LeaseError::Taken { address, owner })
                    );
                }
                leases.release(address, &owner)?;
                Ok(claim()?)
            }
            Err(LeaseError::Exhausted { .. }) => {
                self.reclaim_lease(network, &leases)?;
                Ok(claim()?)
            }
            outcome => Ok(outcome?),
        }
    }

    /// Frees one address that is kept for a container which does not run, if there is one.
    fn reclaim_lease(&self, network: &Network, leases: &Leases) -> Result<(), NetworkError> {
        for (address, container) in leases.holders()? {
            if !self.holds_lease(network, &container, address)? {
                leases.release(address, &container)?;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether a container runs with this address.
    fn holds_lease(
        &self,
        network: &Network,
        container: &ContainerId,
        address: Ipv4Addr,
    ) -> Result<bool, NetworkError> {
        let endpoint = self.network(&network.name).find(container)?;
        Ok(endpoint.is_some_and(|endpoint| endpoint.address == address))
    }

    fn name_address_owner(&self, network: &Network, error: LeaseError) -> NetworkError {
        let LeaseError::Taken { address, owner } = error else {
            return error.into();
        };
        let owner = match self.network(&network.name).find(&owner) {
            Ok(Some(endpoint)) => endpoint.name.to_string(),
            _ => owner.short(),
        };
        NetworkError::AddressTaken { address, owner }
    }

    /// Binds the host ports, and takes down what a container that is gone left on them.
    fn reserve_ports(
        &self,
        network: &Network,
        request: &EndpointRequest,
    ) -> Result<Vec<Reservation>, NetworkError> {
        let reservations = reserve(
            &request.publish,
            network.publish_address,
            &request.last_publications,
        )
        .map_err(|error| self.name_port_owner(network, error))?;
        for reservation in &reservations {
            let publication = &reservation.publication;
            let stale = self
                .port_owners(publication.container.protocol, publication.host_port)
                .into_iter()
                .filter(|owner| *owner != request.container);
            for owner in stale {
                self.take_down_if_shadowing(network, &owner, publication)?;
            }
        }
        Ok(reservations)
    }

    fn name_port_owner(&self, network: &Network, error: ReservationError) -> NetworkError {
        let ReservationError::AddressInUse {
            address,
            port,
            protocol,
        } = &error
        else {
            return error.into();
        };
        let state = self.network(&network.name);
        let owner = self
            .port_owners(*protocol, *port)
            .into_iter()
            .find_map(|owner| state.find(&owner).ok().flatten());
        match owner {
            Some(endpoint) => NetworkError::PortTaken {
                wanted: format!("{address}:{port}/{protocol}"),
                owner: endpoint.name,
            },
            None => error.into(),
        }
    }

    pub(crate) fn leases(&self, network: &Network) -> Result<Leases, NetworkError> {
        Ok(Leases::open(
            self.network(&network.name).leases(),
            network.subnet,
            network.gateway,
        )?)
    }

    pub(crate) fn release_lease(&self, network: &Network, endpoint: &Endpoint) {
        if let Ok(leases) = self.leases(network) {
            // Whoever undoes goes on; an address that stays leased is reclaimed when it is needed.
            let _ = leases.release(endpoint.address, &endpoint.container);
        }
    }
}

/// A name for the host end of a veth pair that no other has: an earlier one of the same container may still be there
/// for some milliseconds after its namespace went.
fn host_interface() -> Result<String, NetworkError> {
    let id = ContainerId::random()?.to_string();
    Ok(format!("veth{}", &id[..8]))
}
