//! What can go wrong with a lease, and what an address that cannot be leased is for.

use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use ipnet::Ipv4Net;

use super::LONGEST_PREFIX_WITH_BROADCAST;
use crate::id::ContainerId;

/// What an address that no container may have is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReservedAddress {
    /// The first address of the subnet, which names the network.
    Network,
    /// The last address of the subnet, which reaches everybody in it.
    Broadcast,
    /// The address of the bridge.
    Gateway,
}

impl fmt::Display for ReservedAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Network => "network address",
            Self::Broadcast => "broadcast address",
            Self::Gateway => "gateway",
        })
    }
}

/// Why an address could not be leased, released or looked up.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// The address is not one of this network.
    #[error("address `{address}` is not in the subnet `{subnet}`")]
    OutsideSubnet {
        /// The address asked for.
        address: Ipv4Addr,
        /// The addresses the network has.
        subnet: Ipv4Net,
    },
    /// The address has a meaning of its own.
    #[error("address `{address}` is the {what} of `{subnet}`")]
    Reserved {
        /// The address asked for.
        address: Ipv4Addr,
        /// The addresses the network has.
        subnet: Ipv4Net,
        /// What the address is for.
        what: ReservedAddress,
    },
    /// Another container has the address.
    #[error("address `{address}` is taken by container `{}`", owner.short())]
    Taken {
        /// The address asked for.
        address: Ipv4Addr,
        /// Who has it.
        owner: ContainerId,
    },
    /// Every address of the network is leased.
    #[error(
        "no address is left in the subnet `{subnet}`: {held} of its addresses {} leased",
        if *held == 1 { "is" } else { "are" }
    )]
    Exhausted {
        /// The addresses the network has.
        subnet: Ipv4Net,
        /// How many of them are leased.
        held: usize,
    },
    /// A lease exists but names no container.
    #[error("lease `{}` names no container", path.display())]
    Corrupt {
        /// The symbolic link that cannot be understood.
        path: PathBuf,
    },
    /// The lease directory could not be read or written.
    #[error("cannot use the lease `{}`: {source}", path.display())]
    Io {
        /// The file or directory in question.
        path: PathBuf,
        /// What the kernel answered.
        source: io::Error,
    },
}

impl LeaseError {
    /// What can be done about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::OutsideSubnet { subnet, .. } => {
                let (first, last) = usable_range(*subnet);
                Some(format!("choose an address from `{first}` to `{last}`"))
            }
            Self::Reserved { .. } => Some("choose another address".to_owned()),
            Self::Taken { owner, .. } => Some(format!(
                "choose another address, or remove container `{}`",
                owner.short()
            )),
            Self::Exhausted { .. } => Some(
                "remove containers that are no longer used, or give the network a larger subnet"
                    .to_owned(),
            ),
            Self::Corrupt { path } => Some(format!("remove `{}`", path.display())),
            Self::Io { .. } => None,
        }
    }
}

/// The first and the last address that has no meaning of its own, the gateway not considered.
fn usable_range(subnet: Ipv4Net) -> (Ipv4Addr, Ipv4Addr) {
    if subnet.prefix_len() > LONGEST_PREFIX_WITH_BROADCAST {
        return (subnet.network(), subnet.broadcast());
    }
    let first = u32::from(subnet.network()) + 1;
    let last = u32::from(subnet.broadcast()) - 1;
    (first.into(), last.into())
}
