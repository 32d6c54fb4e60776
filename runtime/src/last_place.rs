//! Where a container was on its networks, so that it is there again after its next start.

use minirun_bridge::name::NetworkName;
use minirun_bridge::publication::Publication;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a container takes up again at its next start, saved as `last.json` beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastPlace {
    /// The addresses it had, by network.
    pub addresses: BTreeMap<NetworkName, LastAddresses>,
    /// The host ports it had; while it runs, those that its monitor holds.
    pub publications: Vec<Publication>,
}

/// The addresses that a container had on a network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastAddresses {
    /// The IPv4 address.
    pub ipv4: Option<Ipv4Addr>,
    /// The IPv6 address.
    pub ipv6: Option<Ipv6Addr>,
}

impl LastAddresses {
    /// Both, IPv4 first.
    pub fn all(&self) -> Vec<IpAddr> {
        let ipv4 = self.ipv4.map(IpAddr::V4);
        ipv4.into_iter().chain(self.ipv6.map(IpAddr::V6)).collect()
    }
}
