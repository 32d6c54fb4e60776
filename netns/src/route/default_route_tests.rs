//! Tests of default routes, in namespaces of their own.

use super::*;
use crate::address::InterfaceAddress;
use crate::bridge_device::BridgeDevice;
use crate::endpoint::bring_up_loopback;
use crate::ipv6::{Ipv6, prepare_interface};
use crate::scratch::{fresh_namespace, in_fresh_namespace};
use crate::sysctl::Sysctl;
use crate::veth_pair::VethPair;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn6, sendto, setsockopt,
    socket, sockopt,
};
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

/// Two interfaces, up: `eth0` in 10.0.0.0/24 and fd00::/64, `eth1` in 10.0.1.0/24 and fd00:1::/64.
fn two_interfaces() -> (Netlink, [LinkIndex; 2]) {
    let mut netlink = Netlink::open().unwrap();
    bring_up_loopback(&mut netlink).unwrap();
    let networks = [
        ("eth0", "10.0.0.2", "fd00::2"),
        ("eth1", "10.0.1.2", "fd00:1::2"),
    ];
    let indexes = networks.map(|(name, ipv4, ipv6)| {
        let mut device = BridgeDevice::for_tests();
        device.name = name.to_string();
        let index = netlink.create_bridge(&device).unwrap();
        for (address, prefix_length) in [(ipv4, 24), (ipv6, 64)] {
            let address = address.parse().unwrap();
            let address = InterfaceAddress {
                address,
                prefix_length,
            };
            netlink.add_address(index, address).unwrap();
        }
        index
    });
    (netlink, indexes)
}

fn route(interface: &str, gateway: &str) -> Option<DefaultRoute> {
    Some(DefaultRoute {
        interface: interface.to_string(),
        gateway: gateway.parse().unwrap(),
    })
}

fn routes(ipv4: Option<DefaultRoute>, ipv6: Option<DefaultRoute>) -> DefaultRoutes {
    DefaultRoutes {
        ipv4,
        ipv6,
        namespace_label: "/proc/4242/ns/net".to_string(),
    }
}

/// The default routes of the main table as the kernel shows them: link, gateway and metric.
fn shown(netlink: &mut Netlink, family: Family) -> Vec<(LinkIndex, String, u32)> {
    let messages = netlink.default_routes(family).unwrap();
    let shown = messages.iter().map(|message| {
        let gateway = gateway(message).map_or("none".to_string(), |gateway| gateway.to_string());
        (output(message).unwrap(), gateway, metric(message))
    });
    shown.collect()
}

/// Adds a default route that differs from ours in what `change` does to it.
fn add(netlink: &mut Netlink, route: (LinkIndex, &str), change: impl FnOnce(&mut RouteMessage)) {
    let mut message = default_message(route.0, route.1.parse().unwrap());
    change(&mut message);
    let request = Request::create(RouteNetlinkMessage::NewRoute(message));
    netlink.request(request).unwrap();
}

/// Expects one default route of each family, by the routers behind the second interface.
#[track_caller]
fn lead_through(netlink: &mut Netlink, eth1: LinkIndex) {
    let expected = [(eth1, "10.0.1.1".to_string(), 0)];
    assert_eq!(shown(netlink, Family::V4), expected);
    let expected = [(eth1, "fd00:1::1".to_string(), 1024)];
    assert_eq!(shown(netlink, Family::V6), expected);
}

#[test]
fn default_routes_are_set_moved_and_taken_away() {
    in_fresh_namespace(|| {
        let (mut netlink, [eth0, eth1]) = two_interfaces();
        let first = routes(route("eth0", "10.0.0.1"), route("eth0", "fd00::1"));
        let second = routes(route("eth1", "10.0.1.1"), None);
        for _ in 0..2 {
            set_default_routes(&mut netlink, &first).unwrap();
            let expected = [(eth0, "10.0.0.1".to_string(), 0)];
            assert_eq!(shown(&mut netlink, Family::V4), expected);
            let expected = [(eth0, "fd00::1".to_string(), 1024)];
            assert_eq!(shown(&mut netlink, Family::V6), expected);
        }
        for _ in 0..2 {
            set_default_routes(&mut netlink, &second).unwrap();
            let expected = [(eth1, "10.0.1.1".to_string(), 0)];
            assert_eq!(shown(&mut netlink, Family::V4), expected);
            assert_eq!(shown(&mut netlink, Family::V6), []);
        }
    });
}

