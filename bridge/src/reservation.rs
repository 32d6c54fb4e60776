//! Takes the host ports that a container publishes, for real: each is a bound socket, so no other program can get it,
//! and one that another program has is found out before any rule is written.

mod dynamic_ports;
mod error;
mod placeholder;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::slice;

use nix::errno::Errno;

use crate::bracketed::overlap;
use crate::port::{Port, PortRange, Protocol};
use crate::publication::Publication;
use crate::publish::{HostPort, PublishRequest};
use crate::random::random_bytes;

use dynamic_ports::DynamicPorts;
pub use error::{PlaceholderStep, ReservationError};
use placeholder::bind_placeholder;

/// A host port that is held for a container. Dropping it lets the port go.
///
/// The socket answers nothing; packets reach the container by firewall rules that look before the socket does. It is
/// closed by `exec` and shared by `fork`.
#[derive(Debug)]
pub struct Reservation {
    /// What is published by it.
    pub publication: Publication,
    socket: OwnedFd,
}

impl AsFd for Reservation {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Takes a host port for every request, in the network namespace of the calling thread; all of them or none.
///
/// A request without an address is bound on each of `default_addresses`, one reservation for each, all with the same host port:
/// one that is not free on all of them is not picked. Of identical requests one counts. The reservations come in the order of
/// the requests and addresses, but ports that were named are taken before any is picked, and single addresses before those that
/// stand for all, so that no pick gets in the way. A request for any port first tries the ports that `sticky`, what the
/// container had last time, shows for the same container port and one of the addresses; then the dynamic range of the namespace
/// from a random point on.
pub fn reserve(
    requests: &[PublishRequest],
    default_addresses: &[IpAddr],
    sticky: &[Publication],
) -> Result<Vec<Reservation>, ReservationError> {
    let default_addresses: Vec<IpAddr> =
        default_addresses.iter().map(IpAddr::to_canonical).collect();
    let wanted = distinct(requests, &default_addresses);
    refuse_conflicts(&wanted)?;
    let mut order: Vec<(usize, Wanted)> = wanted.into_iter().enumerate().collect();
    order.sort_by_key(|(_, wanted)| wanted.urgency(sticky));
    let mut taken = Vec::with_capacity(order.len());
    for (position, wanted) in order {
        taken.push((position, wanted.take(sticky)?));
    }
    taken.sort_by_key(|(position, _)| *position);
    Ok(taken
        .into_iter()
        .flat_map(|(_, reservations)| reservations)
        .collect())
}

/// A request whose addresses are settled.
#[derive(Debug, Clone, Copy)]
struct Wanted<'a> {
    request: &'a PublishRequest,
    addresses: &'a [IpAddr],
}

/// Who goes first: those with the least choice of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Choice {
    Named,
    Range,
    HadOneLastTime,
    Any,
}

/// Who goes first among those with the same choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Breadth {
    SingleAddresses,
    AllAddresses,
}

impl<'a> Wanted<'a> {
    fn urgency(&self, sticky: &[Publication]) -> (Choice, Breadth) {
        let choice = match self.request.host_port {
            HostPort::One(_) => Choice::Named,
            HostPort::Within(..) => Choice::Range,
            HostPort::Any if self.last_time(sticky).next().is_some() => Choice::HadOneLastTime,
            HostPort::Any => Choice::Any,
        };
        let breadth = if self.addresses.iter().any(IpAddr::is_unspecified) {
            Breadth::AllAddresses
        } else {
            Breadth::SingleAddresses
        };
        (choice, breadth)
    }

