//! Why a host port could not be reserved, and what to do about it.

use std::fmt;
use std::io;
use std::net::Ipv4Addr;

use crate::port::{Port, Protocol};
use crate::publish::PublishRequest;

/// A step on the way to the socket that holds a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceholderStep {
    /// `socket`
    Create,
    /// `setsockopt` with `SO_ATTACH_FILTER`
    Filter,
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
    #[error("cannot publish on host port `{address}:{port}/{protocol}`: the port is in use")]
    AddressInUse {
        /// The host address, `0.0.0.0` for all.
        address: Ipv4Addr,
        /// The host port.
        port: Port,
        /// The protocol.
        protocol: Protocol,
    },
    /// The host has no such address.
    #[error(
        "cannot publish on host port `{address}:{port}/{protocol}`: this host has no address `{address}`"
    )]
    AddressNotAvailable {
        /// The address that is not this host's.
        address: Ipv4Addr,
        /// The host port.
        port: Port,
        /// The protocol.
        protocol: Protocol,
    },
    /// Every port of the range is in use or reserved.
    #[error(
        "cannot publish on host address `{address}`: every {protocol} port from {first} to {last} is in use"
    )]
    RangeExhausted {
        /// The host address, `0.0.0.0` for all.
        address: Ipv4Addr,
        /// The lowest port that was tried.
        first: Port,
        /// The highest port that was tried.
        last: Port,
        /// The protocol.
        protocol: Protocol,
    },
    /// The kernel does not let this user have the port.
    #[error("cannot publish on host port `{address}:{port}/{protocol}`: permission denied")]
    Permission {
        /// The host address, `0.0.0.0` for all.
        address: Ipv4Addr,
        /// The host port.
        port: Port,
        /// The protocol.
        protocol: Protocol,
    },
    /// The kernel was built or started without the protocol; that happens with sctp.
    #[error(
        "cannot publish on host port `{address}:{port}/{protocol}`: the kernel has no {protocol}"
    )]
    ProtocolUnsupported {
        /// The host address, `0.0.0.0` for all.
        address: Ipv4Addr,
        /// The host port.
        port: Port,
        /// The protocol.
        protocol: Protocol,
    },
    /// The socket that holds the port could not be made, for a reason none of the others names.
    #[error(
        "cannot publish on host port `{address}:{port}/{protocol}`: cannot {step} the socket that holds it: {source}"
    )]
    Socket {
        /// What was tried.
        step: PlaceholderStep,
        /// The host address, `0.0.0.0` for all.
        address: Ipv4Addr,
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
            Self::AddressNotAvailable { .. } => Some(
                "`ip -brief address` lists the addresses of this host; `0.0.0.0` stands for all"
                    .to_owned(),
            ),
            Self::RangeExhausted { .. } => {
                Some("name a free host port, or a wider range, such as `8000-8100:80`".to_owned())
            }
            Self::Permission { .. } => Some(
                "run as root, or give a host port that needs no privilege, such as 8080".to_owned(),
            ),
            Self::ProtocolUnsupported { protocol, .. } => {
                Some(format!("load its module: `modprobe {protocol}`"))
            }
            Self::Conflict { .. } | Self::Socket { .. } | Self::Random(_) => None,
        }
    }
}
