//! Tests of routes, in namespaces of their own.

use std::net::{Ipv4Addr, Ipv6Addr};

use netlink_packet_route::AddressFamily;
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteHeader, RouteScope};

use super::*;
use crate::address::InterfaceAddress;
use crate::bridge_device::BridgeDevice;
use crate::endpoint::bring_up_loopback;
use crate::netlink::Request;
use crate::scratch::in_fresh_namespace;

fn bridge(netlink: &mut Netlink, name: &str, mtu: u32) -> LinkIndex {
    let mut device = BridgeDevice::for_tests();
    device.name = name.to_string();
    device.mtu = mtu;
    netlink.create_bridge(&device).unwrap()
}

fn address(netlink: &mut Netlink, index: LinkIndex, address: [u8; 4]) {
    let address = InterfaceAddress {
        address: IpAddr::V4(address.into()),
        prefix_length: 24,
    };
    netlink.add_address(index, address).unwrap();
}

/// Adds a route without a gateway to 10.`second`.0.0/16.
fn add_route(netlink: &mut Netlink, index: LinkIndex, second: u8, table: u32) {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet;
    message.header.destination_prefix_length = 16;
    message.header.scope = RouteScope::Link;
    message.header.kind = RouteType::Unicast;
    message.attributes = vec![
        RouteAttribute::Destination(RouteAddress::Inet(Ipv4Addr::new(10, second, 0, 0))),
        RouteAttribute::Oif(index.0),
        RouteAttribute::Table(table),
    ];
    netlink
        .request(Request::create(RouteNetlinkMessage::NewRoute(message)))
        .unwrap();
}

/// Adds an IPv6 route to `network`/48 by `protocol`, without a gateway; the prefix is 0 for the unspecified address.
fn add_route_v6(
    netlink: &mut Netlink,
    index: LinkIndex,
    network: Ipv6Addr,
    (table, protocol): (u32, RouteProtocol),
) {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet6;
    message.header.kind = RouteType::Unicast;
    message.header.protocol = protocol;
    message.attributes = vec![RouteAttribute::Oif(index.0), RouteAttribute::Table(table)];
    if !network.is_unspecified() {
        let destination = RouteAttribute::Destination(RouteAddress::Inet6(network));
        message.attributes.push(destination);
        message.header.destination_prefix_length = 48;
    }
    netlink
        .request(Request::create(RouteNetlinkMessage::NewRoute(message)))
        .unwrap();
}

fn add_default_with_metric(netlink: &mut Netlink, index: LinkIndex, metric: u32) {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet;
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.scope = RouteScope::Link;
    message.header.kind = RouteType::Unicast;
    message.attributes = vec![
        RouteAttribute::Oif(index.0),
        RouteAttribute::Priority(metric),
    ];
    netlink
        .request(Request::create(RouteNetlinkMessage::NewRoute(message)))
        .unwrap();
}

fn shown(route: &Route) -> (String, u32, &str) {
    let interface = route.interface.as_deref().unwrap_or("none");
    (route.destination.to_string(), route.table, interface)
}

#[test]
fn routes_of_every_table_are_listed_without_default_and_loopback() {
    in_fresh_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        bring_up_loopback(&mut netlink).unwrap();
        let index = bridge(&mut netlink, "minirun0", 1500);
        address(&mut netlink, index, [172, 18, 0, 1]);
        add_route(&mut netlink, index, 1, 254);
        add_route(&mut netlink, index, 2, 100);
        add_route(&mut netlink, index, 3, 70_000);
        netlink
            .add_default_route(index, Ipv4Addr::new(172, 18, 0, 254).into())
            .unwrap();
        let mut routes = netlink.host_routes().unwrap();
        routes.sort_by_key(|route| route.destination);
        let shown: Vec<_> = routes.iter().map(shown).collect();
        let expected = [
            ("10.1.0.0/16".to_string(), 254, "minirun0"),
            ("10.2.0.0/16".to_string(), 100, "minirun0"),
            ("10.3.0.0/16".to_string(), 70_000, "minirun0"),
            ("172.18.0.0/24".to_string(), 254, "minirun0"),
            // The host's own address.
            ("172.18.0.1/32".to_string(), 255, "minirun0"),
        ];
        assert_eq!(shown, expected);
    });
}

