//! The addresses of one family that a network has, and what each of them may be used for.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// How many bits a subnet leaves to its hosts before its outermost addresses get a meaning of their own. Networks of two addresses have
/// neither a broadcast address (RFC 3021) nor an anycast address of their routers (RFC 6164).
const HOST_BITS_WITH_RESERVED_ENDS: u8 = 2;

/// The IPv4 or IPv6 addresses of a network. All four fields are of one family; whoever makes one has checked that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addressing {
    /// Every address of the network.
    pub subnet: IpNet,
    /// The bridge's own address, the containers' default route.
    pub gateway: IpAddr,
    /// The part of the subnet from which containers get an address that did not ask for a certain one; none means all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<IpNet>,
    /// Addresses that belong to somebody who is no container, by what users call them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub auxiliary: BTreeMap<String, IpAddr>,
}

/// What an address that no container may have is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReservedAddress {
    /// The first address of an IPv4 subnet, which names the network.
    Network,
    /// The first address of an IPv6 subnet, which reaches the nearest of its routers (RFC 4291, section 2.6.1).
    RouterAnycast,
    /// The last address of an IPv4 subnet, which reaches everybody in it.
    Broadcast,
    /// The address of the bridge.
    Gateway,
    /// An auxiliary address, by its name.
    Auxiliary(String),
}

impl fmt::Display for ReservedAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Network => "network address",
            Self::RouterAnycast => "anycast address of the routers",
            Self::Broadcast => "broadcast address",
            Self::Gateway => "gateway",
            Self::Auxiliary(name) => return write!(formatter, "auxiliary address `{name}`"),
        })
    }
}

impl Addressing {
    /// A subnet with a gateway, all of it for containers.
    pub fn new(subnet: IpNet, gateway: IpAddr) -> Self {
        Self {
            subnet: subnet.trunc(),
            gateway,
            range: None,
            auxiliary: BTreeMap::new(),
        }
    }

    /// Whether an address lies in the subnet. One of the other family never does.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.subnet.contains(&address)
    }

    /// What an address is for, if no container may have it.
    pub fn reserved(&self, address: IpAddr) -> Option<ReservedAddress> {
        if address == self.gateway {
            return Some(ReservedAddress::Gateway);
        }
        reserved_end(self.subnet, address).or_else(|| {
            self.auxiliary
                .iter()
                .find(|(_, auxiliary)| **auxiliary == address)
                .map(|(name, _)| ReservedAddress::Auxiliary(name.clone()))
        })
    }

    /// Where addresses come from that nobody asked for by number.
    pub fn range_or_subnet(&self) -> IpNet {
        self.range.unwrap_or(self.subnet)
    }

    /// The first and the last address of the subnet that are not reserved for what they are.
    pub fn hosts(&self) -> (IpAddr, IpAddr) {
        host_bounds(self.subnet)
    }
}

/// The meaning an address has because it is the first or the last of its subnet.
pub(crate) fn reserved_end(subnet: IpNet, address: IpAddr) -> Option<ReservedAddress> {
    if !has_reserved_ends(subnet) {
        return None;
    }
    match subnet {
        IpNet::V4(_) if address == subnet.network() => Some(ReservedAddress::Network),
        IpNet::V4(_) if address == subnet.broadcast() => Some(ReservedAddress::Broadcast),
        IpNet::V6(_) if address == subnet.network() => Some(ReservedAddress::RouterAnycast),
        IpNet::V4(_) | IpNet::V6(_) => None,
    }
}

/// The first and the last address of a subnet that have no meaning as such.
pub(crate) fn host_bounds(subnet: IpNet) -> (IpAddr, IpAddr) {
    let (first, last) = number_bounds(subnet);
    match subnet {
        _ if !has_reserved_ends(subnet) => (subnet.network(), subnet.broadcast()),
        IpNet::V4(_) => (
            from_number(subnet, first + 1),
            from_number(subnet, last - 1),
        ),
        IpNet::V6(_) => (from_number(subnet, first + 1), from_number(subnet, last)),
    }
}

