//! Tests of proxy neighbours: the list, and that two members of a bridge with isolated ports talk through the host.

use super::*;
use crate::address::InterfaceAddress;
use crate::bridge_device::BridgeDevice;
use crate::bridge_port::{BridgePort, Hairpin, Isolation};
use crate::endpoint::{EndpointAddress, configure_endpoint};
use crate::ipv6::{Ipv6, prepare_interface};
use crate::mac::MacAddress;
use crate::namespace::Namespace;
use crate::scratch::{fresh_namespace, in_fresh_namespace};
use crate::sysctl::Sysctl;
use crate::veth_pair::VethPair;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

/// How long a packet may take; only reached where none arrives.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection that is expected to fail is tried.
const IMPATIENCE: Duration = Duration::from_millis(300);

fn address(last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, last)
}

fn interface_address(last: u16) -> InterfaceAddress {
    InterfaceAddress {
        address: address(last).into(),
        prefix_length: 64,
    }
}

/// A bridge that answers for others and a host that routes. Its link-local address is given by hand: until the kernel has made
/// one itself, the host cannot ask for its members' Ethernet addresses.
fn bridge(netlink: &mut Netlink) -> LinkIndex {
    let index = netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
    prepare_interface("minirun0", Ipv6::Enabled).unwrap();
    let link_local = InterfaceAddress {
        address: "fe80::1".parse().unwrap(),
        prefix_length: 64,
    };
    netlink.add_address(index, link_local).unwrap();
    netlink.add_address(index, interface_address(1)).unwrap();
    for (sysctl, value) in [
        (Sysctl::new("net/ipv6/conf/all/forwarding"), "1"),
        (Sysctl::of_interface_v6("minirun0", "proxy_ndp"), "1"),
        (Sysctl::of_neighbours_v6("minirun0", "proxy_delay"), "0"),
    ] {
        sysctl.ensure(value).unwrap();
    }
    index
}

/// A namespace with `eth0` at fd00::`last` behind an isolated port of the bridge.
fn member(netlink: &mut Netlink, bridge: LinkIndex, last: u8) -> Namespace {
    let namespace = fresh_namespace();
    let mut pair = VethPair::for_tests(bridge, namespace.as_fd());
    pair.host_name = format!("mr{last}");
    pair.container_mac = MacAddress::for_address(Ipv4Addr::new(172, 17, 0, last));
    let port = netlink.create_veth(&pair).unwrap().host;
    let isolated = BridgePort {
        isolation: Isolation::Isolated,
        hairpin: Hairpin::Off,
        learning: Default::default(),
    };
    netlink.set_bridge_port(port, isolated).unwrap();
    namespace
        .run(|| prepare_interface("eth0", Ipv6::Enabled))
        .unwrap()
        .unwrap();
    let endpoint = EndpointAddress {
        interface: "eth0".to_string(),
        addresses: vec![interface_address(last.into())],
        gateways: vec![address(1).into()],
        namespace_label: String::new(),
    };
    configure_endpoint(&mut Netlink::open_in(&namespace).unwrap(), &endpoint).unwrap();
    namespace
}

fn forget_neighbours(namespace: &Namespace) {
    let mut netlink = Netlink::open_in(namespace).unwrap();
    let index = netlink.find_link("eth0").unwrap().unwrap().index;
    netlink.flush_neighbours(index).unwrap();
}

/// Sends bytes to and fro many times on one connection, first over TCP, then over UDP.
fn converse(client: &Namespace, server: &Namespace) {
    let listener = server.run(|| TcpListener::bind((address(3), 0))).unwrap();
    let listener = listener.unwrap();
    let there = listener.local_addr().unwrap();
    let near = client.run(|| TcpStream::connect_timeout(&there, PATIENCE));
    let mut near = near.unwrap().unwrap();
    let (mut far, _) = listener.accept().unwrap();
    for stream in [&near, &far] {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
    }
    let mut byte = [0];
    for round in 0..100 {
        near.write_all(&[round]).unwrap();
        far.read_exact(&mut byte).unwrap();
        far.write_all(&byte).unwrap();
        near.read_exact(&mut byte).unwrap();
        assert_eq!(byte, [round]);
    }

    let socket = |namespace: &Namespace, last| {
        let bound = namespace.run(|| UdpSocket::bind((address(last), 0)));
        let socket = bound.unwrap().unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    };
    let (near, far) = (socket(client, 2), socket(server, 3));
    near.connect(far.local_addr().unwrap()).unwrap();
    far.connect(near.local_addr().unwrap()).unwrap();
    for round in 0..100 {
        near.send(&[round]).unwrap();
        assert_eq!(far.recv(&mut byte).unwrap(), 1);
        far.send(&byte).unwrap();
        assert_eq!(near.recv(&mut byte).unwrap(), 1);
        assert_eq!(byte, [round]);
    }
}

