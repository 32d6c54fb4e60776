//! The whole network configuration inside a namespace that has one interface beside loopback.
//!
//! # Theory of operation
//!
//! 1. Loopback is set up, and in the same breath the interface's number is asked for.
//! 2. Address, interface up and default route leave together. The kernel works through them in this order, and it must be this
//!    one: a route is only accepted through a link that is up and has an address in the gateway's network.
//! 3. The first refusal, in the order of sending, is the one that is reported; what comes after it failed because of it.

use std::net::Ipv4Addr;

use crate::address::{self, InterfaceAddress};
use crate::error::NetnsError;
use crate::explain::{Explain, Explanation};
use crate::link::{self, LinkIndex};
use crate::netlink::{Netlink, Request};
use crate::request_error::RequestError;
use crate::route;

/// What the inside of a namespace shall look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointAddress {
    /// The name of the interface, which must exist in the namespace.
    pub interface: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// How many leading bits of the address its network shares, 0 to 32.
    pub prefix_length: u8,
    /// The router of the default route; none for a network that leads nowhere.
    pub gateway: Option<Ipv4Addr>,
    /// How a reader can name the namespace, for words only: a path such as `/proc/4242/ns/net`.
    pub namespace_label: String,
}

/// Setting the loopback interface up, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BringUpLoopback {
    /// How a reader can name the namespace: a path such as `/proc/4242/ns/net`.
    pub namespace_label: String,
}

/// Sets up loopback and the interface, with its address and default route. `netlink` must have been opened in the namespace.
///
/// # Errors
///
/// Fails when there is no such interface or the kernel refuses one of the steps; the steps before that stay done.
pub fn configure_endpoint(
    netlink: &mut Netlink,
    endpoint: &EndpointAddress,
) -> Result<(), NetnsError> {
    let name = &endpoint.interface;
    let [loopback, found] = netlink.pipeline([
        link::up(LinkIndex::LOOPBACK),
        Request::existing(link::ask_for(name)),
    ]);
    loopback.map_err(|cause| set_up_failed("lo", cause))?;
    let found = found.map_err(|cause| NetnsError::FindLink {
        name: name.clone(),
        cause,
    })?;
    let index = link::links(found)
        .next()
        .map(|link| link.index)
        .ok_or_else(|| NetnsError::NoSuchLink { name: name.clone() })?;
    match endpoint.gateway {
        Some(gateway) => address_and_route(netlink, endpoint, (index, gateway)),
        None => address_alone(netlink, endpoint, index),
    }
}

/// Sets the loopback interface up; the kernel gives it 127.0.0.1 and ::1 itself.
///
/// # Errors
///
/// Fails when the kernel refuses.
pub fn bring_up_loopback(netlink: &mut Netlink) -> Result<(), NetnsError> {
    netlink.set_up(LinkIndex::LOOPBACK)
}

impl Explain for EndpointAddress {
    fn explain(&self) -> Explanation {
        let name = &self.interface;
        let address = self.interface_address();
        let mut sentence =
            format!("inside, set up loopback and `{name}` with the address {address}");
        let mut commands = vec![
            "ip link set lo up".to_string(),
            address::add_command(name, address),
            format!("ip link set {name} up"),
        ];
        if let Some(gateway) = self.gateway {
            sentence += &format!(", and send everything else to the gateway {gateway}");
            commands.push(route::default_command(name, gateway));
        }
        let enter = format!("nsenter --net={} ", self.namespace_label);
        let lines: Vec<String> = commands
            .iter()
            .map(|command| enter.clone() + command)
            .collect();
        Explanation {
            sentence,
            command: lines.join("\n"),
        }
    }
}

impl Explain for BringUpLoopback {
    fn explain(&self) -> Explanation {
        Explanation {
            sentence: "inside, set up loopback".to_string(),
            command: format!("nsenter --net={} ip link set lo up", self.namespace_label),
        }
    }
}

impl EndpointAddress {
    fn interface_address(&self) -> InterfaceAddress {
        InterfaceAddress {
            address: self.address,
            prefix_length: self.prefix_length,
        }
    }
}

fn address_and_route(
    netlink: &mut Netlink,
    endpoint: &EndpointAddress,
    (index, gateway): (LinkIndex, Ipv4Addr),
) -> Result<(), NetnsError> {
    let [addressed, up, routed] = netlink.pipeline([
        address::add(index, endpoint.interface_address()),
        link::up(index),
        route::add_default(index, gateway),
    ]);
    addressed.map_err(|cause| add_address_failed(endpoint, cause))?;
    up.map_err(|cause| set_up_failed(&endpoint.interface, cause))?;
    routed
        .map(drop)
        .map_err(|cause| NetnsError::AddDefaultRoute {
            gateway,
            name: endpoint.interface.clone(),
            cause,
        })
}

fn address_alone(
    netlink: &mut Netlink,
    endpoint: &EndpointAddress,
    index: LinkIndex,
) -> Result<(), NetnsError> {
    let [addressed, up] = netlink.pipeline([
        address::add(index, endpoint.interface_address()),
        link::up(index),
    ]);
    addressed.map_err(|cause| add_address_failed(endpoint, cause))?;
    up.map(drop)
        .map_err(|cause| set_up_failed(&endpoint.interface, cause))
}

fn add_address_failed(endpoint: &EndpointAddress, cause: RequestError) -> NetnsError {
    NetnsError::AddAddress {
        address: endpoint.interface_address(),
        name: endpoint.interface.clone(),
        cause,
    }
}

fn set_up_failed(name: &str, cause: RequestError) -> NetnsError {
    NetnsError::SetUp {
        name: name.to_string(),
        cause,
    }
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
