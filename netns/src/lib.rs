//! Network namespaces and what is inside them: links, addresses, routes, neighbours and sysctls.
//!
//! This is the thin typed layer between minirun and the kernel's network configuration. A [`Namespace`] is an open network
//! namespace; a [`Netlink`] is a connection into one, made in the namespace of the calling thread or in a given one, and it
//! keeps talking to that namespace wherever the thread goes later. What shall exist is first a value ([`BridgeDevice`],
//! [`VethPair`], [`EndpointAddress`], [`SysctlChange`] …), which a method of [`Netlink`] or [`Sysctl`] then makes true. Every
//! such value can say itself ([`Explain`]): one sentence, and the command that a person would type for the same.
//!
//! Data flows one way: value → `netlink-packet-route` message → `rtnetlink` connection → kernel; replies come back as plain
//! values ([`Link`], [`Route`] …), a refusal as a [`NetnsError`] that names the thing and keeps the kernel's error number.
//! The asynchronous runtime that `rtnetlink` needs lives inside each [`Netlink`] and nobody else sees it.
//!
//! Invariant: this crate knows nothing of containers, networks or policy, and touches no file outside `/proc`.

pub mod address;
pub mod bridge_device;
pub mod bridge_port;
pub mod endpoint;
pub mod error;
pub mod explain;
pub mod link;
pub mod mac;
pub mod namespace;
pub mod neighbour;
pub mod netlink;
pub mod request_error;
pub mod route;
#[cfg(test)]
mod scratch;
pub mod sysctl;
pub mod veth_pair;

pub use address::{AddAddress, InterfaceAddress};
pub use bridge_device::BridgeDevice;
pub use bridge_port::{BridgePort, Hairpin, Isolation, SetBridgePort};
pub use endpoint::{BringUpLoopback, EndpointAddress, bring_up_loopback, configure_endpoint};
pub use error::NetnsError;
pub use explain::{Explain, Explanation, Narrator, Silent};
pub use link::{DeleteLink, Link, LinkIndex, LinkKind, SetLinkDown, SetLinkUp};
pub use mac::{MacAddress, MacAddressError};
pub use namespace::Namespace;
pub use neighbour::FlushNeighbours;
pub use netlink::Netlink;
pub use request_error::RequestError;
pub use route::{AddDefaultRoute, Destination, Route};
pub use sysctl::{Ensured, Sysctl, SysctlChange};
pub use veth_pair::{VethIndexes, VethPair};
