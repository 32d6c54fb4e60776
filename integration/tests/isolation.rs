//! What networks keep apart: each other, the LAN, the host's loopback, and with communication off their own containers.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};

use minirun_integration::probe::{
    EthernetSocket, LONG_WAIT, Reach, SHORT_WAIT, http_get, tcp_connect, tcp_listen,
};
use minirun_integration::{Container, HOST_ADDRESS, NEIGHBOUR_ADDRESS, TestHost};

/// A container on one network, where a test calls it: its IPv4 address and port 80.
fn at_port_80(container: &Container<'_>) -> SocketAddr {
    let networks = container.networks();
    SocketAddr::new(container.address_on(&networks[0]).into(), 80)
}

/// The pairs of a matrix that are open, in the order of the alphabet.
fn open_pairs(matrix: &BTreeMap<(String, String), Reach>) -> Vec<(&str, &str)> {
    let open = matrix.iter().filter(|(_, reach)| **reach == Reach::Open);
    open.map(|((source, target), _)| (source.as_str(), target.as_str()))
        .collect()
}

/// Sets `bridge-nf-call-iptables` both ways, one after the other, and runs `look` each time.
fn with_and_without_bridge_rules(host: &TestHost, look: impl Fn(&str)) {
    for value in ["0", "1"] {
        // A kernel without br_netfilter behaves as with 0, so there the second look is at the same thing.
        host.set_sysctl("net/bridge/bridge-nf-call-iptables", value);
        look(&format!("bridge-nf-call-iptables={value}"));
    }
}

