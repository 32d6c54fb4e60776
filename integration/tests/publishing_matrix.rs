//! Published ports as a matrix: family × protocol × address bound × caller's place × communication × `br_netfilter`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use minirun_integration::probe::{
    LONG_WAIT, Reach, SHORT_WAIT, tcp_connect, tcp_listen, udp_ask, udp_echo,
};
use minirun_integration::{
    HOST_ADDRESS, HOST_ADDRESS_V6, NEIGHBOUR_ADDRESS, NEIGHBOUR_ADDRESS_V6, Place, TestHost,
};

/// The port in the container that every publication below leads to, for TCP and UDP.
const INNER: u16 = 80;

/// Where a port is bound, and the host port.
#[derive(Debug, Clone, Copy)]
struct Bound {
    /// As it stands before the port in `-p`.
    written: &'static str,
    port: u16,
    /// The addresses of the host at which it is to be reached from the host itself.
    from_host: &'static [IpAddr],
    /// The addresses at which it is to be reached from the LAN and from other containers.
    from_elsewhere: &'static [IpAddr],
}

const V4: IpAddr = IpAddr::V4(HOST_ADDRESS);
const V6: IpAddr = IpAddr::V6(HOST_ADDRESS_V6);
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Every kind of address that a port can be bound to.
const BOUND: [Bound; 6] = [
    Bound {
        written: "",
        port: 8001,
        from_host: &[V4, V6, LOOPBACK],
        from_elsewhere: &[V4, V6],
    },
    Bound {
        written: "0.0.0.0:",
        port: 8002,
        from_host: &[V4, LOOPBACK],
        from_elsewhere: &[V4],
    },
    Bound {
        written: "192.0.2.1:",
        port: 8003,
        from_host: &[V4],
        from_elsewhere: &[V4],
    },
    Bound {
        written: "127.0.0.1:",
        port: 8004,
        from_host: &[LOOPBACK],
        from_elsewhere: &[],
    },
    Bound {
        written: "[::]:",
        port: 8005,
        from_host: &[V6],
        from_elsewhere: &[V6],
    },
    Bound {
        written: "[2001:db8:0:1::1]:",
        port: 8006,
        from_host: &[V6],
        from_elsewhere: &[V6],
    },
];

/// The addresses of the host that are tried from everywhere.
const TRIED: [IpAddr; 2] = [V4, V6];

fn options() -> String {
    let both = |one: &Bound| {
        let Bound { written, port, .. } = one;
        format!("-p {written}{port}:{INNER} -p {written}{port}:{INNER}/udp ")
    };
    BOUND.iter().map(both).collect()
}

/// Whether a connection and a datagram get through from `place`, each with an answer.
fn passes(place: &Place, target: SocketAddr, patience: Duration) -> [bool; 2] {
    place.inside(|| {
        [
            tcp_connect(target, patience) == Reach::Open,
            udp_ask(target, "x", patience).is_some(),
        ]
    })
}

/// Expects a place to reach exactly the wanted addresses of every bound port.
#[track_caller]
fn reaches(place: &Place, wanted: impl Fn(&Bound) -> &'static [IpAddr], what: &str) {
    for bound in &BOUND {
        let wanted = wanted(bound);
        let mut tried = TRIED.to_vec();
        tried.extend(wanted.iter().filter(|address| !TRIED.contains(address)));
        for address in tried {
            let expected = wanted.contains(&address);
            let patience = if expected { LONG_WAIT } else { SHORT_WAIT };
            let target = SocketAddr::new(address, bound.port);
            assert_eq!(
                passes(place, target, patience),
                [expected; 2],
                "{what} to {target}, published with `{}`",
                bound.written
            );
        }
    }
}

