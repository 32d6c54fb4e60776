//! IPv4 routes.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteProtocol, RouteScope,
    RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::error::NetnsError;
use crate::explain::{Explain, Explanation};
use crate::link::LinkIndex;
use crate::netlink::{Netlink, Request};

/// The addresses that a route leads to. Written as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    /// The first address; the bits behind the prefix are zero.
    pub address: Ipv4Addr,
    /// How many leading bits all of them share, 0 to 32.
    pub prefix_length: u8,
}

/// An IPv4 route as the kernel shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where it leads to.
    pub destination: Destination,
    /// The routing table it is in; 254 is the main one.
    pub table: u32,
    /// The name of the link it leads through, of the first one if there are several; none for a route without a link.
    pub interface: Option<String>,
}

/// Adding a default route, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddDefaultRoute {
    /// The name of the link that the gateway is behind.
    pub name: String,
    /// The router to send everything to that no other route leads to.
    pub gateway: Ipv4Addr,
}

impl Netlink {
    /// Adds the default route of the main table.
    ///
    /// # Errors
    ///
    /// Fails when there is one already (`EEXIST`), the gateway is in no network of a link that is up (`ENETUNREACH`), or the
    /// kernel refuses.
    pub fn add_default_route(
        &mut self,
        index: LinkIndex,
        gateway: Ipv4Addr,
    ) -> Result<(), NetnsError> {
        self.request(add_default(index, gateway))
            .map(drop)
            .map_err(|cause| NetnsError::AddDefaultRoute {
                gateway,
                name: self.name_of(index),
                cause,
            })
    }

    /// The IPv4 unicast routes of every table, as the kernel lists them, without default routes and without those into
    /// 127.0.0.0/8: the networks that this host already has or knows a way to.
    ///
    /// # Errors
    ///
    /// Fails when the kernel refuses to list routes or links.
    pub fn host_routes(&mut self) -> Result<Vec<Route>, NetnsError> {
        let mut names = BTreeMap::new();
        let mut routes = Vec::new();
        for message in self.unicast_routes()? {
            let destination = destination(&message);
            if destination.prefix_length == 0 || destination.address.is_loopback() {
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

    /// The MTU, in bytes, of the link that the main table's preferred default route leads through: the one with the lowest
    /// metric. None if there is no default route.
    ///
    /// # Errors
    ///
    /// Fails when the kernel refuses to list routes or to show the link.
    pub fn default_route_mtu(&mut self) -> Result<Option<u32>, NetnsError> {
        let routes = self.unicast_routes()?;
        let preferred = routes
            .iter()
            .filter(|message| table(message) == u32::from(RouteHeader::RT_TABLE_MAIN))
            .filter(|message| message.header.destination_prefix_length == 0)
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

    fn unicast_routes(&mut self) -> Result<Vec<RouteMessage>, NetnsError> {
        let mut question = RouteMessage::default();
        question.header.address_family = AddressFamily::Inet;
        let replies = self
            .dump(RouteNetlinkMessage::GetRoute(question))
            .map_err(|cause| NetnsError::ListRoutes { cause })?;
        Ok(replies
            .into_iter()
            .filter_map(|reply| match reply {
                RouteNetlinkMessage::NewRoute(message) => Some(message),
                _ => None,
            })
            .filter(|message| message.header.address_family == AddressFamily::Inet)
            .filter(|message| message.header.kind == RouteType::Unicast)
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

impl Explain for AddDefaultRoute {
    fn explain(&self) -> Explanation {
        let AddDefaultRoute { name, gateway } = self;
        Explanation {
            sentence: format!("send everything else to the gateway {gateway} through `{name}`"),
            command: default_command(name, *gateway),
        }
    }
}

/// The request to add a default route.
pub(crate) fn add_default(index: LinkIndex, gateway: Ipv4Addr) -> Request {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet;
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = RouteProtocol::Boot;
    message.header.scope = RouteScope::Universe;
    message.header.kind = RouteType::Unicast;
    message.attributes = vec![
        RouteAttribute::Gateway(RouteAddress::Inet(gateway)),
        RouteAttribute::Oif(index.0),
    ];
    Request::create(RouteNetlinkMessage::NewRoute(message))
}

/// The command that does the same.
pub(crate) fn default_command(name: &str, gateway: Ipv4Addr) -> String {
    format!("ip route add default via {gateway} dev {name}")
}

fn destination(message: &RouteMessage) -> Destination {
    let address = find(message, |attribute| match attribute {
        RouteAttribute::Destination(RouteAddress::Inet(address)) => Some(*address),
        _ => None,
    });
    Destination {
        address: address.unwrap_or(Ipv4Addr::UNSPECIFIED),
        prefix_length: message.header.destination_prefix_length,
    }
}

/// Tables above 255 do not fit the header and are in an attribute.
fn table(message: &RouteMessage) -> u32 {
    let table = find(message, |attribute| match attribute {
        RouteAttribute::Table(table) => Some(*table),
        _ => None,
    });
    table.unwrap_or(message.header.table.into())
}

/// A route that shows no metric has zero, which is preferred to any other.
fn metric(message: &RouteMessage) -> u32 {
    let metric = find(message, |attribute| match attribute {
        RouteAttribute::Priority(metric) => Some(*metric),
        _ => None,
    });
    metric.unwrap_or(0)
}

fn output(message: &RouteMessage) -> Option<LinkIndex> {
    find(message, |attribute| match attribute {
        RouteAttribute::Oif(index) => Some(LinkIndex(*index)),
        RouteAttribute::MultiPath(hops) => hops.first().map(|hop| LinkIndex(hop.interface_index)),
        _ => None,
    })
}

fn find<T>(message: &RouteMessage, pick: impl Fn(&RouteAttribute) -> Option<T>) -> Option<T> {
    message.attributes.iter().find_map(pick)
}

#[cfg(test)]
#[path = "route_tests.rs"]
mod tests;
