//! What can go wrong with a lease.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;

use crate::addressing::{ReservedAddress, host_bounds};
use crate::id::ContainerId;

/// Why an address could not be leased, released or looked up.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// The address is not one of this network.
    #[error("address `{address}` is not in the subnet `{subnet}`")]
    OutsideSubnet {
        /// The address asked for.
        address: IpAddr,
        /// The addresses the network has.
        subnet: IpNet,
    },
    /// The address has a meaning of its own.
    #[error("address `{address}` is the {what} of `{subnet}`")]
    Reserved {
        /// The address asked for.
        address: IpAddr,
        /// The addresses the network has.
        subnet: IpNet,
        /// What the address is for.
        what: ReservedAddress,
    },
    /// Another container has the address.
    #[error("address `{address}` is taken by container `{}`", owner.short())]
    Taken {
        /// The address asked for.
        address: IpAddr,
        /// Who has it.
        owner: ContainerId,
    },
    /// Every address of the network, or of its range, is leased.
    #[error(
        "no address is left in the {}: {held} of its addresses {} leased",
        Pool(*subnet, *range),
        if *held == 1 { "is" } else { "are" }
    )]
    Exhausted {
        /// The addresses the network has.
        subnet: IpNet,
        /// The part of them that is given to containers that ask for none, if not all.
        range: Option<IpNet>,
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
                let (first, last) = host_bounds(*subnet);
                Some(format!("choose an address from `{first}` to `{last}`"))
            }
            Self::Reserved { .. } => Some("choose another address".to_owned()),
            Self::Taken { owner, .. } => Some(format!(
                "choose another address, or remove container `{}`",
                owner.short()
            )),
            Self::Exhausted {
                subnet,
                range: Some(range),
                ..
            } => Some(format!(
                "remove containers that are no longer used, or choose an address of `{subnet}` outside `{range}` with `--ip`"
            )),
            Self::Exhausted { range: None, .. } => Some(
                "remove containers that are no longer used, or give the network a larger subnet"
                    .to_owned(),
            ),
            Self::Corrupt { path } => Some(format!("remove `{}`", path.display())),
            Self::Io { .. } => None,
        }
    }
}

/// Where addresses are taken from, in words.
struct Pool(IpNet, Option<IpNet>);

impl fmt::Display for Pool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(range) => write!(formatter, "range `{range}` of the subnet `{}`", self.0),
            None => write!(formatter, "subnet `{}`", self.0),
        }
    }
}