/// A counter of `/proc/net/snmp6` in the calling thread's namespace.
fn counter(name: &str) -> u64 {
    let table = std::fs::read_to_string("/proc/thread-self/net/snmp6").unwrap();
    let line = table.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn isolated_members_talk_through_the_host_only_while_it_answers_for_them() {
    in_fresh_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        let bridge = bridge(&mut netlink);
        let [client, server] = [2, 3].map(|last| member(&mut netlink, bridge, last));
        let listener = server.run(|| TcpListener::bind((address(3), 0))).unwrap();
        let there = listener.unwrap().local_addr().unwrap();
        let connect = |there: &SocketAddr| TcpStream::connect_timeout(there, IMPATIENCE);
        assert!(client.run(|| connect(&there)).unwrap().is_err());

        for last in [2, 3] {
            netlink.add_proxy_neighbour(bridge, address(last)).unwrap();
        }
        forget_neighbours(&client);
        converse(&client, &server);

        for last in [2, 3] {
            let deleted = netlink.delete_proxy_neighbour(bridge, address(last));
            assert!(deleted.unwrap());
        }
        forget_neighbours(&client);
        assert!(client.run(|| connect(&there)).unwrap().is_err());
    });
}

#[test]
fn the_hosts_redirects_do_not_lead_members_to_the_closed_way() {
    in_fresh_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        let bridge = bridge(&mut netlink);
        let [client, server] = [2, 3].map(|last| member(&mut netlink, bridge, last));
        for last in [2, 3] {
            netlink.add_proxy_neighbour(bridge, address(last)).unwrap();
        }
        converse(&client, &server);
        assert!(counter("Icmp6OutRedirects") > 0);
        // Each member still sends to the bridge what is for the other.
        let answerer = netlink.find_link("minirun0").unwrap().unwrap().mac;
        for (namespace, other) in [(&client, 3), (&server, 2)] {
            assert_eq!(ethernet_address(namespace, address(other)), answerer);
        }
    });
}

/// The Ethernet address that a namespace sends to for an address.
fn ethernet_address(namespace: &Namespace, wanted: Ipv6Addr) -> Option<MacAddress> {
    let question = RouteNetlinkMessage::GetNeighbour(NeighbourMessage::default());
    let replies = Netlink::open_in(namespace).unwrap().dump(question).unwrap();
    let destination = NeighbourAttribute::Destination(NeighbourAddress::Inet6(wanted));
    let mut attributes = replies.into_iter().filter_map(|reply| match reply {
        RouteNetlinkMessage::NewNeighbour(entry) => Some(entry.attributes),
        _ => None,
    });
    let attributes = attributes.find(|attributes| attributes.contains(&destination))?;
    attributes.iter().find_map(|attribute| match attribute {
        NeighbourAttribute::LinkLayerAddress(bytes) => {
            MacAddress::new(bytes[..].try_into().ok()?).ok()
        }
        _ => None,
    })
}

#[test]
fn proxy_neighbours_are_added_listed_by_link_and_deleted() {
    in_fresh_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        let index = netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
        assert_eq!(
            netlink.proxy_neighbours(index).unwrap(),
            [] as [Ipv6Addr; 0]
        );
        for _ in 0..2 {
            netlink.add_proxy_neighbour(index, address(2)).unwrap();
        }
        netlink.add_proxy_neighbour(index, address(3)).unwrap();
        let mut listed = netlink.proxy_neighbours(index).unwrap();
        listed.sort();
        assert_eq!(listed, [address(2), address(3)]);
        let elsewhere = netlink.proxy_neighbours(LinkIndex::LOOPBACK).unwrap();
        assert_eq!(elsewhere, [] as [Ipv6Addr; 0]);

        assert!(netlink.delete_proxy_neighbour(index, address(2)).unwrap());
        assert!(!netlink.delete_proxy_neighbour(index, address(2)).unwrap());
        assert_eq!(netlink.proxy_neighbours(index).unwrap(), [address(3)]);
    });
}

#[test]
fn a_missing_bridge_is_an_error_and_not_a_missing_entry() {
    in_fresh_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        let nowhere = LinkIndex(77);
        let errors = [
            netlink
                .add_proxy_neighbour(nowhere, address(2))
                .unwrap_err(),
            netlink
                .delete_proxy_neighbour(nowhere, address(2))
                .unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.raw_os_error(), Some(libc::ENODEV));
            assert!(error.to_string().contains("`fd00::2`"), "{error}");
        }
    });
}

#[test]
fn the_steps_print_their_commands() {
    let bridge = "minirun0".to_string();
    let address = address(2);
    let adding = ProxyNeighbour {
        bridge: bridge.clone(),
        address,
    };
    assert_eq!(
        adding.explain().command,
        "ip -6 neighbour add proxy fd00::2 dev minirun0"
    );
    let removing = RemoveProxyNeighbour { bridge, address };
    assert_eq!(
        removing.explain().command,
        "ip -6 neighbour delete proxy fd00::2 dev minirun0"
    );
}
