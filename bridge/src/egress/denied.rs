//! What `--egress-deny` says: networks, and the group of all that are not the internet.

use super::EgressError;
use super::allowed::write_list;
use super::destination::parse_network;
use crate::serde_as_string::serde_as_string;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// What may not be reached; displayed and saved as `none`, or a list with commas.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denied(pub BTreeSet<Denial>);

/// One entry of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Denial {
    /// All addresses that are no public ones.
    Private,
    /// These addresses.
    Network(IpNet),
}

/// The word for the group.
const PRIVATE: &str = "private";
/// The word for nothing.
const NOTHING: &str = "none";

/// The IPv4 addresses that nobody on the internet has (RFC 6890): this network, private, shared (CGNAT), loopback, link-local
/// with the metadata service of clouds, private, protocol assignments, private, benchmarking, multicast, reserved.
const PRIVATE_IPV4: [(Ipv4Addr, u8); 11] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The same for IPv6: loopback with all forms that hold an IPv4 address below it, local NAT64, 6to4, which holds an IPv4
/// address as well, unique local, link-local, site-local, multicast.
const PRIVATE_IPV6: [(Ipv6Addr, u8); 8] = [
    (Ipv6Addr::UNSPECIFIED, 64),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64),
];

/// The first 96 bits of an address that a translator leads to the IPv4 address behind them (NAT64, RFC 6052).
const TRANSLATED: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];

impl Denied {
    /// All addresses that are denied.
    pub fn networks(&self) -> BTreeSet<IpNet> {
        let networks = self.0.iter().flat_map(|denial| match denial {
            Denial::Private => private_networks(),
            Denial::Network(network) => vec![*network],
        });
        networks.collect()
    }
}

fn private_networks() -> Vec<IpNet> {
    let ipv4 = PRIVATE_IPV4.map(|(address, length)| Ipv4Net::new_assert(address, length));
    let ipv6 = PRIVATE_IPV6.map(|(address, length)| Ipv6Net::new_assert(address, length));
    ipv4.into_iter()
        .map(IpNet::V4)
        .chain(ipv6.into_iter().map(IpNet::V6))
        .chain(ipv4.map(translated).map(IpNet::V6))
        .collect()
}

/// The IPv6 addresses by which a translator makes an IPv4 network reachable.
fn translated(network: Ipv4Net) -> Ipv6Net {
    let [a, b, c, d, e, f] = TRANSLATED;
    let [one, two, three, four] = network.addr().octets();
    let (high, low) = (
        u16::from_be_bytes([one, two]),
        u16::from_be_bytes([three, four]),
    );
    Ipv6Net::new_assert(
        Ipv6Addr::new(a, b, c, d, e, f, high, low),
        96 + network.prefix_len(),
    )
}

impl FromStr for Denied {
    type Err = EgressError;

    fn from_str(text: &str) -> Result<Denied, EgressError> {
        let words: Vec<&str> = text.split(',').collect();
        if words == [NOTHING] {
            return Ok(Denied::default());
        }
        if words.contains(&NOTHING) {
            return Err(EgressError::NotAlone(NOTHING.into()));
        }
        let denials: Result<BTreeSet<Denial>, EgressError> =
            words.into_iter().map(str::parse).collect();
        denials.map(Denied)
    }
}

impl FromStr for Denial {
    type Err = EgressError;

    fn from_str(word: &str) -> Result<Denial, EgressError> {
        match word {
            "" => Err(EgressError::Empty),
            PRIVATE => Ok(Denial::Private),
            word => parse_network(word)?
                .map(Denial::Network)
                .ok_or_else(|| EgressError::NotANetwork(word.into())),
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Denial::Private => formatter.write_str(PRIVATE),
            Denial::Network(network) => network.fmt(formatter),
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(formatter, &self.0)
    }
}

serde_as_string!(Denied);