/// The first and the last address of a network as numbers. Counting in 128 bits serves both families without overflow.
pub(crate) fn number_bounds(net: IpNet) -> (u128, u128) {
    (to_number(net.network()), to_number(net.broadcast()))
}

/// An address as a number.
pub(crate) fn to_number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// The address with this number, of the family of `net`. Numbers beyond IPv4 cannot come from an IPv4 network.
pub(crate) fn from_number(net: IpNet, number: u128) -> IpAddr {
    match (net, u32::try_from(number)) {
        (IpNet::V4(_), Ok(number)) => IpAddr::V4(number.into()),
        _ => IpAddr::V6(number.into()),
    }
}

fn has_reserved_ends(subnet: IpNet) -> bool {
    subnet.max_prefix_len() - subnet.prefix_len() >= HOST_BITS_WITH_RESERVED_ENDS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addressing(subnet: &str, gateway: &str) -> Addressing {
        Addressing::new(subnet.parse().unwrap(), gateway.parse().unwrap())
    }

    #[test]
    fn an_address_says_what_it_is_for() {
        let mut ipv4 = addressing("10.0.0.0/24", "10.0.0.254");
        ipv4.auxiliary
            .insert("printer".to_owned(), "10.0.0.9".parse().unwrap());
        let ipv6 = addressing("fd00::/64", "fd00::1");
        for (addressing, address, meaning) in [
            (&ipv4, "10.0.0.0", Some("network address")),
            (&ipv4, "10.0.0.255", Some("broadcast address")),
            (&ipv4, "10.0.0.254", Some("gateway")),
            (&ipv4, "10.0.0.9", Some("auxiliary address `printer`")),
            (&ipv4, "10.0.0.1", None),
            (&ipv6, "fd00::", Some("anycast address of the routers")),
            (&ipv6, "fd00::1", Some("gateway")),
            (&ipv6, "fd00::ffff:ffff:ffff:ffff", None),
        ] {
            let reserved = addressing.reserved(address.parse().unwrap());
            let words = reserved.map(|reserved| reserved.to_string());
            assert_eq!(words.as_deref(), meaning, "{address}");
        }
    }

    #[test]
    fn two_addresses_are_too_few_for_reserved_ones() {
        let ipv4 = addressing("10.0.0.0/31", "10.0.0.0");
        assert_eq!(ipv4.reserved("10.0.0.1".parse().unwrap()), None);
        let ipv6 = addressing("fd00::/127", "fd00::1");
        assert_eq!(ipv6.reserved("fd00::".parse().unwrap()), None);
    }

    #[test]
    fn the_hosts_leave_out_what_is_reserved_for_what_it_is() {
        for (subnet, first, last) in [
            ("10.0.0.0/24", "10.0.0.1", "10.0.0.254"),
            ("10.0.0.0/31", "10.0.0.0", "10.0.0.1"),
            ("255.255.255.0/24", "255.255.255.1", "255.255.255.254"),
            ("fd00::/64", "fd00::1", "fd00::ffff:ffff:ffff:ffff"),
            ("::/0", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ] {
            let bounds = host_bounds(subnet.parse().unwrap());
            assert_eq!(bounds, (first.parse().unwrap(), last.parse().unwrap()));
        }
    }

    #[test]
    fn an_address_of_the_other_family_is_outside() {
        let ipv4 = addressing("0.0.0.0/0", "10.0.0.1");
        assert!(!ipv4.contains("::1".parse().unwrap()));
        assert!(ipv4.contains("255.255.255.255".parse().unwrap()));
    }

    #[test]
    fn what_is_saved_leaves_out_what_is_not_there() {
        let ipv6 = addressing("fd00::/64", "fd00::1");
        let text = serde_json::to_string(&ipv6).unwrap();
        assert_eq!(text, r#"{"subnet":"fd00::/64","gateway":"fd00::1"}"#);
        assert_eq!(serde_json::from_str::<Addressing>(&text).unwrap(), ipv6);
    }
}
