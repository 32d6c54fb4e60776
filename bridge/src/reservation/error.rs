//! Why a host port could not be reserved, and what to do about it.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};

use crate::bracketed::Bracketed;
use crate::port::{Port, Protocol};
use crate::publish::PublishRequest;

/// A step on the way to the socket that holds a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceholderStep {
    /// `socket`
    Create,
    /// `setsockopt` with `SO_ATTACH_FILTER`
    Filter,
    /// `setsockopt` with `IPV6_V6ONLY`
    Restrict,
    /// `setsockopt` with `SO_REUSEADDR`
    Reuse,
    /// `bind`
    Bind,
    /// `listen`
    Listen,
}

impl fmt::Display for PlaceholderStep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Create => "create",
            Self::Filter => "set the filter of",
            Self::Restrict => "keep IPv4 off",
            Self::Reuse => "set address reuse for",
            Self::Bind => "bind",
            Self::Listen => "listen on",
        })
    }
}

/// Why a host port could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ReservationError {
    /// Two requests of the same container exclude each other.
    #[error(
        "cannot publish both `{first}` and `{second}`: they want the same host port; leave one out or give it another host port"
    )]
    Conflict {
        /// The request that was given first.
        first: PublishRequest,
        /// The one that cannot be met beside it.
        second: PublishRequest,
    },
    /// Another program, or another container, has the port.
    #[error("cannot publish on host port `{}/{protocol}`: the port is in use", SocketAddr::new(*address, port.get()))]
    AddressInUse {
        /// The host address, `0.0.0.0` or `::` for all of its family.
        address: IpAddr,
        /// The host port.
        port: Port,
        /// The protocol.
        protocol: Protocol,
    },
    /// The host has no such address.
    #[error(
        "cannot publish on host port `{}/{protocol}`: this host has no address `{address}`",
        SocketAddr::new(*address, port.get())
    )]
    AddressNotAvailable {
        /// The address that is not this host's.
        address: IpAddr,
        /// The host port.
        port: Port,
        /// The protocol.
        protocol: Protocol,
    },
    /// No port of the range is free at all the addresses.
    #[error(
        "cannot publish on host address {}: every {protocol} port from {first} to {last} is in use",
        listed(addresses)
    )]
    RangeExhausted {
        /// The host addresses that want the same port; `0.0.0.0` and `::` for all of their family.
        addresses: Vec<IpAddr>,
        /// The lowest port that was tried.
        first: Port,
        /// The highest port that was tried.
        last: Port,
        /// The protocol.
        protocol: Protocol,
    },
    /// The kernel does not let this user have the port.
    #[error("cannot publish on host port `{}/{protocol}`: permission denied", SocketAddr::new(*address, port.get()))]
    Permission {
        /// The host address, `0.0.0.0` or `::` for all of its family.
        address: IpAddr,
        /// The host port.
        port: Port,
        /// The protocol.
        protocol: Protocol,
    },
    /// The kernel was built or started without the protocol; that happens with sctp.
    #[error(
        "cannot publish on host port `{}/{protocol}`: the kernel has no {protocol}",
        SocketAddr::new(*address, port.get())
    )]
    ProtocolUnsupported {
        /// The host address, `0.0.0.0` or `::` for all of its family.
        address: IpAddr,
        /// The host port.
        port: Port,
        /// The protocol.
        protocol: Protocol,
    },
    /// The kernel was built or started without IPv6.
    #[error("cannot publish on host port `{}/{protocol}`: the kernel has no IPv6", SocketAddr::new(*address, port.get()))]
    FamilyUnsupported {
        /// The host address.
        address: IpAddr,
        /// The host port.
        port: Port,
        /// The protocol.
        protocol: Protocol,
    },
    /// The socket that holds the port could not be made, for a reason none of the others names.
    #[error(
        "cannot publish on host port `{}/{protocol}`: cannot {step} the socket that holds it: {source}",
        SocketAddr::new(*address, port.get())
    )]
    Socket {
        /// What was tried.
        step: PlaceholderStep,
        /// The host address, `0.0.0.0` or `::` for all of its family.
        address: IpAddr,
        /// The host port.
        port: Port,
        /// The protocol.
        protocol: Protocol,
        /// What the kernel answered.
        source: io::Error,
    },
    /// The kernel gave no random bytes to begin the search for a free port with.
    #[error("cannot pick a host port: no random bytes from the kernel: {0}")]
    Random(io::Error),
}

impl ReservationError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::AddressInUse { port, protocol, .. } => {
                let listing = match protocol {
                    Protocol::Tcp => "ss -Hltnp",
                    Protocol::Sctp => "ss -HlSnp",
                    Protocol::Udp => "ss -Hlunp",
                };
                Some(format!(
                    "give another host port, or stop what holds this one; `{listing} sport = :{port}` names it"
                ))
            }
            Self::AddressNotAvailable { address, .. } => {
                let all = if address.is_ipv4() { "0.0.0.0" } else { "[::]" };
                Some(format!(
                    "`ip -brief address` lists the addresses of this host; `{all}` stands for all"
                ))
            }
            Self::RangeExhausted { .. } => {
                Some("name a free host port, or a wider range, such as `8000-8100:80`".to_owned())
            }
            Self::Permission { .. } => Some(
                "run as root, or give a host port that needs no privilege, such as 8080".to_owned(),
            ),
            Self::FamilyUnsupported { .. } => {
                Some("publish on an IPv4 address, such as `127.0.0.1:8080:80`".to_owned())
            }
            Self::ProtocolUnsupported { protocol, .. } => {
                Some(format!("load its module: `modprobe {protocol}`"))
            }
            Self::Conflict { .. } | Self::Socket { .. } | Self::Random(_) => None,
        }
    }
}

/// The addresses as people write them: "`0.0.0.0` and `[::]`".
fn listed(addresses: &[IpAddr]) -> String {
    let quoted: Vec<String> = addresses
        .iter()
        .map(|address| format!("`{}`", Bracketed(*address)))
        .collect();
    quoted.join(" and ")
}
