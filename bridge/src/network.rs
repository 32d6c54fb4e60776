//! A network's definition: what was decided when it was made, and what `network update` changes.

use crate::error::NetworkError;
use crate::id::ContainerId;
use crate::name::NetworkName;
use ipnet::Ipv4Net;
use minirun_netns::MacAddress;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::time::{SystemTime, UNIX_EPOCH};

/// The name of the network that every container joins unless told otherwise.
pub const DEFAULT_NETWORK: &str = "bridge";

/// The bridge device of the default network.
pub const DEFAULT_BRIDGE: &str = "minirun0";

/// Inter-container communication: whether endpoints of one network reach each other without a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Icc {
    /// The bridge switches between its ports at full speed.
    Enabled,
    /// Ports are isolated; only links open a way.
    Disabled,
}

impl From<bool> for Icc {
    fn from(enabled: bool) -> Icc {
        if enabled { Icc::Enabled } else { Icc::Disabled }
    }
}

impl fmt::Display for Icc {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Icc::Enabled => "true",
            Icc::Disabled => "false",
        })
    }
}

/// Whether packets that leave the network get the host's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Masquerade {
    /// The world sees the host's address.
    Enabled,
    /// The world sees the container's address and must know the way to it.
    Disabled,
}

impl From<bool> for Masquerade {
    fn from(enabled: bool) -> Masquerade {
        if enabled {
            Masquerade::Enabled
        } else {
            Masquerade::Disabled
        }
    }
}

impl fmt::Display for Masquerade {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Masquerade::Enabled => "true",
            Masquerade::Disabled => "false",
        })
    }
}

/// One network, saved as `networks/<name>.json`; once made, the record is the truth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Sixty-four hexadecimal digits, as containers have.
    pub id: ContainerId,
    /// The name users type.
    pub name: NetworkName,
    /// When it was made, in seconds since 1970-01-01 UTC.
    pub created_seconds: u64,
    /// The Linux bridge device.
    pub bridge: String,
    /// The bridge's MAC, pinned so that neighbours never hold a stale one.
    pub bridge_mac: MacAddress,
    /// The IPv4 addresses of the network.
    pub subnet: Ipv4Net,
    /// The bridge's own address, the containers' default route.
    pub gateway: Ipv4Addr,
    /// Bytes in one packet on the bridge and in the containers.
    pub mtu: u32,
    /// Whether endpoints reach each other without a link.
    pub icc: Icc,
    /// Whether the host's address hides the containers'.
    pub masquerade: Masquerade,
    /// Where `-p` binds when no address is given.
    pub publish_address: Ipv4Addr,
    /// What users noted on it.
    pub labels: BTreeMap<String, String>,
}

impl Network {
    /// Whether a container may have an address.
    ///
    /// # Errors
    /// [`NetworkError::OutsideSubnet`] and [`NetworkError::ReservedAddress`].
    pub fn check_address(&self, address: Ipv4Addr) -> Result<(), NetworkError> {
        let network = self.name.clone();
        if !self.subnet.contains(&address) {
            return Err(NetworkError::OutsideSubnet {
                address,
                subnet: self.subnet,
                network,
            });
        }
        let reserved = [self.gateway, self.subnet.network(), self.subnet.broadcast()];
        if reserved.contains(&address) {
            return Err(NetworkError::ReservedAddress { address, network });
        }
        Ok(())
    }

    /// The address of the bridge with the prefix of the network.
    pub fn gateway_with_prefix(&self) -> String {
        format!("{}/{}", self.gateway, self.subnet.prefix_len())
    }
}

/// Seconds since 1970-01-01 UTC by the host's clock.
pub(crate) fn now_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}