#[test]
fn who_reaches_a_port_depends_on_the_address_bound_and_never_on_br_netfilter() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    host.network("net2", "--ipv6");
    let server = host.idles("server", &format!("--network net1 {}", options()));
    let served = server.inside(|| (tcp_listen(INNER), udp_echo(INNER)));
    let places = [
        ("peer", "--network net1"),
        ("linked", "--network net1 --link server"),
        ("other", "--network net2"),
    ]
    .map(|(name, options)| host.idles(name, options).place());
    let [peer, linked, other] = &places;
    for (icc, bridge_rules) in [("true", "0"), ("true", "1"), ("false", "0"), ("false", "1")] {
        host.minirun(format!("network update net1 --icc={icc}"))
            .succeeds();
        for name in ["iptables", "ip6tables"] {
            host.set_sysctl(&format!("net/bridge/bridge-nf-call-{name}"), bridge_rules);
        }
        let what = |who: &str| format!("{who}, icc={icc}, bridge-nf-call={bridge_rules}:");
        reaches(host.place(), |bound| bound.from_host, &what("the host"));
        reaches(
            host.neighbour(),
            |bound| bound.from_elsewhere,
            &what("the LAN"),
        );
        reaches(
            other,
            |bound| bound.from_elsewhere,
            &what("another network"),
        );
        let nothing: &'static [IpAddr] = &[];
        let of_peer = |bound: &Bound| {
            if icc == "true" {
                bound.from_elsewhere
            } else {
                nothing
            }
        };
        reaches(peer, of_peer, &what("a peer"));
        // With br_netfilter a translated packet can be refused by the isolated port that it is bridged through.
        if (icc, bridge_rules) != ("false", "1") {
            reaches(linked, |bound| bound.from_elsewhere, &what("a linked peer"));
        }
    }
    drop((served, places));
    host.removes("server peer linked other");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn callers_are_seen_under_their_own_addresses() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    let server = host.idles("server", "--network net1 -p 8001:80");
    let listener = server.inside(|| tcp_listen(INNER));
    for (target, caller) in [
        (V4, IpAddr::V4(NEIGHBOUR_ADDRESS)),
        (V6, IpAddr::V6(NEIGHBOUR_ADDRESS_V6)),
    ] {
        let target = SocketAddr::new(target, 8001);
        let reach = host.neighbour().inside(|| tcp_connect(target, LONG_WAIT));
        assert_eq!(reach, Reach::Open, "{target}");
        let seen = listener.next_peer(LONG_WAIT).map(|peer| peer.ip());
        assert_eq!(seen, Some(caller));
    }
    drop(listener);
    host.removes("server");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn a_container_is_not_let_in_to_what_the_host_serves_on_its_loopback() {
    let host = TestHost::create();
    let network = host.network("net1", "");
    host.serves("published", "--network net1 -p 127.0.0.1:8080:80", 80);
    let caller = host.idles("caller", "--network net1");
    let local = host.inside(|| std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 7000)));
    let local = local.expect("the port is free");
    for address in [network.gateway(), V4] {
        for port in [7000, 8080] {
            let target = SocketAddr::new(address, port);
            // Being refused is an answer, for which a busy machine may need its time.
            assert_eq!(
                caller.inside(|| tcp_connect(target, LONG_WAIT)),
                Reach::Refused,
                "{target}"
            );
        }
    }
    // It gives up its own 127.0.0.1 and sends packets for it to the host.
    let gateway = network.gateway();
    let own = caller.address_on("net1");
    caller
        .command("ip", "address del 127.0.0.1/8 dev lo")
        .succeeds();
    caller
        .command(
            "ip",
            format!("route add 127.0.0.1/32 via {gateway} src {own}"),
        )
        .succeeds();
    let allow = "echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet";
    caller.command("sh", ["-c", allow]).succeeds();
    for port in [7000, 8080] {
        let target = SocketAddr::new(LOOPBACK, port);
        let reach = caller.inside(|| tcp_connect(target, SHORT_WAIT));
        assert_eq!(reach, Reach::Silent, "{target}");
    }
    drop(local);
    host.removes("published caller");
    host.removes_networks("net1");
    host.finish();
}

/// Sends the neighbour's packets for a network's addresses straight to the host.
fn route_straight(host: &TestHost, network: &str) {
    let network = host.network_called(network);
    for (subnet, via) in [(network.subnet(), V4), (network.subnet_v6(), V6)] {
        host.neighbour()
            .command("ip", format!("route add {subnet} via {via}"))
            .succeeds();
    }
}