    /// The ports this request got before.
    fn last_time(self, sticky: &'a [Publication]) -> impl Iterator<Item = Port> + 'a {
        sticky
            .iter()
            .filter(move |publication| {
                publication.container == self.request.container
                    && self.addresses.contains(&publication.host_address)
            })
            .map(|publication| publication.host_port)
    }

    fn take(&self, sticky: &[Publication]) -> Result<Vec<Reservation>, ReservationError> {
        match self.request.host_port {
            HostPort::One(port) => self.bind(port),
            HostPort::Within(first, last) => {
                let range = PortRange { first, last };
                self.first_free(range.ports())?
                    .ok_or_else(|| self.exhausted(range))
            }
            HostPort::Any => match self.first_free(self.last_time(sticky))? {
                Some(reservations) => Ok(reservations),
                None => self.pick(&DynamicPorts::of_this_namespace()),
            },
        }
    }

    fn pick(&self, ports: &DynamicPorts) -> Result<Vec<Reservation>, ReservationError> {
        let start = u32::from_ne_bytes(random_bytes().map_err(ReservationError::Random)?);
        self.first_free(ports.circle(start))?
            .ok_or_else(|| self.exhausted(ports.range()))
    }

    /// The first of the ports that nobody has at any of the addresses. Any other trouble would be the same with the next, and
    /// ends the search.
    fn first_free(
        &self,
        mut ports: impl Iterator<Item = Port>,
    ) -> Result<Option<Vec<Reservation>>, ReservationError> {
        ports
            .find_map(|port| match self.bind(port) {
                Err(ReservationError::AddressInUse { .. }) => None,
                result => Some(result),
            })
            .transpose()
    }

    /// The port at all the addresses; what was bound before one failed is let go.
    fn bind(&self, port: Port) -> Result<Vec<Reservation>, ReservationError> {
        self.addresses
            .iter()
            .map(|address| {
                hold(Publication {
                    container: self.request.container,
                    host_address: *address,
                    host_port: port,
                })
            })
            .collect()
    }

    fn exhausted(&self, range: PortRange) -> ReservationError {
        ReservationError::RangeExhausted {
            addresses: self.addresses.to_vec(),
            first: range.first,
            last: range.last,
            protocol: self.request.container.protocol,
        }
    }

    /// The port it insists on, which nothing else may have on an address that overlaps.
    fn named_port(&self) -> Option<(Protocol, Port)> {
        match self.request.host_port {
            HostPort::One(port) => Some((self.request.container.protocol, port)),
            HostPort::Within(..) | HostPort::Any => None,
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.addresses.iter().any(|first| {
            let mut others = other.addresses.iter();
            others.any(|second| overlap(*first, *second))
        })
    }
}

fn hold(publication: Publication) -> Result<Reservation, ReservationError> {
    let protocol = publication.container.protocol;
    match bind_placeholder(publication.host_socket(), protocol) {
        Ok(socket) => Ok(Reservation {
            publication,
            socket,
        }),
        Err((step, errno)) => Err(failure(&publication, step, errno)),
    }
}

fn failure(publication: &Publication, step: PlaceholderStep, errno: Errno) -> ReservationError {
    let (address, port) = (publication.host_address, publication.host_port);
    let protocol = publication.container.protocol;
    match (step, errno) {
        (PlaceholderStep::Bind | PlaceholderStep::Listen, Errno::EADDRINUSE) => {
            ReservationError::AddressInUse {
                address,
                port,
                protocol,
            }
        }
        (PlaceholderStep::Bind, Errno::EADDRNOTAVAIL) => ReservationError::AddressNotAvailable {
            address,
            port,
            protocol,
        },
        (_, Errno::EACCES | Errno::EPERM) => ReservationError::Permission {
            address,
            port,
            protocol,
        },
        (PlaceholderStep::Create, Errno::EPROTONOSUPPORT | Errno::ESOCKTNOSUPPORT) => {
            ReservationError::ProtocolUnsupported {
                address,
                port,
                protocol,
            }
        }
        (PlaceholderStep::Create, Errno::EAFNOSUPPORT) => ReservationError::FamilyUnsupported {
            address,
            port,
            protocol,
        },
        (step, errno) => ReservationError::Socket {
            step,
            address,
            port,
            protocol,
            source: errno.into(),
        },
    }
}

/// The requests with their addresses settled, each once.
fn distinct<'a>(
    requests: &'a [PublishRequest],
    default_addresses: &'a [IpAddr],
) -> Vec<Wanted<'a>> {
    let mut seen = HashSet::new();
    requests
        .iter()
        .filter(|request| seen.insert(**request))
        .map(|request| Wanted {
            request,
            addresses: match &request.host_address {
                Some(address) => slice::from_ref(address),
                None => default_addresses,
            },
        })
        .collect()
}

/// Says so when two requests want the same host port, instead of blaming it on a port in use.
fn refuse_conflicts(wanted: &[Wanted]) -> Result<(), ReservationError> {
    let mut holders: HashMap<(Protocol, Port), Vec<&Wanted>> = HashMap::new();
    for second in wanted {
        let Some(port) = second.named_port() else {
            continue;
        };
        let same_port = holders.entry(port).or_default();
        if let Some(first) = same_port.iter().find(|first| first.overlaps(second)) {
            return Err(ReservationError::Conflict {
                first: *first.request,
                second: *second.request,
            });
        }
        same_port.push(second);
    }
    Ok(())
}
