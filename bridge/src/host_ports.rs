//! The host ports of a container: bound once when it starts, whatever networks it is on then and later.

use crate::error::NetworkError;
use crate::firewall::Firewall;
use crate::id::ContainerId;
use crate::name::ContainerName;
use crate::network::Family;
use crate::publication::Publication;
use crate::publish::PublishRequest;
use crate::reservation::{Reservation, ReservationError, reserve};
use crate::state::NetworkHost;
use std::net::{IpAddr, Ipv6Addr};

/// What a container wants of the host's ports.
#[derive(Debug, Clone)]
pub struct PortsRequest {
    /// The container.
    pub container: ContainerId,
    /// Its name.
    pub name: ContainerName,
    /// The ports that shall lead to it.
    pub publish: Vec<PublishRequest>,
    /// Where those are bound that name no address; one for each family.
    pub default_addresses: Vec<IpAddr>,
    /// Whether it has an IPv6 address.
    pub has_ipv6: bool,
    /// The host ports it had last time; random ones are taken again if they are free.
    pub last_publications: Vec<Publication>,
}

impl NetworkHost {
    /// Binds the host ports, and takes down what a container that is gone left on them. Whoever holds the result has them.
    ///
    /// # Errors
    /// [`NetworkError::PortTaken`] with the container that has it, and those of [`reserve`].
    pub fn reserve_ports(&self, request: &PortsRequest) -> Result<Vec<Reservation>, NetworkError> {
        if request.publish.is_empty() {
            return Ok(Vec::new());
        }
        if self.firewall == Firewall::None {
            return Err(NetworkError::CannotPublish {
                container: request.name.clone(),
            });
        }
        let reservations = reserve(
            &request.publish,
            &request.default_addresses,
            &request.last_publications,
        )
        .map_err(|error| self.name_port_owner(error))?;
        for reservation in &reservations {
            let publication = &reservation.publication;
            check(publication, request)?;
            let owners = self.port_owners(publication.container.protocol, publication.host_port);
            for owner in owners {
                if owner != request.container {
                    self.take_down_if_shadowing(&owner, publication)?;
                }
            }
        }
        Ok(reservations)
    }

    fn name_port_owner(&self, error: ReservationError) -> NetworkError {
        let ReservationError::AddressInUse {
            address,
            port,
            protocol,
        } = &error
        else {
            return error.into();
        };
        let owner = self
            .port_owners(*protocol, *port)
            .into_iter()
            .find_map(|owner| self.name_of(&owner));
        match owner {
            Some(owner) => NetworkError::PortTaken {
                wanted: format!(
                    "{}/{protocol}",
                    std::net::SocketAddr::new(*address, port.get())
                ),
                owner,
            },
            None => error.into(),
        }
    }

    /// The name of a running container, as any of its networks knows it.
    pub(crate) fn name_of(&self, container: &ContainerId) -> Option<ContainerName> {
        let networks = self.networks_of(container).ok()?;
        networks.iter().find_map(|network| {
            let endpoint = self.network(network).find(container).ok()??;
            Some(endpoint.name)
        })
    }
}

fn check(publication: &Publication, request: &PortsRequest) -> Result<(), NetworkError> {
    let publication = *publication;
    if Family::of(publication.host_address) == Family::Ipv6 && !request.has_ipv6 {
        return Err(NetworkError::CannotPublishIpv6 {
            publication,
            container: request.name.clone(),
        });
    }
    if publication.host_address == IpAddr::V6(Ipv6Addr::LOCALHOST) {
        return Err(NetworkError::CannotPublishOnLoopback { publication });
    }
    Ok(())
}
