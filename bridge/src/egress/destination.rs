//! One destination: a network, and ports if not all that is there is meant.

use super::{Attempt, EgressError};
use crate::network::Family;
use crate::port::{ExposedPort, Port, PortRange, Protocol, split_protocol};
use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Ports of one protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ports {
    /// The protocol.
    pub protocol: Protocol,
    /// The lowest of them.
    pub first: Port,
    /// The highest of them.
    pub last: Port,
}

/// Where connections may be opened to; displayed and saved as `192.0.2.0/24:443/tcp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Destination {
    /// The addresses.
    pub network: IpNet,
    /// The ports; none means everything, whatever the protocol.
    pub ports: Option<Ports>,
}

/// The port of DNS servers.
const NAMES: u16 = 53;

impl Destination {
    /// Whether an attempt is one to this destination.
    pub fn includes(&self, attempt: &Attempt) -> bool {
        let meets = |ports: Ports| attempt.port.is_some_and(|port| ports.include(port));
        self.network.contains(&attempt.address) && self.ports.is_none_or(meets)
    }

    /// What it takes to ask a name server.
    pub(super) fn name_server(server: IpAddr) -> impl Iterator<Item = Destination> {
        let protocols = [Protocol::Udp, Protocol::Tcp].into_iter();
        protocols
            .zip(Port::new(NAMES).into_iter().cycle())
            .map(move |(protocol, port)| Destination {
                network: server.into(),
                ports: Some(Ports {
                    protocol,
                    first: port,
                    last: port,
                }),
            })
    }

    /// The family of its addresses.
    pub fn family(&self) -> Family {
        Family::of(self.network.addr())
    }
}

impl Ports {
    fn include(self, port: ExposedPort) -> bool {
        self.protocol == port.protocol && (self.first..=self.last).contains(&port.port)
    }
}

/// Reads an address or a network, and insists on the network's own address.
pub(super) fn parse_network(text: &str) -> Result<Option<IpNet>, EgressError> {
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => match text.parse::<IpNet>() {
            Ok(network) => network,
            Err(_) => return Ok(None),
        },
    };
    if network.trunc() != network {
        return Err(EgressError::HostBits {
            text: text.into(),
            network: network.trunc(),
        });
    }
    match network.addr() {
        IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => {
            Err(EgressError::Mapped(text.into()))
        }
        _ => Ok(Some(network)),
    }
}

impl FromStr for Destination {
    type Err = EgressError;

    fn from_str(text: &str) -> Result<Destination, EgressError> {
        let refuse = || EgressError::NotADestination(text.into());
        if let Some(network) = parse_network(text)? {
            return Ok(Destination {
                network,
                ports: None,
            });
        }
        let (network, ports) = match text.strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or_else(refuse)?,
            // An IPv6 address without brackets has been read already, or is none.
            None => match text.split_once(':') {
                Some((network, _)) => text.split_at(network.len()),
                None => return Err(without_port(text)?.unwrap_or_else(refuse)),
            },
        };
        let network = parse_network(network)?.ok_or_else(refuse)?;
        if network.addr().is_ipv6() != text.starts_with('[') {
            return Err(refuse());
        }
        let ports = match ports {
            "" => None,
            ports => Some(parse_ports(
                ports.strip_prefix(':').ok_or_else(refuse)?,
                text,
            )?),
        };
        Ok(Destination { network, ports })
    }
}

/// What to say of an address with a protocol behind it.
fn without_port(text: &str) -> Result<Option<EgressError>, EgressError> {
    let Some((network, protocol)) = text.rsplit_once('/') else {
        return Ok(None);
    };
    let is_meant = parse_network(network)?.is_some() && protocol.parse::<Protocol>().is_ok();
    Ok(is_meant.then(|| EgressError::ProtocolAlone(text.into())))
}

fn parse_ports(ports: &str, text: &str) -> Result<Ports, EgressError> {
    let refuse = |problem| EgressError::Port {
        text: text.into(),
        problem,
    };
    let (range, protocol) = split_protocol(ports).map_err(refuse)?;
    let PortRange { first, last } = range.parse().map_err(refuse)?;
    Ok(Ports {
        protocol,
        first,
        last,
    })
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.ports, self.family()) {
            (None, _) => write!(formatter, "{}", self.network),
            (Some(ports), Family::Ipv4) => write!(formatter, "{}:{ports}", self.network),
            (Some(ports), Family::Ipv6) => write!(formatter, "[{}]:{ports}", self.network),
        }
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ports {
            protocol,
            first,
            last,
        } = self;
        match first == last {
            true => write!(formatter, "{first}/{protocol}"),
            false => write!(formatter, "{first}-{last}/{protocol}"),
        }
    }
}
