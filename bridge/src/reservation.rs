//! Takes the host ports that a container publishes, for real: each is a bound socket, so no other program can get it,
//! and one that another program has is found out before any rule is written.

mod dynamic_ports;
mod error;
mod placeholder;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;

use crate::port::{ExposedPort, Port, PortRange, Protocol};
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
/// Requests without an address use `default_address`, and of identical requests one counts. The reservations come in
/// the order of the requests, but ports that were named are taken before any is picked, so that no pick gets in the
/// way. A request for any port first tries the port that `sticky`, what the container had last time, shows for the
/// same container port and address; then the dynamic range of the namespace from a random point on.
pub fn reserve(
    requests: &[PublishRequest],
    default_address: Ipv4Addr,
    sticky: &[Publication],
) -> Result<Vec<Reservation>, ReservationError> {
    let wanted = distinct(requests, default_address);
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
        .map(|(_, reservation)| reservation)
        .collect())
}

/// A request whose address is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Wanted {
    address: Ipv4Addr,
    host_port: HostPort,
    container: ExposedPort,
}

/// Who goes first: those with the least choice, and narrow addresses before `0.0.0.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    NamedOnOneAddress,
    Named,
    Range,
    HadOneLastTime,
    Any,
}

impl Wanted {
    fn urgency(&self, sticky: &[Publication]) -> Urgency {
        match self.host_port {
            HostPort::One(_) if !self.address.is_unspecified() => Urgency::NamedOnOneAddress,
            HostPort::One(_) => Urgency::Named,
            HostPort::Within(..) => Urgency::Range,
            HostPort::Any if self.last_time(sticky).next().is_some() => Urgency::HadOneLastTime,
            HostPort::Any => Urgency::Any,
        }
    }

    /// The ports this request got before.
    fn last_time<'a>(&'a self, sticky: &'a [Publication]) -> impl Iterator<Item = Port> + 'a {
        sticky
            .iter()
            .filter(|publication| {
                publication.container == self.container && publication.host_address == self.address
            })
            .map(|publication| publication.host_port)
    }

    fn take(&self, sticky: &[Publication]) -> Result<Reservation, ReservationError> {
        match self.host_port {
            HostPort::One(port) => self.bind(port),
            HostPort::Within(first, last) => {
                let range = PortRange { first, last };
                self.first_free(range.ports())?
                    .ok_or_else(|| self.exhausted(range))
            }
            HostPort::Any => match self.first_free(self.last_time(sticky))? {
                Some(reservation) => Ok(reservation),
                None => self.pick(&DynamicPorts::of_this_namespace()),
            },
        }
    }

    fn pick(&self, ports: &DynamicPorts) -> Result<Reservation, ReservationError> {
        let start = u32::from_ne_bytes(random_bytes().map_err(ReservationError::Random)?);
        self.first_free(ports.circle(start))?
            .ok_or_else(|| self.exhausted(ports.range()))
    }

    /// The first of the ports that nobody has. Any other trouble would be the same with the next, and ends the search.
    fn first_free(
        &self,
        mut ports: impl Iterator<Item = Port>,
    ) -> Result<Option<Reservation>, ReservationError> {
        ports
            .find_map(|port| match self.bind(port) {
                Err(ReservationError::AddressInUse { .. }) => None,
                result => Some(result),
            })
            .transpose()
    }

    fn bind(&self, port: Port) -> Result<Reservation, ReservationError> {
        let socket = bind_placeholder(
            SocketAddrV4::new(self.address, port.get()),
            self.container.protocol,
        )
        .map_err(|(step, errno)| self.failure(port, step, errno))?;
        let publication = Publication {
            container: self.container,
            host_address: self.address,
            host_port: port,
        };
        Ok(Reservation {
            publication,
            socket,
        })
    }

    fn failure(&self, port: Port, step: PlaceholderStep, errno: Errno) -> ReservationError {
        let (address, protocol) = (self.address, self.container.protocol);
        match (step, errno) {
            (PlaceholderStep::Bind | PlaceholderStep::Listen, Errno::EADDRINUSE) => {
                ReservationError::AddressInUse {
                    address,
                    port,
                    protocol,
                }
            }
            (PlaceholderStep::Bind, Errno::EADDRNOTAVAIL) => {
                ReservationError::AddressNotAvailable {
                    address,
                    port,
                    protocol,
                }
            }
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
            (step, errno) => ReservationError::Socket {
                step,
                address,
                port,
                protocol,
                source: errno.into(),
            },
        }
    }

    fn exhausted(&self, range: PortRange) -> ReservationError {
        let (address, protocol) = (self.address, self.container.protocol);
        ReservationError::RangeExhausted {
            address,
            first: range.first,
            last: range.last,
            protocol,
        }
    }

    /// The port it insists on, which nothing else may have on an address that overlaps.
    fn named_port(&self) -> Option<(Protocol, Port)> {
        match self.host_port {
            HostPort::One(port) => Some((self.container.protocol, port)),
            HostPort::Within(..) | HostPort::Any => None,
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.address == other.address
            || self.address.is_unspecified()
            || other.address.is_unspecified()
    }

    fn request(&self) -> PublishRequest {
        PublishRequest {
            host_address: Some(self.address),
            host_port: self.host_port,
            container: self.container,
        }
    }
}

/// The requests with their addresses settled, each once.
fn distinct(requests: &[PublishRequest], default_address: Ipv4Addr) -> Vec<Wanted> {
    let mut seen = HashSet::new();
    requests
        .iter()
        .map(|request| Wanted {
            address: request.host_address.unwrap_or(default_address),
            host_port: request.host_port,
            container: request.container,
        })
        .filter(|wanted| seen.insert(*wanted))
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
                first: first.request(),
                second: second.request(),
            });
        }
        same_port.push(second);
    }
    Ok(())
}
