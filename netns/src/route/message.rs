//! Reading what the kernel says of a route.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_route::AddressFamily;
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage};

use super::Destination;
use crate::link::LinkIndex;

/// Where a route leads to. The kernel shows no address for a default route.
pub(super) fn destination(message: &RouteMessage) -> Destination {
    let nowhere = match message.header.address_family {
        AddressFamily::Inet6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    };
    let address = find(message, |attribute| match attribute {
        RouteAttribute::Destination(address) => plain(address),
        _ => None,
    });
    Destination {
        address: address.unwrap_or(nowhere),
        prefix_length: message.header.destination_prefix_length,
    }
}

/// The router of a route that has one alone.
pub(super) fn gateway(message: &RouteMessage) -> Option<IpAddr> {
    find(message, |attribute| match attribute {
        RouteAttribute::Gateway(address) => plain(address),
        _ => None,
    })
}

/// Whether it is a default route of the main table.
pub(super) fn is_main_default(message: &RouteMessage) -> bool {
    message.header.destination_prefix_length == 0
        && table(message) == u32::from(RouteHeader::RT_TABLE_MAIN)
}

/// Tables above 255 do not fit the header and are in an attribute.
pub(super) fn table(message: &RouteMessage) -> u32 {
    let table = find(message, |attribute| match attribute {
        RouteAttribute::Table(table) => Some(*table),
        _ => None,
    });
    table.unwrap_or(message.header.table.into())
}

/// A route that shows no metric has zero, which is preferred to any other.
pub(super) fn metric(message: &RouteMessage) -> u32 {
    let metric = find(message, |attribute| match attribute {
        RouteAttribute::Priority(metric) => Some(*metric),
        _ => None,
    });
    metric.unwrap_or(0)
}

/// The link that a route leads through, the first one if there are several.
pub(super) fn output(message: &RouteMessage) -> Option<LinkIndex> {
    find(message, |attribute| match attribute {
        RouteAttribute::Oif(index) => Some(LinkIndex(*index)),
        RouteAttribute::MultiPath(hops) => hops.first().map(|hop| LinkIndex(hop.interface_index)),
        _ => None,
    })
}

fn find<T>(message: &RouteMessage, pick: impl Fn(&RouteAttribute) -> Option<T>) -> Option<T> {
    message.attributes.iter().find_map(pick)
}

fn plain(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some(IpAddr::V4(*address)),
        RouteAddress::Inet6(address) => Some(IpAddr::V6(*address)),
        _ => None,
    }
}
