//! Routes of both families: those the host has, and the default routes of a namespace.
//!
//! The kernel shows every route as a message; `message` reads one. `default_route` adds and replaces default routes.

mod default_route;
mod message;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::route::{RouteFlags, RouteMessage, RouteProtocol, RouteType};

use crate::error::NetnsError;
use crate::family::{Family, is_link_local};
use crate::link::LinkIndex;
use crate::netlink::Netlink;

pub use default_route::{AddDefaultRoute, DefaultRoute, DefaultRoutes, set_default_routes};
pub(crate) use default_route::{add_default, default_command};
use message::{destination, is_main_default, metric, output, table};

/// The addresses that a route leads to. Written as `10.0.0.0/8` or `fd00::/64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    /// The first address; the bits behind the prefix are zero.
    pub address: IpAddr,
    /// How many leading bits all of them share: 0 to 32 for IPv4, 0 to 128 for IPv6.
    pub prefix_length: u8,
}

/// A route as the kernel shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where it leads to.
    pub destination: Destination,
    /// The routing table it is in; 254 is the main one.
    pub table: u32,
    /// The name of the link it leads through, of the first one if there are several; none for a route without a link.
    pub interface: Option<String>,
}

impl Netlink {
    /// The routes of every table, IPv4 before IPv6, as the kernel lists them: the networks that this host already has or knows
    /// a way to, its own addresses, and what it refuses to send to anybody. Left out are default routes, broadcast and multicast
    /// routes, and what every host has: routes into 127.0.0.0/8, ::1, fe80::/10 and ff00::/8.
    ///
    /// # Errors
    ///
    /// Fails when the kernel refuses to list routes or links.
    pub fn host_routes(&mut self) -> Result<Vec<Route>, NetnsError> {
        let mut messages = self.route_messages(Family::V4)?;
        messages.extend(self.route_messages(Family::V6)?);
        messages.retain(holds_addresses);
        let mut names = BTreeMap::new();
        let mut routes = Vec::new();
        for message in messages {
            let destination = destination(&message);
            if destination.prefix_length == 0 || is_everywhere(destination.address) {
                continue;
            }
            let interface = match output(&message) {
                Some(index) => self.remembered_name(&mut names, index)?,
                None => None,
            };
            let table = table(&message);
            routes.push(Route {
                destination,
                table,
                interface,
            });
        }
        Ok(routes)
    }

    /// The MTU, in bytes, of the link that the main table's preferred IPv4 default route leads through: the one with the
    /// lowest metric. None if there is no such route.
    ///
    /// # Errors
    ///
    /// Fails when the kernel refuses to list routes or to show the link.
    pub fn default_route_mtu(&mut self) -> Result<Option<u32>, NetnsError> {
        let routes = self.unicast_routes(Family::V4)?;
        let preferred = routes
            .iter()
            .filter(|message| is_main_default(message))
            .min_by_key(|message| metric(message));
        let Some(index) = preferred.and_then(output) else {
            return Ok(None);
        };
        let link = self
            .link_by_index(index)
            .map_err(|cause| NetnsError::FindLink {
                name: format!("#{index}"),
                cause,
            })?;
        Ok(link.map(|link| link.mtu))
    }

    /// The names of the links through which an IPv6 default route of any table was learnt from a router's advertisement, by
    /// the kernel or by a program that marks its routes so (`RTPROT_RA`); each once, in order. Such a route goes away when the
    /// kernel begins to forward, unless the link's `accept_ra` is 2 (Documentation/networking/ip-sysctl.rst of the kernel).
    ///
    /// # Errors
    ///
    /// Fails when the kernel refuses to list routes or links.
    pub fn advertised_default_routes(&mut self) -> Result<Vec<String>, NetnsError> {
        let mut names = BTreeMap::new();
        let mut found = BTreeSet::new();
        for message in self.unicast_routes(Family::V6)? {
            let is_advertised = message.header.protocol == RouteProtocol::Ra
                && message.header.destination_prefix_length == 0;
            if is_advertised && let Some(index) = output(&message) {
                found.extend(self.remembered_name(&mut names, index)?);
            }
        }
        Ok(found.into_iter().collect())
    }

    fn unicast_routes(&mut self, family: Family) -> Result<Vec<RouteMessage>, NetnsError> {
        let mut routes = self.route_messages(family)?;
        routes.retain(|message| message.header.kind == RouteType::Unicast);
        Ok(routes)
    }

    /// Every route of a family, of whatever type and table.
    fn route_messages(&mut self, family: Family) -> Result<Vec<RouteMessage>, NetnsError> {
        let mut question = RouteMessage::default();
        question.header.address_family = family.code();
        let replies = self
            .dump(RouteNetlinkMessage::GetRoute(question))
            .map_err(|cause| NetnsError::ListRoutes { cause })?;
        Ok(replies
            .into_iter()
            .filter_map(|reply| match reply {
                RouteNetlinkMessage::NewRoute(message) => Some(message),
                _ => None,
            })
            // A kernel without IPv6 answers the question for it with the routes of all families that it has.
            .filter(|message| message.header.address_family == family.code())
            .filter(|message| !message.header.flags.contains(RouteFlags::Cloned))
            .collect())
    }

    /// Many routes lead through few links, so each link is asked for once.
    fn remembered_name(
        &mut self,
        names: &mut BTreeMap<LinkIndex, Option<String>>,
        index: LinkIndex,
    ) -> Result<Option<String>, NetnsError> {
        if let Some(name) = names.get(&index) {
            return Ok(name.clone());
        }
        let link = self
            .link_by_index(index)
            .map_err(|cause| NetnsError::FindLink {
                name: format!("#{index}"),
                cause,
            })?;
        let name = link.map(|link| link.name);
        names.insert(index, name.clone());
        Ok(name)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix_length)
    }
}

/// Whether every host has a route of its own to an address.
fn is_everywhere(address: IpAddr) -> bool {
    let is_group = matches!(address, IpAddr::V6(address) if address.is_multicast());
    address.is_loopback() || is_link_local(address) || is_group
}

/// Whether a route says that its addresses are in use, or must not be used.
fn holds_addresses(message: &RouteMessage) -> bool {
    matches!(
        message.header.kind,
        RouteType::Unicast
            | RouteType::Local
            | RouteType::BlackHole
            | RouteType::Unreachable
            | RouteType::Prohibit
    )
}

#[cfg(test)]
mod tests;
