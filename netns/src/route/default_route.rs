//! Default routes of the main table: adding one, and making them be exactly what they shall be.
//!
//! # Theory of operation
//!
//! `set_default_routes` works on one family after the other:
//!
//! 1. The default routes are listed. If they are what they shall be, nothing is touched.
//! 2. The wanted route replaces the one of the same metric, in one message, so that no packet meets a moment without a route.
//! 3. The list is read again, and all others are deleted, each by what tells it from the rest. The list must be fresh, because
//!    which route the kernel replaced is its own choice (for IPv6 it depends on what sort the old routes are of).

use std::net::IpAddr;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteProtocol, RouteScope,
    RouteType,
};

use super::message::{gateway, is_main_default, metric, output};
use crate::error::NetnsError;
use crate::explain::{Explain, Explanation};
use crate::family::Family;
use crate::link::LinkIndex;
use crate::netlink::{Netlink, Request};

/// The metric that the kernel gives an IPv6 route for which none is asked (`IP6_RT_PRIO_USER` of `linux/ipv6_route.h`).
const USUAL_IPV6_METRIC: u32 = 1024;

/// Adding a default route, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddDefaultRoute {
    /// The name of the link that the gateway is behind.
    pub name: String,
    /// The router to send everything to that no other route leads to.
    pub gateway: IpAddr,
}

/// A way to everything that no other route leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultRoute {
    /// The name of the link that the gateway is behind.
    pub interface: String,
    /// The router.
    pub gateway: IpAddr,
}

/// The default routes that the main table of a namespace shall have: these, and no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultRoutes {
    /// The one for IPv4, by an IPv4 gateway; none for a namespace that IPv4 leads nowhere from.
    pub ipv4: Option<DefaultRoute>,
    /// The one for IPv6, by an IPv6 gateway; none for a namespace that IPv6 leads nowhere from.
    pub ipv6: Option<DefaultRoute>,
    /// How a reader can name the namespace, for words only: a path such as `/proc/4242/ns/net`.
    pub namespace_label: String,
}

/// Makes the default routes of the main table be exactly these: wrong ones go, also those that came with router
/// advertisements. Those in place already are not touched. `netlink` must have been opened in the namespace.
///
/// # Errors
///
/// Fails when there is no such interface, a gateway is in no network of it, or the kernel refuses. What was done before that
/// stays done.
pub fn set_default_routes(netlink: &mut Netlink, routes: &DefaultRoutes) -> Result<(), NetnsError> {
    netlink.set_default_route(Family::V4, routes.ipv4.as_ref())?;
    netlink.set_default_route(Family::V6, routes.ipv6.as_ref())
}

impl Netlink {
    /// Adds the default route of the main table, of the gateway's family.
    ///
    /// # Errors
    ///
    /// Fails when there is one already (`EEXIST`), the gateway is in no network of a link that is up (`ENETUNREACH`, for IPv6
    /// `EHOSTUNREACH`), or the kernel refuses.
    pub fn add_default_route(
        &mut self,
        index: LinkIndex,
        gateway: IpAddr,
    ) -> Result<(), NetnsError> {
        self.request(add_default(index, gateway))
            .map(drop)
            .map_err(|cause| NetnsError::AddDefaultRoute {
                gateway,
                name: self.name_of(index),
                cause,
            })
    }

    fn set_default_route(
        &mut self,
        family: Family,
        route: Option<&DefaultRoute>,
    ) -> Result<(), NetnsError> {
        let wanted = match route {
            Some(route) => Some((self.index_of(&route.interface)?, route)),
            None => None,
        };
        let is_wanted = |message: &RouteMessage| {
            wanted.is_some_and(|(index, route)| is_route(message, (index, route.gateway)))
        };
        let present = self.default_routes(family)?;
        if present.iter().all(is_wanted) && present.is_empty() == wanted.is_none() {
            return Ok(());
        }
        if let Some((index, route)) = wanted {
            self.replace_default(index, route)?;
        }
        for message in self.default_routes(family)? {
            if !is_wanted(&message) {
                self.delete_default(message)?;
            }
        }
        Ok(())
    }

    fn index_of(&mut self, name: &str) -> Result<LinkIndex, NetnsError> {
        self.find_link(name)?
            .map(|link| link.index)
            .ok_or_else(|| NetnsError::NoSuchLink {
                name: name.to_string(),
            })
    }

