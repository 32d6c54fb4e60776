//! A network's definition: what was decided when it was made, and what `network update` changes.

use crate::addressing::Addressing;
use crate::error::NetworkError;
pub use crate::family::Family;
use crate::id::ContainerId;
use crate::name::NetworkName;
pub use crate::network_options::{GatewayMode, Names, Reach};
use crate::segment::{Segment, SegmentDevices};
use minirun_netns::MacAddress;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
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

/// Whose the bridge device is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ownership {
    /// It was made for the network and goes with it.
    #[default]
    Own,
    /// It was there before, and stays.
    Adopted {
        /// The addresses that it had already, of both families.
        addresses: Vec<IpAddr>,
        /// The kernel's settings that it had and that are changed for the network, by their paths below `/proc/sys`.
        settings: BTreeMap<String, String>,
    },
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
    /// How many further bridges it has grown by, because one has not enough ports for its containers.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub segments: u16,
    /// The bridge's MAC, pinned so that neighbours never hold a stale one; not set on an adopted bridge.
    pub bridge_mac: MacAddress,
    /// Whose the bridge is.
    pub ownership: Ownership,
    /// The IPv4 addresses, with the bridge's own as gateway.
    pub ipv4: Addressing,
    /// The IPv6 addresses, if the network has any.
    pub ipv6: Option<Addressing>,
    /// Bytes in one packet on the bridge and in the containers.
    pub mtu: u32,
    /// Whether endpoints reach each other without a link.
    pub icc: Icc,
    /// Whether the host's address hides the containers'.
    pub masquerade: Masquerade,
    /// How published ports are reached.
    pub gateway_mode: GatewayMode,
    /// Whether there is a way out of the network, and into it.
    pub reach: Reach,
    /// How containers find each other's addresses.
    pub names: Names,
    /// Where `-p` binds when no address is given; none means every address of the host.
    pub publish_address: Option<IpAddr>,
    /// What users noted on it.
    pub labels: BTreeMap<String, String>,
    /// The options that the user gave, as typed.
    pub options: BTreeMap<String, String>,
}

impl Network {
    /// The addresses of one family.
    pub fn addressing(&self, family: Family) -> Option<&Addressing> {
        match family {
            Family::Ipv4 => Some(&self.ipv4),
            Family::Ipv6 => self.ipv6.as_ref(),
        }
    }

    /// The families it has, with their addresses, IPv4 first.
    pub fn families(&self) -> impl Iterator<Item = (Family, &Addressing)> {
        Family::BOTH
            .into_iter()
            .filter_map(|family| Some((family, self.addressing(family)?)))
    }

    /// Its further bridges, in the order they were made.
    pub fn segments(&self) -> impl Iterator<Item = (Segment, SegmentDevices)> {
        Segment::further(self.segments).map(|segment| (segment, segment.devices(&self.id)))
    }

    /// The bridge that the containers of a segment are on.
    pub fn bridge_of(&self, segment: Segment) -> String {
        match self.devices_of(segment) {
            Some(devices) => devices.bridge,
            None => self.bridge.clone(),
        }
    }

    /// What a further segment consists of; none for the main bridge.
    pub(crate) fn devices_of(&self, segment: Segment) -> Option<SegmentDevices> {
        (!segment.is_main()).then(|| segment.devices(&self.id))
    }

    /// The bridge's own addresses, IPv4 first.
    pub fn gateways(&self) -> Vec<IpAddr> {
        self.families()
            .map(|(_, addressing)| addressing.gateway)
            .collect()
    }

    /// Whether it is the one that every container joins unless told otherwise.
    pub fn is_default(&self) -> bool {
        self.name.as_str() == DEFAULT_NETWORK
    }

    /// Whether a container may have an address.
    ///
    /// # Errors
    /// [`NetworkError::OutsideSubnet`], [`NetworkError::ReservedAddress`], and [`NetworkError::NoIpv6`].
    pub fn check_address(&self, address: IpAddr) -> Result<(), NetworkError> {
        let network = self.name.clone();
        let Some(addressing) = self.addressing(Family::of(address)) else {
            return Err(NetworkError::NoIpv6 { network });
        };
        if !addressing.contains(address) {
            return Err(NetworkError::OutsideSubnet {
                address,
                subnet: addressing.subnet,
                network,
            });
        }
        match addressing.reserved(address) {
            Some(purpose) => Err(NetworkError::ReservedAddress {
                address,
                purpose,
                network,
            }),
            None => Ok(()),
        }
    }
}

fn is_zero(number: &u16) -> bool {
    *number == 0
}

/// Seconds since 1970-01-01 UTC by the host's clock.
pub(crate) fn now_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}
