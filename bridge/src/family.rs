//! The two families of addresses.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Addresses of 32 bits.
    Ipv4,
    /// Addresses of 128 bits.
    Ipv6,
}

impl Family {
    /// Both, in the order in which they are decided.
    pub const BOTH: [Family; 2] = [Family::Ipv4, Family::Ipv6];

    /// The family that somebody meant who typed this, whether or not it is an address. No IPv4 address has a colon, every IPv6 address has.
    pub(crate) fn of_text(text: &str) -> Family {
        if text.contains(':') {
            Family::Ipv6
        } else {
            Family::Ipv4
        }
    }

    /// The family of an address.
    pub fn of(address: IpAddr) -> Family {
        match address {
            IpAddr::V4(_) => Family::Ipv4,
            IpAddr::V6(_) => Family::Ipv6,
        }
    }

    pub(crate) fn of_net(net: IpNet) -> Family {
        Family::of(net.addr())
    }
}

impl fmt::Display for Family {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Family::Ipv4 => "IPv4",
            Family::Ipv6 => "IPv6",
        })
    }
}
