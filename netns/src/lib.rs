//! Network namespaces and what is inside them: links, addresses, routes, neighbours and sysctls.
//!
//! This is the thin typed layer between minirun and the kernel's network configuration. A [`Namespace`] is an open network
//! namespace; a [`Netlink`] is a connection into one, made in the namespace of the calling thread or in a given one, and it
//! keeps talking to that namespace wherever the thread goes later. What shall exist is first a value ([`BridgeDevice`],
//! [`VethPair`], [`EndpointAddress`], [`SysctlChange`] …), which a method of [`Netlink`] or [`Sysctl`] then makes true. Every
//! such value can say itself ([`Explain`]): one sentence, and the command that a person would type for the same.
//!
//! Data flows one way: value → `netlink-packet-route` message → blocking socket → kernel; replies come back as plain values
//! ([`Link`], [`Route`] …), a refusal as a [`NetnsError`] that names the thing and keeps the kernel's error number. The packet
//! filter and connection tracking are asked through short-lived sockets of their own ([`netfilter`]).
//!
//! Invariant: this crate knows nothing of containers, networks or policy, and touches no file outside `/proc`.

pub mod address;
pub mod bridge_cable;
pub mod bridge_device;
pub mod bridge_port;
pub mod bridge_station;
mod carrier;
mod datagram;
pub mod endpoint;
pub mod error;
mod error_hint;
mod error_number;
pub mod explain;
mod family;
pub mod ipv6;
pub mod link;
pub mod link_words;
mod local_route;
pub mod mac;
pub mod namespace;
pub mod neighbour;
pub mod netfilter;
pub mod netlink;
pub mod orphaned_connections;
#[cfg(test)]
mod packet_socket;
pub mod proxy_neighbour;
pub mod request_error;
pub mod route;
#[cfg(test)]
mod scratch;
pub mod sysctl;
pub mod veth_pair;

pub use address::{AddAddress, InterfaceAddress, RemoveAddress};
pub use bridge_cable::BridgeCable;
pub use bridge_device::BridgeDevice;
pub use bridge_port::{BridgePort, Hairpin, Isolation, Learning, SetBridgePort};
pub use bridge_station::{PinStation, UnpinStation};
pub use endpoint::{
    BringUpLoopback, EndpointAddress, bring_up_loopback, configure_endpoint, configure_interface,
};
pub use error::NetnsError;
pub use explain::{Explain, Explanation, Narrator, Silent};
pub use ipv6::{Ipv6, interface_settings, prepare_interface, prepare_new_interface};
pub use link::{Ipv4Settings, Link, LinkIndex, LinkKind};
pub use link_words::{DeleteLink, SetController, SetLinkDown, SetLinkUp};
pub use mac::{MacAddress, MacAddressError};
pub use namespace::Namespace;
pub use neighbour::FlushNeighbours;
pub use netfilter::{
    ForgetFlows, PortRedirect, REDIRECT_TABLE, UdpPort, forget_flows, ruleset_generation,
};
pub use netlink::Netlink;
pub use orphaned_connections::has_orphaned_connections;
pub use proxy_neighbour::{ProxyNeighbour, RemoveProxyNeighbour};
pub use request_error::RequestError;
pub use route::{
    AddDefaultRoute, DefaultRoute, DefaultRoutes, Destination, Route, set_default_routes,
};
pub use sysctl::{Ensured, Sysctl, SysctlChange};
pub use veth_pair::{VethIndexes, VethPair};