    fn default_routes(&mut self, family: Family) -> Result<Vec<RouteMessage>, NetnsError> {
        let mut routes = self.route_messages(family)?;
        routes.retain(is_main_default);
        Ok(routes)
    }

    fn replace_default(
        &mut self,
        index: LinkIndex,
        route: &DefaultRoute,
    ) -> Result<(), NetnsError> {
        let message = RouteNetlinkMessage::NewRoute(default_message(index, route.gateway));
        self.request(Request::replace(message))
            .map(drop)
            .map_err(|cause| NetnsError::AddDefaultRoute {
                gateway: route.gateway,
                name: route.interface.clone(),
                cause,
            })
    }

    /// Deletes a default route as the kernel showed it. One that went away meanwhile is no error.
    fn delete_default(&mut self, mut message: RouteMessage) -> Result<(), NetnsError> {
        let gateway = gateway(&message);
        // The flags are the kernel's findings about the link, and the rest of what it shows does not tell routes apart.
        message.header.flags = RouteFlags::empty();
        message.attributes.retain(tells_apart);
        match self.request(Request::existing(RouteNetlinkMessage::DelRoute(message))) {
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
            outcome => outcome
                .map(drop)
                .map_err(|cause| NetnsError::DeleteDefaultRoute { gateway, cause }),
        }
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

impl Explain for DefaultRoutes {
    fn explain(&self) -> Explanation {
        let families = [(Family::V4, &self.ipv4), (Family::V6, &self.ipv6)];
        let (clauses, commands): (Vec<String>, Vec<String>) = families
            .into_iter()
            .map(|(family, route)| {
                let (clause, arguments) = in_words(family, route.as_ref());
                let (label, ip) = (&self.namespace_label, family.ip_command());
                (clause, format!("nsenter --net={label} {ip} {arguments}"))
            })
            .unzip();
        Explanation {
            sentence: format!("inside, {}", clauses.join(", and ")),
            command: commands.join("\n"),
        }
    }
}

/// The request to add a default route.
pub(crate) fn add_default(index: LinkIndex, gateway: IpAddr) -> Request {
    Request::create(RouteNetlinkMessage::NewRoute(default_message(
        index, gateway,
    )))
}

/// The command that does the same.
pub(crate) fn default_command(name: &str, gateway: IpAddr) -> String {
    let ip = Family::of(gateway).ip_command();
    format!("{ip} route add default via {gateway} dev {name}")
}

fn in_words(family: Family, route: Option<&DefaultRoute>) -> (String, String) {
    let protocol = family.name();
    match route {
        Some(DefaultRoute { interface, gateway }) => (
            format!("send all other {protocol} to the gateway {gateway} through `{interface}`"),
            format!("route replace default via {gateway} dev {interface}"),
        ),
        None => (
            format!("have no default route for {protocol}"),
            "route del default".to_string(),
        ),
    }
}

fn default_message(index: LinkIndex, gateway: IpAddr) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = Family::of(gateway).code();
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = RouteProtocol::Boot;
    message.header.scope = RouteScope::Universe;
    message.header.kind = RouteType::Unicast;
    let router = match gateway {
        IpAddr::V4(address) => RouteAddress::Inet(address),
        IpAddr::V6(address) => RouteAddress::Inet6(address),
    };
    message.attributes = vec![
        RouteAttribute::Gateway(router),
        RouteAttribute::Oif(index.0),
    ];
    message
}

/// Whether the kernel shows the route that `default_message` makes. One from a router's advertisement is another, even by the
/// same gateway, since it expires.
fn is_route(message: &RouteMessage, (index, router): (LinkIndex, IpAddr)) -> bool {
    let usual_metric = match Family::of(router) {
        Family::V4 => 0,
        Family::V6 => USUAL_IPV6_METRIC,
    };
    message.header.kind == RouteType::Unicast
        && message.header.protocol != RouteProtocol::Ra
        && message.header.tos == 0
        && message.header.source_prefix_length == 0
        && metric(message) == usual_metric
        && output(message) == Some(index)
        && gateway(message) == Some(router)
}

fn tells_apart(attribute: &RouteAttribute) -> bool {
    matches!(
        attribute,
        RouteAttribute::Table(_)
            | RouteAttribute::Priority(_)
            | RouteAttribute::Source(_)
            | RouteAttribute::Gateway(_)
            | RouteAttribute::Via(_)
            | RouteAttribute::Oif(_)
            | RouteAttribute::MultiPath(_)
    )
}

#[cfg(test)]
#[path = "default_route_tests.rs"]
mod tests;