#[test]
fn routes_of_any_other_sort_go() {
    in_fresh_namespace(|| {
        let (mut netlink, [eth0, eth1]) = two_interfaces();
        add(&mut netlink, (eth0, "10.0.0.9"), |_| ());
        add(&mut netlink, (eth1, "10.0.1.9"), |message| {
            message.attributes.push(RouteAttribute::Priority(600));
        });
        add(&mut netlink, (eth0, "10.0.0.9"), |message| {
            message.header.scope = RouteScope::Link;
            message.attributes = vec![RouteAttribute::Oif(eth0.0), RouteAttribute::Priority(700)];
        });
        add(&mut netlink, (eth0, "10.0.0.9"), |message| {
            message.header.kind = RouteType::BlackHole;
            message.attributes = vec![RouteAttribute::Priority(800)];
        });
        add(&mut netlink, (eth0, "fd00::9"), |_| ());
        add(&mut netlink, (eth1, "fd00:1::1"), |message| {
            message.header.protocol = RouteProtocol::Ra;
            message.attributes.push(RouteAttribute::Priority(100));
        });
        let wanted = routes(route("eth1", "10.0.1.1"), route("eth1", "fd00:1::1"));
        set_default_routes(&mut netlink, &wanted).unwrap();
        lead_through(&mut netlink, eth1);
    });
}

#[test]
fn several_routers_at_once_are_replaced_by_the_one_that_is_wanted() {
    in_fresh_namespace(|| {
        let (mut netlink, [eth0, eth1]) = two_interfaces();
        for gateway in ["10.0.0.8", "10.0.0.9", "fd00::8", "fd00::9"] {
            // As `ip route append`, which for IPv6 makes one route by two routers.
            let message = default_message(eth0, gateway.parse().unwrap());
            let message = RouteNetlinkMessage::NewRoute(message);
            netlink.request(Request::append(message)).unwrap();
        }
        let wanted = routes(route("eth1", "10.0.1.1"), route("eth1", "fd00:1::1"));
        set_default_routes(&mut netlink, &wanted).unwrap();
        lead_through(&mut netlink, eth1);
    });
}

#[test]
fn an_advertised_route_by_the_wanted_router_becomes_one_that_stays() {
    in_fresh_namespace(|| {
        let (mut netlink, [eth0, _]) = two_interfaces();
        add(&mut netlink, (eth0, "fd00::1"), |message| {
            message.header.protocol = RouteProtocol::Ra;
        });
        let wanted = routes(None, route("eth0", "fd00::1"));
        set_default_routes(&mut netlink, &wanted).unwrap();
        let [message] = &netlink.default_routes(Family::V6).unwrap()[..] else {
            panic!("one route is wanted");
        };
        assert_eq!(message.header.protocol, RouteProtocol::Boot);
        assert_eq!(netlink.advertised_default_routes().unwrap(), [""; 0]);
    });
}

