//! The network configuration of one interface inside a namespace, and of loopback.
//!
//! # Theory of operation
//!
//! 1. Loopback up, addresses, interface up and default routes leave together. The kernel works through them in this order, and
//!    it must be this one: a route is only accepted through a link that is up and has an address in the gateway's network.
//! 2. For an IPv6 address, the last thing is to wait until it can be used, which is a moment after the kernel's answer.
//! 3. The first refusal, in the order of sending, is the one that is reported; what comes after it failed because of it.

use std::fmt;
use std::net::IpAddr;

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
    /// Its addresses, at most one of each family.
    pub addresses: Vec<InterfaceAddress>,
    /// The routers of the default routes through it, at most one of each family; none for a network that leads nowhere or
    /// where another interface leads out.
    pub gateways: Vec<IpAddr>,
    /// How a reader can name the namespace, for words only: a path such as `/proc/4242/ns/net`.
    pub namespace_label: String,
}

/// Setting the loopback interface up, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BringUpLoopback {
    /// How a reader can name the namespace: a path such as `/proc/4242/ns/net`.
    pub namespace_label: String,
}

/// Sets up loopback and the interface, which is looked up by its name, with its addresses and default routes. `netlink` must
/// have been opened in the namespace.
///
/// # Errors
///
/// Fails when there is no such interface or the kernel refuses one of the steps; the steps before that stay done.
pub fn configure_endpoint(
    netlink: &mut Netlink,
    endpoint: &EndpointAddress,
) -> Result<(), NetnsError> {
    let name = &endpoint.interface;
    let link = netlink.find_link(name)?;
    let index = link
        .map(|link| link.index)
        .ok_or_else(|| NetnsError::NoSuchLink { name: name.clone() })?;
    configure_interface(netlink, index, endpoint)
}

/// As [`configure_endpoint`], for an interface whose number is known.
///
/// # Errors
///
/// As [`configure_endpoint`].
pub fn configure_interface(
    netlink: &mut Netlink,
    index: LinkIndex,
    endpoint: &EndpointAddress,
) -> Result<(), NetnsError> {
    let mut steps = vec![Step::Loopback];
    steps.extend(endpoint.addresses.iter().copied().map(Step::Address));
    steps.push(Step::Up);
    steps.extend(endpoint.gateways.iter().copied().map(Step::Route));
    let outcomes = netlink.request_each(steps.iter().map(|step| step.request(index)));
    for (step, outcome) in steps.iter().zip(outcomes) {
        outcome.map_err(|cause| step.failed(&endpoint.interface, cause))?;
    }
    for step in &steps {
        step.settle(netlink)
            .map_err(|cause| step.failed(&endpoint.interface, cause))?;
    }
    Ok(())
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
        let mut sentence = format!("inside, set up loopback and `{name}`");
        if !self.addresses.is_empty() {
            sentence += &format!(" with {}", listed("the address", "es", &self.addresses));
        }
        if !self.gateways.is_empty() {
            let gateways = listed("the gateway", "s", &self.gateways);
            sentence += &format!(", and send everything else to {gateways}");
        }
        let mut commands = vec!["ip link set lo up".to_string()];
        let addresses = self.addresses.iter();
        commands.extend(addresses.map(|address| address::add_command(name, *address)));
        commands.push(format!("ip link set {name} up"));
        let gateways = self.gateways.iter();
        commands.extend(gateways.map(|gateway| route::default_command(name, *gateway)));
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

/// `the gateway 172.17.0.1`, `the gateways 172.17.0.1 and fd00::1`.
fn listed<T: fmt::Display>(noun: &str, plural: &str, things: &[T]) -> String {
    let ending = if things.len() == 1 { "" } else { plural };
    let things: Vec<String> = things.iter().map(T::to_string).collect();
    format!("{noun}{ending} {}", things.join(" and "))
}

/// One request of those that leave together.
enum Step {
    Loopback,
    Address(InterfaceAddress),
    Up,
    Route(IpAddr),
}

impl Step {
    fn request(&self, index: LinkIndex) -> Request {
        match self {
            Step::Loopback => link::up(LinkIndex::LOOPBACK),
            Step::Address(address) => address::add(index, *address),
            Step::Up => link::up(index),
            Step::Route(gateway) => route::add_default(index, *gateway),
        }
    }

    /// Waits until the step has its effect, where the kernel says so too early.
    fn settle(&self, netlink: &mut Netlink) -> Result<(), RequestError> {
        match self {
            Step::Address(InterfaceAddress {
                address: IpAddr::V6(address),
                ..
            }) => netlink.wait_until_local(*address),
            _ => Ok(()),
        }
    }

    fn failed(&self, name: &str, cause: RequestError) -> NetnsError {
        let name = name.to_string();
        match *self {
            Step::Loopback => NetnsError::SetUp {
                name: "lo".to_string(),
                cause,
            },
            Step::Address(address) => NetnsError::AddAddress {
                address,
                name,
                cause,
            },
            Step::Up => NetnsError::SetUp { name, cause },
            Step::Route(gateway) => NetnsError::AddDefaultRoute {
                gateway,
                name,
                cause,
            },
        }
    }
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
