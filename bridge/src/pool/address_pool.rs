//! Ranges that subnets are cut from.

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

/// The longest prefix that still holds a network, a gateway, a container and a broadcast address.
const LONGEST_PREFIX: u8 = 30;

/// A range of IPv4 addresses that is cut into subnets of one size, one for each network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PoolText")]
pub struct AddressPool {
    /// The whole range, for instance 172.16.0.0/12.
    pub base: Ipv4Net,
    /// Prefix length of the subnets cut from it, for instance 24; at least that of `base`, at most 30.
    pub size: u8,
}

impl AddressPool {
    /// Checks that subnets of this size can be cut from this range and that each has room for a gateway and a container.
    pub fn new(base: Ipv4Net, size: u8) -> Result<Self, AddressPoolError> {
        if base != base.trunc() {
            return Err(AddressPoolError::HostBits {
                base,
                network: base.trunc(),
            });
        }
        if size < base.prefix_len() || size > LONGEST_PREFIX {
            return Err(AddressPoolError::Size { base, size });
        }
        Ok(Self { base, size })
    }
}

/// Why a range and a size make no pool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressPoolError {
    /// The base is an address inside a network, not the network itself.
    #[error("pool base `{base}` has host bits set; write `{network}`")]
    HostBits {
        /// The base as given.
        base: Ipv4Net,
        /// The network it lies in.
        network: Ipv4Net,
    },
    /// Subnets of that size do not fit into the base or are too small to be used.
    #[error("pool size {size} does not fit `{base}`; write a prefix length from {} to {LONGEST_PREFIX}", base.prefix_len())]
    Size {
        /// The range that was to be cut.
        base: Ipv4Net,
        /// The prefix length asked for.
        size: u8,
    },
    /// The base is not an IPv4 network at all.
    #[error("invalid pool base `{base}`; write a network such as `172.16.0.0/12`")]
    Base {
        /// The text as given.
        base: String,
    },
}

/// A pool as the configuration file has it, not checked yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PoolText {
    base: String,
    size: u8,
}

impl TryFrom<PoolText> for AddressPool {
    type Error = AddressPoolError;

    fn try_from(text: PoolText) -> Result<Self, Self::Error> {
        let base = text
            .base
            .parse()
            .map_err(|_| AddressPoolError::Base { base: text.base })?;
        Self::new(base, text.size)
    }
}