/// Sends one router advertisement (RFC 4861, section 4.2) to all hosts behind a link of the calling thread's namespace, as a
/// router for the next half hour.
fn advertise(index: LinkIndex) {
    let (family, kind) = (AddressFamily::Inet6, SockType::Raw);
    let socket = socket(family, kind, SockFlag::SOCK_CLOEXEC, SockProtocol::IcmpV6).unwrap();
    setsockopt(&socket, sockopt::Ipv6MulticastHops, &255).unwrap();
    // Type 134, then code, checksum (the kernel's duty), hop limit, flags, lifetime in seconds, and two timers.
    let message = [134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    let everybody = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    let address = SockaddrIn6::from(SocketAddrV6::new(everybody, 0, 0, index.0));
    let sent = sendto(socket.as_raw_fd(), &message, &address, MsgFlags::empty());
    assert_eq!(sent.unwrap(), message.len());
}

#[test]
fn a_route_that_the_kernel_learnt_from_a_router_is_named_and_replaced() {
    in_fresh_namespace(|| {
        let inside = fresh_namespace();
        let mut router = Netlink::open().unwrap();
        let bridge = router.create_bridge(&BridgeDevice::for_tests()).unwrap();
        let pair = VethPair::for_tests(bridge, inside.as_fd());
        router.create_veth(&pair).unwrap();
        let mut netlink = Netlink::open_in(&inside).unwrap();
        let eth0 = netlink.find_link("eth0").unwrap().unwrap().index;
        let own = InterfaceAddress {
            address: "fd00::2".parse().unwrap(),
            prefix_length: 64,
        };
        netlink.add_address(eth0, own).unwrap();
        netlink.set_up(eth0).unwrap();
        let accept = Sysctl::of_interface_v6("eth0", "accept_ra");
        inside.run(|| accept.ensure("1").unwrap()).unwrap();
        let link_local = InterfaceAddress {
            address: "fe80::1".parse().unwrap(),
            prefix_length: 64,
        };
        router.add_address(bridge, link_local).unwrap();

        let deadline = Instant::now() + Duration::from_secs(10);
        while netlink.advertised_default_routes().unwrap() != ["eth0"] {
            assert!(Instant::now() < deadline, "no advertisement was heard");
            advertise(bridge);
        }
        let wanted = routes(None, route("eth0", "fd00::1"));
        inside
            .run(|| prepare_interface("eth0", Ipv6::Enabled).unwrap())
            .unwrap();
        set_default_routes(&mut netlink, &wanted).unwrap();
        advertise(bridge);
        let expected = [(eth0, "fd00::1".to_string(), 1024)];
        assert_eq!(shown(&mut netlink, Family::V6), expected);
        assert_eq!(netlink.advertised_default_routes().unwrap(), [""; 0]);
    });
}

#[test]
fn other_tables_are_left_alone() {
    in_fresh_namespace(|| {
        let (mut netlink, [eth0, _]) = two_interfaces();
        for gateway in ["10.0.0.1", "fd00::1"] {
            add(&mut netlink, (eth0, gateway), |message| {
                message.header.table = 100;
            });
        }
        set_default_routes(&mut netlink, &routes(None, None)).unwrap();
        let count = |messages: Vec<RouteMessage>| {
            let defaults = messages
                .iter()
                .filter(|message| message.header.destination_prefix_length == 0)
                .filter(|message| message.header.table == 100);
            defaults.count()
        };
        let tables =
            [Family::V4, Family::V6].map(|family| count(netlink.route_messages(family).unwrap()));
        assert_eq!(tables, [1, 1]);
    });
}

#[test]
fn without_ipv6_there_is_nothing_to_take_away() {
    in_fresh_namespace(|| {
        let (mut netlink, _) = two_interfaces();
        for interface in ["eth0", "eth1"] {
            prepare_interface(interface, Ipv6::Disabled).unwrap();
        }
        let wanted = routes(route("eth0", "10.0.0.1"), None);
        set_default_routes(&mut netlink, &wanted).unwrap();
        assert_eq!(shown(&mut netlink, Family::V6), []);
    });
}

#[test]
fn a_gateway_out_of_reach_or_a_missing_interface_leaves_the_old_route() {
    in_fresh_namespace(|| {
        let (mut netlink, [eth0, _]) = two_interfaces();
        let first = routes(route("eth0", "10.0.0.1"), route("eth0", "fd00::1"));
        set_default_routes(&mut netlink, &first).unwrap();
        let wrong = [
            routes(route("eth1", "10.9.9.9"), None),
            routes(route("eth9", "10.0.0.1"), None),
            routes(route("eth0", "10.0.0.1"), route("eth1", "fd00:9::9")),
        ];
        for wrong in &wrong {
            let error = set_default_routes(&mut netlink, wrong).unwrap_err();
            assert!(error.to_string().contains("`eth"), "{error}");
            let expected = [(eth0, "10.0.0.1".to_string(), 0)];
            assert_eq!(shown(&mut netlink, Family::V4), expected);
            let expected = [(eth0, "fd00::1".to_string(), 1024)];
            assert_eq!(shown(&mut netlink, Family::V6), expected);
        }
        let error = set_default_routes(&mut netlink, &wrong[2]).unwrap_err();
        assert!(error.hint().unwrap().contains("fd00:9::9"), "{error}");
    });
}

#[test]
fn the_steps_print_their_commands() {
    let adding = |gateway: &str| AddDefaultRoute {
        name: "eth0".to_string(),
        gateway: gateway.parse().unwrap(),
    };
    assert_eq!(
        adding("172.17.0.1").explain().command,
        "ip route add default via 172.17.0.1 dev eth0"
    );
    assert_eq!(
        adding("fd00::1").explain().command,
        "ip -6 route add default via fd00::1 dev eth0"
    );
    let both = routes(route("eth0", "10.0.0.1"), route("eth1", "fd00:1::1"));
    assert_eq!(
        both.explain().command,
        "nsenter --net=/proc/4242/ns/net ip route replace default via 10.0.0.1 dev eth0\n\
         nsenter --net=/proc/4242/ns/net ip -6 route replace default via fd00:1::1 dev eth1"
    );
    let none = routes(None, None).explain();
    assert_eq!(
        none.command,
        "nsenter --net=/proc/4242/ns/net ip route del default\n\
         nsenter --net=/proc/4242/ns/net ip -6 route del default"
    );
    assert_eq!(
        none.sentence,
        "inside, have no default route for IPv4, and have no default route for IPv6"
    );
}
