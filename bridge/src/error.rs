//! What can go wrong with networks: one variant for each step, with the path, address or name in it.

use crate::addressing::ReservedAddress;
use crate::atomic_file::AtomicFileError;
use crate::firewall::FirewallError;
use crate::id::ContainerIdError;
use crate::lease::LeaseError;
use crate::name::{ContainerName, NetworkName};
use crate::network_request::NetworkProblems;
use crate::pool::PoolError;
use crate::publication::Publication;
use crate::reservation::ReservationError;
use minirun_netns::NetnsError;
use std::io;
use std::net::IpAddr;
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
    #[error(
        "network `{0}` is built in and no bridge network: it has no addresses and no ICC, and cannot be changed or removed"
    )]
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
    /// Every address is somebody's.
    #[error("network `{network}` is full: {error}")]
    Full {
        /// The network.
        network: NetworkName,
        /// What is full.
        error: LeaseError,
    },
    /// No address could be leased.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The address asked for is another container's.
    #[error("address {address} belongs to container `{owner}`")]
    AddressTaken {
        /// The address.
        address: IpAddr,
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
    /// What a container may reach needs a driver that refuses packets.
    #[error("cannot restrict what a container may reach without a firewall driver")]
    CannotRestrict,
    /// Published ports need a driver that translates addresses.
    #[error("cannot publish ports of `{container}` without a firewall driver")]
    CannotPublish {
        /// The container.
        container: ContainerName,
    },
    /// The bridges of a network have as many ports as they can have.
    #[error("network `{network}` is full: its bridges have no port left")]
    NoPortLeft {
        /// The network.
        network: NetworkName,
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
    /// No random bytes could be had.
    #[error("cannot get random bytes from the kernel: {0}")]
    Random(io::Error),
    /// A record could not be read or written.
    #[error(transparent)]
    Record(#[from] AtomicFileError),
    /// An address that no container can have.
    #[error("address {address} is outside the subnet {subnet} of network `{network}`")]
    OutsideSubnet {
        /// The address.
        address: IpAddr,
        /// The network's addresses.
        subnet: ipnet::IpNet,
        /// The network.
        network: NetworkName,
    },
    /// An address that the network itself needs.
    #[error("address {address} of network `{network}` is its {purpose}")]
    ReservedAddress {
        /// The address.
        address: IpAddr,
        /// What it is for.
        purpose: ReservedAddress,
        /// The network.
        network: NetworkName,
    },
    /// An IPv6 address on a network that has none.
    #[error("network `{network}` has no IPv6 addresses")]
    NoIpv6 {
        /// The network.
        network: NetworkName,
    },
    /// The kernel sends packets for `::1` nowhere else.
    #[error(
        "cannot publish {publication}: the kernel lets nothing that is sent to `::1` leave the host"
    )]
    CannotPublishOnLoopback {
        /// What was asked for.
        publication: Publication,
    },
    /// An IPv6 host port for a container without an IPv6 address.
    #[error("cannot publish {publication}: container `{container}` has no IPv6 address")]
    CannotPublishIpv6 {
        /// What was asked for.
        publication: Publication,
        /// The container.
        container: ContainerName,
    },
    /// Nothing of what was asked for can be made.
    #[error(transparent)]
    Problems(#[from] NetworkProblems),
    /// The network is in use.
    #[error("network `{network}` has running containers: {}", list(containers))]
    InUse {
        /// The network.
        network: NetworkName,
        /// The containers.
        containers: Vec<ContainerName>,
    },
    /// `bridge`, `host` and `none` are always there.
    #[error("network `{0}` is built in and cannot be removed")]
    BuiltIn(NetworkName),
    /// The container is on the network.
    #[error("container `{container}` is on network `{network}` already")]
    AlreadyConnected {
        /// The container.
        container: ContainerName,
        /// The network.
        network: NetworkName,
    },
    /// The container is not on the network.
    #[error("container `{container}` is not on network `{network}`")]
    NotConnected {
        /// The container.
        container: ContainerName,
        /// The network.
        network: NetworkName,
    },
    /// The bridge that a network adopted has gone.
    #[error("the bridge `{bridge}`, which network `{network}` uses, does not exist any more")]
    AdoptedBridgeMissing {
        /// The network.
        network: NetworkName,
        /// The bridge.
        bridge: String,
    },
    /// A device of this name is there, and is no bridge.
    #[error("the device `{0}` is there already and is no bridge")]
    NotABridgeDevice(String),
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

    /// Whether the kernel says that a bridge has no port left.
    pub(crate) fn says_bridge_is_full(&self) -> bool {
        match self {
            NetworkError::Netns(error) => error.raw_os_error() == Some(libc::EXFULL),
            _ => false,
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
            NetworkError::CannotEnforce { .. }
            | NetworkError::CannotRestrict
            | NetworkError::CannotPublish { .. } => Some(
                "leave out `--iptables=false`, or set `firewall = \"auto\"` in minirun.toml".into(),
            ),
            NetworkError::Reservation(error) => error.hint(),
            NetworkError::Lease(error) | NetworkError::Full { error, .. } => error.hint(),
            NetworkError::Pool(error) => error.hint(),
            NetworkError::Firewall(error) => error.hint(),
            NetworkError::Netns(error) => error.hint(),
            NetworkError::NoIpv6 { .. } => {
                Some("create a network with `--ipv6`, and connect the container to that".into())
            }
            NetworkError::CannotPublishIpv6 { .. } => {
                Some("connect it to a network that was created with `--ipv6`".into())
            }
            NetworkError::CannotPublishOnLoopback { .. } => {
                Some("publish it on `127.0.0.1`, or on `[::]` for other hosts".into())
            }
            NetworkError::InUse { network, .. } => Some(format!(
                "stop or disconnect them first, or use `minirun network rm --force {network}`"
            )),
            NetworkError::OutsideSubnet { subnet, .. } => Some(format!(
                "choose an address of {subnet}, or leave out `--ip`"
            )),
            NetworkError::NoPortLeft { .. } => {
                Some("connect the container to another network: `minirun network create`".into())
            }
            NetworkError::LinkVanished { .. } => Some(
                "another program may manage it; tell that one to leave minirun's devices alone"
                    .into(),
            ),
            NetworkError::File { .. }
            | NetworkError::Identifier(_)
            | NetworkError::Random(_)
            | NetworkError::Record(_)
            | NetworkError::NotABridge(_)
            | NetworkError::Problems(_)
            | NetworkError::BuiltIn(_)
            | NetworkError::AlreadyConnected { .. }
            | NetworkError::NotConnected { .. }
            | NetworkError::AdoptedBridgeMissing { .. }
            | NetworkError::NotABridgeDevice(_)
            | NetworkError::ReservedAddress { .. } => None,
        }
    }
}

/// Names, as a sentence has them.
fn list(names: &[ContainerName]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