#[test]
fn the_default_route_with_the_lowest_metric_gives_the_mtu() {
    in_fresh_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        assert_eq!(netlink.default_route_mtu().unwrap(), None);
        let slow = bridge(&mut netlink, "slow", 1400);
        let fast = bridge(&mut netlink, "fast", 1420);
        address(&mut netlink, slow, [172, 18, 0, 1]);
        address(&mut netlink, fast, [172, 19, 0, 1]);
        assert_eq!(netlink.default_route_mtu().unwrap(), None);
        add_default_with_metric(&mut netlink, slow, 600);
        assert_eq!(netlink.default_route_mtu().unwrap(), Some(1400));
        add_default_with_metric(&mut netlink, fast, 100);
        assert_eq!(netlink.default_route_mtu().unwrap(), Some(1420));
    });
}

#[test]
fn a_gateway_that_cannot_be_reached_is_refused_with_the_kernels_words() {
    in_fresh_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        let index = bridge(&mut netlink, "minirun0", 1500);
        let error = netlink
            .add_default_route(index, Ipv4Addr::new(10, 9, 8, 7).into())
            .unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENETUNREACH));
        let text = error.to_string();
        assert!(
            text.contains("`10.9.8.7`") && text.contains("`minirun0`"),
            "{text}"
        );
        assert!(text.contains("the kernel says: "), "{text}");
        assert!(error.hint().is_some());
    });
}

#[test]
fn ipv6_routes_of_every_table_are_listed_without_those_that_every_host_has() {
    in_fresh_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        bring_up_loopback(&mut netlink).unwrap();
        let index = bridge(&mut netlink, "minirun0", 1500);
        let own = InterfaceAddress {
            address: "fd00:1::1".parse().unwrap(),
            prefix_length: 64,
        };
        netlink.add_address(index, own).unwrap();
        for (network, table) in [("fd00:2::", 254), ("fd00:3::", 100), ("fd00:4::", 70_000)] {
            let network = network.parse().unwrap();
            add_route_v6(&mut netlink, index, network, (table, RouteProtocol::Static));
        }
        let default = (254, RouteProtocol::Boot);
        add_route_v6(&mut netlink, index, Ipv6Addr::UNSPECIFIED, default);
        // The kernel adds the route of an address by itself, some time after the address.
        let mut routes = Vec::new();
        while !routes.iter().any(|route: &Route| route.table == 255) {
            routes = netlink.host_routes().unwrap();
        }
        routes.sort_by_key(|route| route.destination);
        let shown: Vec<_> = routes.iter().map(shown).collect();
        let expected = [
            ("fd00:1::/64".to_string(), 254, "minirun0"),
            ("fd00:1::1/128".to_string(), 255, "minirun0"),
            ("fd00:2::/48".to_string(), 254, "minirun0"),
            ("fd00:3::/48".to_string(), 100, "minirun0"),
            ("fd00:4::/48".to_string(), 70_000, "minirun0"),
        ];
        assert_eq!(shown, expected);
        assert_eq!(netlink.default_route_mtu().unwrap(), None);
    });
}

#[test]
fn links_with_an_advertised_default_route_are_named_and_others_are_not() {
    in_fresh_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        let plain = bridge(&mut netlink, "plain", 1500);
        let advertised = bridge(&mut netlink, "advertised", 1500);
        add_route_v6(
            &mut netlink,
            plain,
            Ipv6Addr::UNSPECIFIED,
            (99, RouteProtocol::Static),
        );
        assert_eq!(netlink.advertised_default_routes().unwrap(), [""; 0]);
        for table in [254, 100] {
            let origin = (table, RouteProtocol::Ra);
            add_route_v6(&mut netlink, advertised, Ipv6Addr::UNSPECIFIED, origin);
        }
        let network = "fd00:2::".parse().unwrap();
        add_route_v6(&mut netlink, plain, network, (254, RouteProtocol::Ra));
        assert_eq!(netlink.advertised_default_routes().unwrap(), ["advertised"]);
    });
}
