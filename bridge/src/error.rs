//! What can go wrong with networks: one variant for each step, with the path, address or name in it.

use crate::atomic_file::AtomicFileError;
use crate::firewall::FirewallError;
use crate::id::ContainerIdError;
use crate::lease::LeaseError;
use crate::name::{ContainerName, NetworkName};
use crate::pool::PoolError;
use crate::reservation::ReservationError;
use minirun_netns::NetnsError;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a network operation failed.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// A file or directory of the state could not be used.
    #[error("cannot {action} `{}`: {error}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// The kernel's answer.
        error: io::Error,
    },
    /// There is no network of that name.
    #[error("no network is called `{0}`, and none has an id that begins so")]
    UnknownNetwork(String),
    /// `host` and `none` are no bridge networks.
    #[error("network `{0}` is no bridge network: it has no addresses and no ICC of its own")]
    NotABridge(String),
    /// Two programs want one host port.
    #[error("host port {wanted} is already published by container `{owner}`")]
    PortTaken {
        /// Address, port and protocol.
        wanted: String,
        /// The container that has it.
        owner: ContainerName,
    },
    /// A host port could not be reserved.
    #[error(transparent)]
    Reservation(#[from] ReservationError),
    /// No address could be leased.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The address asked for is another container's.
    #[error("address {address} belongs to container `{owner}`")]
    AddressTaken {
        /// The address.
        address: std::net::Ipv4Addr,
        /// Who has it.
        owner: String,
    },
    /// No subnet is free.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// Rules could not be changed.
    #[error(transparent)]
    Firewall(#[from] FirewallError),
    /// ICC off needs a driver that can enforce it.
    #[error("network `{network}` cannot keep its containers apart without a firewall driver")]
    CannotEnforce {
        /// The network.
        network: NetworkName,
    },
    /// Published ports need a driver that translates addresses.
    #[error("cannot publish ports of `{container}` without a firewall driver")]
    CannotPublish {
        /// The container.
        container: ContainerName,
    },
    /// A device went away while it was being used.
    #[error("the network device `{link}` disappeared right after it was made")]
    LinkVanished {
        /// The device.
        link: String,
    },
    /// No random identifier could be had.
    #[error(transparent)]
    Identifier(#[from] ContainerIdError),
    /// A record could not be read or written.
    #[error(transparent)]
    Record(#[from] AtomicFileError),
    /// An address that no container can have.
    #[error("address {address} is outside the subnet {subnet} of network `{network}`")]
    OutsideSubnet {
        /// The address.
        address: std::net::Ipv4Addr,
        /// The network's addresses.
        subnet: ipnet::Ipv4Net,
        /// The network.
        network: NetworkName,
    },
    /// An address that the network itself needs.
    #[error("address {address} of network `{network}` is reserved for the network itself")]
    ReservedAddress {
        /// The address.
        address: std::net::Ipv4Addr,
        /// The network.
        network: NetworkName,
    },
    /// The kernel refused a device, address, route or sysctl.
    #[error(transparent)]
    Netns(#[from] NetnsError),
}

impl NetworkError {
    pub(crate) fn file(action: &'static str, path: &Path, error: io::Error) -> NetworkError {
        NetworkError::File {
            action,
            path: path.to_path_buf(),
            error,
        }
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            NetworkError::UnknownNetwork(_) => {
                Some("`minirun network ls` lists the networks there are".into())
            }
            NetworkError::PortTaken { owner, .. } => Some(format!(
                "choose another host port, or stop it first: `minirun stop {owner}`"
            )),
            NetworkError::AddressTaken { .. } => {
                Some("leave out `--ip` to get a free address".into())
            }
            NetworkError::CannotEnforce { .. } | NetworkError::CannotPublish { .. } => {
                Some("set `firewall = \"auto\"` in minirun.toml".into())
            }
            NetworkError::Reservation(error) => error.hint(),
            NetworkError::Lease(error) => error.hint(),
            NetworkError::Pool(error) => error.hint(),
            NetworkError::Firewall(error) => error.hint(),
            NetworkError::Netns(error) => error.hint(),
            NetworkError::OutsideSubnet { subnet, .. } => Some(format!(
                "choose an address of {subnet}, or leave out `--ip`"
            )),
            NetworkError::LinkVanished { .. } => Some(
                "another program may manage it; tell that one to leave minirun's devices alone"
                    .into(),
            ),
            NetworkError::File { .. }
            | NetworkError::Identifier(_)
            | NetworkError::Record(_)
            | NetworkError::NotABridge(_)
            | NetworkError::ReservedAddress { .. } => None,
        }
    }
}