#[test]
fn what_the_lan_reaches_straight_depends_on_the_gateway_mode() {
    for (mode, published, unpublished) in [
        ("nat", Reach::Silent, Reach::Silent),
        ("routed", Reach::Open, Reach::Silent),
    ] {
        for policy in ["ACCEPT", "DROP"] {
            let host = TestHost::create();
            for program in ["iptables", "ip6tables"] {
                host.command(program, format!("-w -P FORWARD {policy}"))
                    .succeeds();
            }
            host.network("net1", &format!("--ipv6 -o gateway_mode={mode}"));
            route_straight(&host, "net1");
            let server = host.idles("server", "--network net1 -p 8001:80 --expose 81");
            let served = server.inside(|| (tcp_listen(80), tcp_listen(81)));
            for address in server.addresses_on("net1") {
                for (port, expected) in [(80, published), (81, unpublished)] {
                    let target = SocketAddr::new(address, port);
                    let patience = if expected == Reach::Open {
                        LONG_WAIT
                    } else {
                        SHORT_WAIT
                    };
                    let reach = host.neighbour().inside(|| tcp_connect(target, patience));
                    assert_eq!(reach, expected, "{mode}, {policy}: {target}");
                    assert_eq!(
                        host.inside(|| tcp_connect(target, LONG_WAIT)),
                        Reach::Open,
                        "the host reaches everything"
                    );
                }
                // Only where no answer is expected is it waited for in vain.
                let seconds = if mode == "routed" { 10 } else { 1 };
                let ping = format!("ping -c 1 -W {seconds} {address}");
                let answered = host.neighbour().command("busybox", &ping).code() == Some(0);
                assert_eq!(answered, mode == "routed", "{mode}, {policy}: {ping}");
            }
            drop(served);
            host.removes("server");
            host.removes_networks("net1");
            host.finish();
        }
    }
}

#[test]
fn between_networks_only_what_is_published_passes_and_into_nat_only_through_the_host() {
    let host = TestHost::create();
    for (network, mode) in [
        ("nat1", "nat"),
        ("nat2", "nat"),
        ("way1", "routed"),
        ("way2", "routed"),
    ] {
        host.network(network, &format!("--ipv6 -o gateway_mode={mode}"));
        let server = host.idles(network, &format!("--network {network} -p 80"));
        assert_eq!(server.networks(), [network]);
    }
    let names = ["nat1", "nat2", "way1", "way2"];
    let served = names.map(|name| {
        host.container(name)
            .inside(|| (tcp_listen(80), tcp_listen(81)))
    });
    for from in names {
        for to in names.into_iter().filter(|to| *to != from) {
            for address in host.container(to).addresses_on(to) {
                for port in [80, 81] {
                    let open = port == 80 && to.starts_with("way");
                    let patience = if open { LONG_WAIT } else { SHORT_WAIT };
                    let target = SocketAddr::new(address, port);
                    let reach = host
                        .container(from)
                        .inside(|| tcp_connect(target, patience));
                    let expected = if open { Reach::Open } else { Reach::Silent };
                    assert_eq!(reach, expected, "{from} to {to}: {target}");
                }
            }
        }
    }
    drop(served);
    host.removes(&names.join(" "));
    host.removes_networks(&names.join(" "));
    host.finish();
}

#[test]
fn a_routed_network_binds_nothing_on_the_host_and_hides_no_address() {
    let host = TestHost::create();
    host.network("net1", "--ipv6 -o gateway_mode=routed");
    route_straight(&host, "net1");
    let server = host.serves("server", "--network net1 -p 8001:80", 80);
    for address in TRIED {
        let target = SocketAddr::new(address, 8001);
        let reach = host.neighbour().inside(|| tcp_connect(target, LONG_WAIT));
        assert_eq!(reach, Reach::Refused, "{target}");
    }
    let outside = host.neighbour().inside(|| tcp_listen(443));
    let neighbours: [IpAddr; 2] = [NEIGHBOUR_ADDRESS.into(), NEIGHBOUR_ADDRESS_V6.into()];
    for (neighbour, own) in neighbours.into_iter().zip(server.addresses_on("net1")) {
        let target = SocketAddr::new(neighbour, 443);
        assert_eq!(
            server.inside(|| tcp_connect(target, LONG_WAIT)),
            Reach::Open
        );
        let seen = outside.next_peer(LONG_WAIT).map(|peer| peer.ip());
        assert_eq!(seen, Some(own));
    }
    drop(outside);
    host.removes("server");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn on_a_network_without_ipv6_a_port_is_bound_for_ipv4_alone() {
    let host = TestHost::create();
    host.network("net1", "");
    host.serves("server", "--network net1 -p 8001:80", 80);
    host.minirun("port server")
        .succeeds()
        .stdout_is("80/tcp -> 0.0.0.0:8001");
    let target = SocketAddr::from((Ipv6Addr::LOCALHOST, 8001));
    assert_eq!(
        host.inside(|| tcp_connect(target, LONG_WAIT)),
        Reach::Refused
    );
    host.minirun("run -d --network net1 -p [::]:8002:80 demo true")
        .fails_with(125)
        .stderr_contains("IPv6")
        .stderr_contains("hint: ");
    host.minirun("ps -a").succeeds().stdout_lacks("8002");
    host.removes("server");
    host.removes_networks("net1");
    host.finish();
}
