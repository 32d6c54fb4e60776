//! Tests of the inside of a namespace, in namespaces of their own.

use super::*;
use crate::bridge_device::BridgeDevice;
use crate::namespace::Namespace;
use crate::scratch::{fresh_namespace, in_fresh_namespace};
use crate::veth_pair::VethPair;
use std::os::fd::AsFd;

fn address(address: &str, prefix_length: u8) -> InterfaceAddress {
    InterfaceAddress {
        address: address.parse().unwrap(),
        prefix_length,
    }
}

fn dual_stack() -> EndpointAddress {
    let mut endpoint = endpoint();
    endpoint.addresses.push(address("fd00::2", 64));
    endpoint.gateways.push("fd00::1".parse().unwrap());
    endpoint
}

fn endpoint() -> EndpointAddress {
    EndpointAddress {
        interface: "eth0".to_string(),
        addresses: vec![address("172.17.0.2", 16)],
        gateways: vec!["172.17.0.1".parse().unwrap()],
        namespace_label: "/proc/4242/ns/net".to_string(),
    }
}

/// Gives the body a connection into a namespace that has a fresh `eth0`.
fn with_interface(body: impl FnOnce(&mut Netlink, &Namespace) + Send) {
    in_fresh_namespace(|| {
        let other = fresh_namespace();
        let mut outside = Netlink::open().unwrap();
        let bridge = outside.create_bridge(&BridgeDevice::for_tests()).unwrap();
        let pair = VethPair::for_tests(bridge, other.as_fd());
        outside.create_veth(&pair).unwrap();
        body(&mut Netlink::open_in(&other).unwrap(), &other);
    });
}

#[test]
fn an_endpoint_gets_address_loopback_and_default_route() {
    with_interface(|inside, namespace| {
        configure_endpoint(inside, &endpoint()).unwrap();
        assert!(inside.find_link("lo").unwrap().unwrap().up);
        let link = inside.find_link("eth0").unwrap().unwrap();
        assert!(link.up);
        let addresses = inside.list_addresses(link.index).unwrap();
        assert_eq!(addresses, endpoint().addresses);
        assert_eq!(inside.default_route_mtu().unwrap(), Some(1450));
        // The kernel's own view: destination 0, gateway 172.17.0.1, flags up and gateway.
        let table = namespace
            .run(|| std::fs::read_to_string("/proc/thread-self/net/route").unwrap())
            .unwrap();
        let found = table.lines().any(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            fields[..4] == ["eth0", "00000000", "010011AC", "0003"]
        });
        assert!(found, "{table}");
    });
}

#[test]
fn an_endpoint_without_a_gateway_gets_no_default_route() {
    with_interface(|inside, _| {
        let mut endpoint = endpoint();
        endpoint.gateways.clear();
        configure_endpoint(inside, &endpoint).unwrap();
        assert!(inside.find_link("eth0").unwrap().unwrap().up);
        assert_eq!(inside.default_route_mtu().unwrap(), None);
    });
}

#[test]
fn a_gateway_outside_the_network_is_reported_as_the_route_that_failed() {
    with_interface(|inside, _| {
        let mut endpoint = endpoint();
        endpoint.gateways = vec!["10.0.0.1".parse().unwrap()];
        let error = configure_endpoint(inside, &endpoint).unwrap_err();
        assert!(
            matches!(error, NetnsError::AddDefaultRoute { .. }),
            "{error}"
        );
        assert_eq!(error.raw_os_error(), Some(libc::ENETUNREACH));
    });
}

#[test]
fn a_missing_interface_is_reported_by_its_name() {
    in_fresh_namespace(|| {
        let error = configure_endpoint(&mut Netlink::open().unwrap(), &endpoint()).unwrap_err();
        assert_eq!(error.to_string(), "there is no interface `eth0`");
    });
}

#[test]
fn the_first_of_several_refusals_is_the_one_reported() {
    with_interface(|inside, _| {
        configure_endpoint(inside, &endpoint()).unwrap();
        let error = configure_endpoint(inside, &endpoint()).unwrap_err();
        assert!(matches!(error, NetnsError::AddAddress { .. }), "{error}");
        assert_eq!(error.raw_os_error(), Some(libc::EEXIST));
    });
}

#[test]
fn an_endpoint_of_both_families_can_use_both_at_once() {
    with_interface(|inside, namespace| {
        configure_endpoint(inside, &dual_stack()).unwrap();
        let index = inside.find_link("eth0").unwrap().unwrap().index;
        let addresses = inside.list_addresses(index).unwrap();
        assert_eq!(addresses, dual_stack().addresses);
        namespace.run(can_talk_to_itself).unwrap();
        // The kernel's own view: destination ::/0, next hop fd00::1.
        let table = namespace
            .run(|| std::fs::read_to_string("/proc/thread-self/net/ipv6_route").unwrap())
            .unwrap();
        let found = table.lines().any(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [nowhere, gateway] = ["0".repeat(32), format!("fd00{}1", "0".repeat(27))];
            fields[0] == nowhere && fields[4] == gateway && fields[9] == "eth0"
        });
        assert!(found, "{table}");
    });
}

fn can_talk_to_itself() {
    for own in ["172.17.0.2:0", "[fd00::2]:0"] {
        let listener = std::net::TcpListener::bind(own).unwrap();
        let address = listener.local_addr().unwrap();
        std::net::TcpStream::connect(address).unwrap();
    }
}

#[test]
fn an_endpoint_without_addresses_is_only_set_up() {
    with_interface(|inside, _| {
        let mut endpoint = endpoint();
        endpoint.addresses.clear();
        endpoint.gateways.clear();
        configure_endpoint(inside, &endpoint).unwrap();
        assert!(inside.find_link("eth0").unwrap().unwrap().up);
        assert_eq!(
            endpoint.explain().sentence,
            "inside, set up loopback and `eth0`"
        );
    });
}

#[test]
fn the_steps_of_both_families_are_told_in_the_order_they_are_done() {
    let explanation = dual_stack().explain();
    assert_eq!(
        explanation.sentence,
        "inside, set up loopback and `eth0` with the addresses 172.17.0.2/16 and fd00::2/64, \
         and send everything else to the gateways 172.17.0.1 and fd00::1"
    );
    let lines: Vec<&str> = explanation.command.lines().collect();
    let expected = [
        "nsenter --net=/proc/4242/ns/net ip address add fd00::2/64 dev eth0 nodad",
        "nsenter --net=/proc/4242/ns/net ip -6 route add default via fd00::1 dev eth0",
    ];
    assert_eq!([lines[2], lines[5]], expected);
}

#[test]
fn the_step_prints_its_commands_inside_the_namespace() {
    let expected = "\
nsenter --net=/proc/4242/ns/net ip link set lo up
nsenter --net=/proc/4242/ns/net ip address add 172.17.0.2/16 broadcast 172.17.255.255 dev eth0
nsenter --net=/proc/4242/ns/net ip link set eth0 up
nsenter --net=/proc/4242/ns/net ip route add default via 172.17.0.1 dev eth0";
    assert_eq!(endpoint().explain().command, expected);
}
