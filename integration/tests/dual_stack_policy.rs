//! One policy for both families: what is open over IPv4 is open over IPv6, and nothing else is.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use minirun_integration::probe::{
    LONG_WAIT, Reach, SHORT_WAIT, http_get, tcp_connect, tcp_connect_from, tcp_listen, udp_ask,
    udp_echo,
};
use minirun_integration::{
    Container, HOST_ADDRESS, HOST_ADDRESS_V6, NEIGHBOUR_ADDRESS_V6, TestHost,
};

/// How long to wait for what is expected.
fn patience(expected: Reach) -> std::time::Duration {
    match expected {
        Reach::Open => LONG_WAIT,
        _ => SHORT_WAIT,
    }
}

/// Expects the same answer at every address that the target has on the network.
#[track_caller]
fn reaches(source: &Container<'_>, target: &Container<'_>, port: u16, expected: Reach) {
    for address in target.addresses_on("net1") {
        let target = SocketAddr::new(address, port);
        assert_eq!(
            source.inside(|| tcp_connect(target, patience(expected))),
            expected,
            "to {target}"
        );
    }
}

/// Has the kernel show bridged IPv6 packets to its rules, or not. Kernels without br_netfilter never do.
fn set_bridge_rules(host: &TestHost, value: &str) {
    for family in ["iptables", "ip6tables"] {
        host.set_sysctl(&format!("net/bridge/bridge-nf-call-{family}"), value);
    }
}