#[test]
fn networks_cannot_reach_each_other() {
    let host = TestHost::create();
    host.network("net1", "");
    host.network("net2", "");
    for (name, network) in [
        ("a1", "net1"),
        ("a2", "net1"),
        ("b1", "net2"),
        ("b2", "net2"),
        ("c1", "bridge"),
    ] {
        host.serves(name, &format!("--network {network}"), 80);
    }
    let within = [("a1", "a2"), ("a2", "a1"), ("b1", "b2"), ("b2", "b1")];
    with_and_without_bridge_rules(&host, |occasion| {
        let matrix = host.reach_matrix_at(&["a1", "a2", "b1", "b2", "c1"], &within, at_port_80);
        assert_eq!(open_pairs(&matrix), within, "{occasion}");
        let refused = matrix.values().any(|reach| *reach == Reach::Refused);
        assert!(!refused, "{occasion}: nobody answers for another network");
    });
    host.removes("a1 a2 b1 b2 c1");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn only_published_ports_lead_from_one_network_into_another() {
    let host = TestHost::create();
    let gateway = host.network("net1", "").gateway();
    host.network("net2", "");
    let caller = host.serves("web1", "--network net1", 80);
    let called = host.serves("web2", "--network net2 -p 8080:80", 80);
    for address in [IpAddr::V4(HOST_ADDRESS), gateway] {
        caller
            .inside(|| http_get((address, 8080), "/"))
            .unwrap_or_else(|error| panic!("to {address}: {error}"));
    }
    let direct = SocketAddrV4::new(called.address_on("net2"), 80);
    assert_eq!(
        caller.inside(|| tcp_connect(direct, SHORT_WAIT)),
        Reach::Silent,
        "to its own address"
    );
    host.removes("web1 web2");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn a_neighbour_with_a_route_into_a_network_reaches_nobody() {
    let host = TestHost::create();
    let subnet = host.network("net1", "").subnet();
    let published = host.serves("web1", "--network net1 -p 8080:80", 80);
    let hidden = host.serves("web2", "--network net1", 80);
    host.neighbour()
        .command("ip", format!("route add {subnet} via {HOST_ADDRESS}"))
        .succeeds();
    for icc in ["true", "false"] {
        host.minirun(format!("network update net1 --icc={icc}"))
            .succeeds();
        for container in [&published, &hidden] {
            let target = at_port_80(container);
            assert_eq!(
                host.neighbour().inside(|| tcp_connect(target, SHORT_WAIT)),
                Reach::Silent,
                "icc={icc}"
            );
        }
    }
    host.removes("web1 web2");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn an_internal_network_has_no_way_out_and_no_way_in() {
    let host = TestHost::create();
    let network = host.network("inner", "--internal");
    host.network("outer", "");
    let one = host.serves("web1", "--network inner -p 8080:80", 80);
    host.serves("web2", "--network inner", 80);
    let other = host.serves("web3", "--network outer", 80);
    let _outside = host.neighbour().inside(|| tcp_listen(443));
    let outside = SocketAddrV4::new(NEIGHBOUR_ADDRESS, 443);
    assert_eq!(one.default_route("-4"), "");
    assert_eq!(
        one.inside(|| tcp_connect(outside, SHORT_WAIT)),
        Reach::Unreachable
    );
    let both = [("web1", "web2"), ("web2", "web1")];
    let matrix = host.reach_matrix_at(&["web1", "web2", "web3"], &both, at_port_80);
    assert_eq!(open_pairs(&matrix), both);
    let target = at_port_80(&one);
    assert_eq!(host.inside(|| tcp_connect(target, LONG_WAIT)), Reach::Open);
    let _service = host.inside(|| tcp_listen(9000));
    let service = SocketAddr::new(network.gateway(), 9000);
    assert_eq!(one.inside(|| tcp_connect(service, LONG_WAIT)), Reach::Open);
    let published = SocketAddrV4::new(HOST_ADDRESS, 8080);
    // Its host port is held, and leads nowhere until the container is connected to another network.
    assert_eq!(
        host.neighbour()
            .inside(|| tcp_connect(published, SHORT_WAIT)),
        Reach::Silent
    );
    // A container that finds the way by itself, and a neighbour that knows it, are not let through.
    one.command("ip", format!("route add default via {}", network.gateway()))
        .succeeds();
    host.neighbour()
        .command(
            "ip",
            format!("route add {} via {HOST_ADDRESS}", network.subnet()),
        )
        .succeeds();
    for value in [outside, SocketAddrV4::new(other.address_on("outer"), 80)] {
        assert_eq!(
            one.inside(|| tcp_connect(value, SHORT_WAIT)),
            Reach::Silent,
            "to {value}"
        );
    }
    assert_eq!(
        host.neighbour().inside(|| tcp_connect(target, SHORT_WAIT)),
        Reach::Silent
    );
    host.removes("web1 web2 web3");
    host.removes_networks("inner outer");
    host.finish();
}

#[test]
fn a_container_on_an_internal_network_gets_out_by_another() {
    let host = TestHost::create();
    host.network("inner", "--internal");
    host.network("outer", "");
    let container = host.serves("web1", "--network inner --network outer", 80);
    let listener = host.neighbour().inside(|| tcp_listen(443));
    let outside = SocketAddrV4::new(NEIGHBOUR_ADDRESS, 443);
    assert_eq!(
        container.inside(|| tcp_connect(outside, LONG_WAIT)),
        Reach::Open
    );
    let peer = listener.next_peer(LONG_WAIT).map(|peer| peer.ip());
    assert_eq!(peer, Some(HOST_ADDRESS.into()));
    host.removes("web1");
    host.removes_networks("inner outer");
    host.finish();
}

#[test]
fn with_communication_off_containers_of_one_network_do_not_reach_each_other() {
    let host = TestHost::create();
    for (name, options) in [
        ("net1", "--icc false"),
        ("net2", "-o com.docker.network.bridge.enable_icc=false"),
        ("net3", "--internal --icc false"),
    ] {
        host.network(name, options);
        let (one, other) = (
            host.serves("web1", &format!("--network {name}"), 80),
            host.serves("web2", &format!("--network {name}"), 80),
        );
        with_and_without_bridge_rules(&host, |occasion| {
            let matrix = host.reach_matrix_at(&["web1", "web2"], &[], at_port_80);
            let silent = matrix.values().all(|reach| *reach == Reach::Silent);
            assert!(silent, "{name}, {occasion}: {matrix:?}");
            let target = at_port_80(&one);
            assert_eq!(host.inside(|| tcp_connect(target, LONG_WAIT)), Reach::Open);
        });
        let receiver = other.inside(|| EthernetSocket::open("eth0"));
        one.inside(|| EthernetSocket::open("eth0").send([0xff; 6], b"to all"));
        assert_eq!(receiver.receive(SHORT_WAIT), None, "{name}");
        drop(receiver);
        host.removes("web1 web2");
        host.removes_networks(name);
    }
    host.finish();
}

#[test]
fn communication_is_switched_for_those_who_run_and_for_this_network_only() {
    let host = TestHost::create();
    for network in ["net1", "net2"] {
        host.network(network, "");
    }
    for (name, network) in [
        ("a1", "net1"),
        ("a2", "net1"),
        ("b1", "net2"),
        ("b2", "net2"),
    ] {
        host.serves(name, &format!("--network {network}"), 80);
    }
    let all = [("a1", "a2"), ("a2", "a1"), ("b1", "b2"), ("b2", "b1")];
    for (icc, open) in [("false", &all[2..]), ("true", &all[..])] {
        host.minirun(format!("network update net1 --icc {icc}"))
            .succeeds();
        let matrix = host.reach_matrix_at(&["a1", "a2", "b1", "b2"], open, at_port_80);
        assert_eq!(open_pairs(&matrix), open, "icc={icc}");
    }
    host.removes("a1 a2 b1 b2");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn two_that_are_apart_on_one_network_may_meet_on_another() {
    let host = TestHost::create();
    host.network("closed", "--icc false");
    host.network("open", "");
    let both = "--network closed --network open";
    let (one, other) = (host.serves("web1", both, 80), host.serves("web2", both, 80));
    for (network, expected, patience) in [
        ("closed", Reach::Silent, SHORT_WAIT),
        ("open", Reach::Open, LONG_WAIT),
    ] {
        let target = SocketAddrV4::new(other.address_on(network), 80);
        assert_eq!(
            one.inside(|| tcp_connect(target, patience)),
            expected,
            "{network}"
        );
    }
    host.removes("web1 web2");
    host.removes_networks("closed open");
    host.finish();
}

#[test]
fn the_hosts_own_loopback_is_out_of_reach() {
    let host = TestHost::create();
    let gateway = host.network("net1", "").gateway();
    // A port published on 127.0.0.1 makes the host route such packets at all.
    let container = host.serves("web1", "--network net1 -p 127.0.0.1:8080:80", 80);
    let service = host
        .inside(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 9000)))
        .expect("the port is free");
    let own = container.address_on("net1");
    // The container gives up its own 127.0.0.1 and sends packets for it to the host.
    for command in [
        String::from("address del 127.0.0.1/8 dev lo"),
        format!("route add 127.0.0.1/32 via {gateway} src {own}"),
    ] {
        container.command("ip", command).succeeds();
    }
    container
        .command(
            "sh",
            ["-c", "echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet"],
        )
        .succeeds();
    for port in [9000, 8080] {
        let target = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        assert_eq!(
            container.inside(|| tcp_connect(target, SHORT_WAIT)),
            Reach::Silent,
            "port {port}"
        );
    }
    drop(service);
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}