#[test]
fn communication_on_and_off_is_the_same_for_both_families() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    let one = host.serves("web1", "--network net1", 80);
    let other = host.serves("web2", "--network net1", 80);
    for (icc, expected) in [
        ("true", Reach::Open),
        ("false", Reach::Silent),
        ("true", Reach::Open),
    ] {
        host.minirun(format!("network update net1 --icc {icc}"))
            .succeeds();
        for value in ["0", "1"] {
            set_bridge_rules(&host, value);
            reaches(&one, &other, 80, expected);
            reaches(&other, &one, 80, expected);
            for address in one.addresses_on("net1") {
                host.inside(|| http_get((address, 80), "/"))
                    .unwrap_or_else(|error| panic!("the host to {address}, icc={icc}: {error}"));
            }
        }
    }
    host.removes("web1 web2");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn with_communication_off_links_open_the_same_ports_over_both_families() {
    let host = TestHost::create();
    host.network("net1", "--ipv6 --icc false");
    host.minirun("run -d --name web1 --network net1 --expose 80 demo sleep infinity")
        .succeeds();
    host.minirun("run -d --name web2 --network net1 --link web1:web demo sleep infinity")
        .succeeds();
    host.minirun("run -d --name web3 --network net1 demo sleep infinity")
        .succeeds();
    let (target, source, other) = (
        host.container("web1"),
        host.container("web2"),
        host.container("web3"),
    );
    let unrelated = source.inside(|| tcp_listen(9999));
    for value in ["0", "1"] {
        set_bridge_rules(&host, value);
        let listeners = [80, 81].map(|port| target.inside(|| tcp_listen(port)));
        reaches(&source, &target, 80, Reach::Open);
        reaches(&source, &target, 81, Reach::Silent);
        reaches(&other, &target, 80, Reach::Silent);
        drop(listeners);
        reaches(&target, &source, 9999, Reach::Silent);
        for address in source.addresses_on("net1") {
            let back = SocketAddr::new(address, 9999);
            assert_eq!(
                target.inside(|| tcp_connect_from(80, back, SHORT_WAIT)),
                Reach::Silent,
                "to {back} from the exposed port"
            );
        }
    }
    drop(unrelated);
    host.removes("web1 web2 web3");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn with_communication_off_neighbours_are_found_and_forgotten() {
    let host = TestHost::create();
    let network = host.network("net1", "--ipv6 --icc false");
    let one = host.serves("web1", "--network net1 --expose 80", 80);
    host.minirun("run -d --name web2 --network net1 --link web1:web demo sleep infinity")
        .succeeds();
    let source = host.container("web2");
    let address = one.ipv6_on("net1");
    let bridge = network.bridge();
    let proxied = || {
        let listed = host.command("ip", ["-6", "neighbour", "show", "proxy", "dev", &bridge]);
        listed.succeeds().stdout().to_owned()
    };
    assert!(proxied().contains(&address.to_string()), "{}", proxied());
    // Many connections in a row: nothing that the kernel learns on the way may break the next one.
    let target = SocketAddr::from((address, 80));
    for round in 0..20 {
        let answer = source.inside(|| http_get(target, "/"));
        assert!(answer.is_ok(), "connection {round}: {answer:?}");
    }
    source
        .command("ip", "-6 neighbour flush dev eth0")
        .succeeds();
    source
        .inside(|| http_get(target, "/"))
        .expect("a forgotten neighbour is found again");
    let gateway = network.gateway_v6().to_string();
    source
        .command("busybox", ["ping", "-c", "1", "-W", "10", &gateway])
        .succeeds();
    host.removes("web1");
    assert!(!proxied().contains(&address.to_string()), "{}", proxied());
    host.removes("web2");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn networks_are_kept_apart_over_ipv6() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    host.network("net2", "--ipv6");
    let one = host.serves("web1", "--network net1", 80);
    let other = host.serves("web2", "--network net2 -p 8080:80", 80);
    let target = SocketAddr::from((other.ipv6_on("net2"), 80));
    for value in ["0", "1"] {
        set_bridge_rules(&host, value);
        assert_eq!(
            one.inside(|| tcp_connect(target, SHORT_WAIT)),
            Reach::Silent
        );
        one.inside(|| http_get((HOST_ADDRESS_V6, 8080), "/"))
            .expect("the published port leads there");
    }
    host.removes("web1 web2");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn an_internal_network_is_closed_over_ipv6() {
    let host = TestHost::create();
    let network = host.network("inner", "--internal --ipv6");
    let container = host.serves("web1", "--network inner", 80);
    let _outside = host.neighbour().inside(|| tcp_listen(443));
    let outside = SocketAddr::from((NEIGHBOUR_ADDRESS_V6, 443));
    assert_eq!(container.default_route("-6"), "");
    assert_eq!(
        container.inside(|| tcp_connect(outside, SHORT_WAIT)),
        Reach::Unreachable
    );
    let gateway = network.gateway_v6();
    container
        .command("ip", format!("-6 route add default via {gateway}"))
        .succeeds();
    assert_eq!(
        container.inside(|| tcp_connect(outside, SHORT_WAIT)),
        Reach::Silent
    );
    let own = SocketAddr::from((container.ipv6_on("inner"), 80));
    host.inside(|| http_get(own, "/"))
        .expect("the host may come in");
    let route = format!("route add {} via {HOST_ADDRESS_V6}", network.subnet_v6());
    host.neighbour().command("ip", route).succeeds();
    assert_eq!(
        host.neighbour().inside(|| tcp_connect(own, SHORT_WAIT)),
        Reach::Silent
    );
    host.removes("web1");
    host.removes_networks("inner");
    host.finish();
}

#[test]
fn a_neighbour_with_a_route_reaches_no_container_over_ipv6() {
    let host = TestHost::create();
    let subnet = host.network("net1", "--ipv6").subnet_v6();
    let container = host.serves("web1", "--network net1 -p 8080:80", 80);
    let route = format!("route add {subnet} via {HOST_ADDRESS_V6}");
    host.neighbour().command("ip", route).succeeds();
    for icc in ["true", "false"] {
        host.minirun(format!("network update net1 --icc {icc}"))
            .succeeds();
        let target = SocketAddr::from((container.ipv6_on("net1"), 80));
        assert_eq!(
            host.neighbour().inside(|| tcp_connect(target, SHORT_WAIT)),
            Reach::Silent,
            "icc={icc}"
        );
    }
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn a_port_is_published_on_the_addresses_that_were_named() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    let ipv4 = IpAddr::V4(HOST_ADDRESS);
    let ipv6 = IpAddr::V6(HOST_ADDRESS_V6);
    for (publish, listed, open) in [
        (
            "8080:80",
            "80/tcp -> 0.0.0.0:8080\n80/tcp -> [::]:8080",
            &[ipv4, ipv6][..],
        ),
        ("0.0.0.0:8080:80", "80/tcp -> 0.0.0.0:8080", &[ipv4]),
        ("[::]:8080:80", "80/tcp -> [::]:8080", &[ipv6]),
        (
            "[2001:db8:0:1::1]:8080:80",
            "80/tcp -> [2001:db8:0:1::1]:8080",
            &[ipv6],
        ),
    ] {
        let container = host.serves("web1", &format!("--network net1 -p {publish}"), 80);
        host.minirun("port web1").succeeds().stdout_is(listed);
        for address in [ipv4, ipv6] {
            let expected = match open.contains(&address) {
                true => Reach::Open,
                false => Reach::Refused,
            };
            for (caller, place) in [("neighbour", host.neighbour()), ("host", host.place())] {
                assert_eq!(
                    place.inside(|| tcp_connect((address, 8080), LONG_WAIT)),
                    expected,
                    "-p {publish}, from the {caller} to {address}"
                );
            }
            if expected == Reach::Open {
                container
                    .inside(|| http_get((address, 8080), "/"))
                    .unwrap_or_else(|error| panic!("-p {publish}, from itself: {error}"));
            }
        }
        host.removes("web1");
    }
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn one_random_port_serves_both_families() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    host.serves("web1", "--network net1 -p 80", 80);
    let listed = host.minirun("port web1 80").succeeds();
    let lines: Vec<_> = listed.stdout().lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(
        lines[0].strip_prefix("0.0.0.0:"),
        lines[1].strip_prefix("[::]:"),
        "{lines:?}"
    );
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn clients_are_seen_under_their_own_ipv6_address() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    host.minirun("run -d --name web1 --network net1 -p 8080:80 -p 5353:53/udp demo sleep infinity")
        .succeeds();
    let container = host.container("web1");
    let listener = container.inside(|| tcp_listen(80));
    let echo = container.inside(|| udp_echo(53));
    let neighbour = host.neighbour();
    assert_eq!(
        neighbour.inside(|| tcp_connect((HOST_ADDRESS_V6, 8080), LONG_WAIT)),
        Reach::Open
    );
    assert_eq!(
        listener.next_peer(LONG_WAIT).map(|peer| peer.ip()),
        Some(NEIGHBOUR_ADDRESS_V6.into())
    );
    let answer = neighbour.inside(|| udp_ask((HOST_ADDRESS_V6, 5353), "hello", LONG_WAIT));
    let expected = format!("hello [{NEIGHBOUR_ADDRESS_V6}]:");
    assert!(
        answer
            .as_ref()
            .is_some_and(|answer| answer.starts_with(&expected)),
        "{answer:?}"
    );
    drop((listener, echo));
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn the_hosts_loopback_is_not_reached_over_ipv6() {
    let host = TestHost::create();
    let gateway = host.network("net1", "--ipv6").gateway_v6();
    let container = host.serves("web1", "--network net1", 80);
    let _service = host
        .inside(|| std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 9000)))
        .expect("the port is free");
    for command in [
        String::from("-6 address del ::1/128 dev lo"),
        format!("-6 route add ::1/128 via {gateway} dev eth0"),
    ] {
        container.command("ip", command).succeeds();
    }
    let reach = container.inside(|| tcp_connect((Ipv6Addr::LOCALHOST, 9000), SHORT_WAIT));
    assert_ne!(reach, Reach::Open);
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}
