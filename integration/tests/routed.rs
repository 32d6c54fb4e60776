//! Networks whose containers are reached under their own addresses: `gateway_mode=routed`.

use std::net::SocketAddr;

use minirun_integration::probe::{LONG_WAIT, Reach, SHORT_WAIT, tcp_connect, tcp_listen};
use minirun_integration::{
    Container, HOST_ADDRESS, HOST_ADDRESS_V6, NEIGHBOUR_ADDRESS, NEIGHBOUR_ADDRESS_V6, TestHost,
};

/// A routed network of both families, and the neighbour's routes to it.
fn routed_network(host: &TestHost, name: &str) {
    let network = host.network(name, "--ipv6 -o gateway_mode=routed");
    for route in [
        format!("route add {} via {HOST_ADDRESS}", network.subnet()),
        format!("route add {} via {HOST_ADDRESS_V6}", network.subnet_v6()),
    ] {
        host.neighbour().command("ip", route).succeeds();
    }
}

/// A container on the network that publishes its port 80.
fn server<'host>(host: &'host TestHost, name: &str, network: &str) -> Container<'host> {
    host.serves(name, &format!("--network {network} -p 8080:80"), 80)
}

#[test]
fn a_neighbour_reaches_published_ports_and_no_others() {
    let host = TestHost::create();
    routed_network(&host, "net1");
    let container = server(&host, "web1", "net1");
    let listener = container.inside(|| tcp_listen(81));
    for address in container.addresses_on("net1") {
        for (port, expected, patience) in [
            (80, Reach::Open, LONG_WAIT),
            (81, Reach::Silent, SHORT_WAIT),
        ] {
            let target = SocketAddr::new(address, port);
            assert_eq!(
                host.neighbour().inside(|| tcp_connect(target, patience)),
                expected,
                "to {target}"
            );
        }
        let ping = ["ping", "-c", "1", "-W", "10", &address.to_string()];
        host.neighbour().command("busybox", ping).succeeds();
    }
    drop(listener);
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn nothing_is_bound_or_translated_on_the_host() {
    let host = TestHost::create();
    routed_network(&host, "net1");
    server(&host, "web1", "net1");
    let own = host.inside(|| tcp_listen(8080));
    for address in [HOST_ADDRESS.into(), HOST_ADDRESS_V6.into()] {
        let target = SocketAddr::new(address, 8080);
        host.neighbour().inside(|| tcp_connect(target, LONG_WAIT));
        assert!(
            own.next_peer(LONG_WAIT).is_some(),
            "the host's own program should be reached at {target}, not the container"
        );
    }
    host.rules("nat").lack(&["-j DNAT"]);
    host.rules6("nat").lack(&["-j DNAT"]);
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn containers_are_seen_under_their_own_addresses() {
    let host = TestHost::create();
    routed_network(&host, "net1");
    let container = server(&host, "web1", "net1");
    let listener = host.neighbour().inside(|| tcp_listen(443));
    let outside = [NEIGHBOUR_ADDRESS.into(), NEIGHBOUR_ADDRESS_V6.into()];
    for (own, outside) in container.addresses_on("net1").into_iter().zip(outside) {
        let target = SocketAddr::new(outside, 443);
        assert_eq!(
            container.inside(|| tcp_connect(target, LONG_WAIT)),
            Reach::Open
        );
        let peer = listener.next_peer(LONG_WAIT).map(|peer| peer.ip());
        assert_eq!(peer, Some(own));
    }
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn from_other_networks_published_ports_of_routed_ones_are_reached_and_nothing_else() {
    let host = TestHost::create();
    routed_network(&host, "routed1");
    routed_network(&host, "routed2");
    host.network("translated", "--ipv6");
    for (name, network, port) in [
        ("r1", "routed1", 8081),
        ("r2", "routed2", 8082),
        ("t1", "translated", 8083),
    ] {
        let options = format!("--network {network} -p {port}:80");
        host.serves(name, &options, 80);
    }
    let network_of = |container: &Container<'_>| container.networks().remove(0);
    let published = [("r1", "r2"), ("r2", "r1"), ("t1", "r1"), ("t1", "r2")];
    for family in [0, 1] {
        for (port, open) in [(80, &published[..]), (81, &[])] {
            let listeners =
                ["r1", "r2", "t1"].map(|name| host.container(name).inside(|| tcp_listen(81)));
            let matrix = host.reach_matrix_at(&["r1", "r2", "t1"], open, |container| {
                let address = container.addresses_on(&network_of(container))[family];
                SocketAddr::new(address, port)
            });
            for ((source, target), reach) in &matrix {
                let expected = open.contains(&(source.as_str(), target.as_str()));
                assert_eq!(
                    *reach == Reach::Open,
                    expected,
                    "{source} to {target} on {port}: {reach:?}"
                );
            }
            drop(listeners);
        }
    }
    host.removes("r1 r2 t1");
    host.removes_networks("routed1 routed2 translated");
    host.finish();
}

#[test]
fn with_communication_off_routed_peers_stay_apart() {
    let host = TestHost::create();
    routed_network(&host, "net1");
    host.minirun("network update net1 --icc false").succeeds();
    let (one, other) = (
        host.serves("web1", "--network net1 -p 8081:80", 80),
        host.serves("web2", "--network net1 --expose 80", 80),
    );
    for address in other.addresses_on("net1") {
        let target = SocketAddr::new(address, 80);
        assert_eq!(
            one.inside(|| tcp_connect(target, SHORT_WAIT)),
            Reach::Silent,
            "to {target}"
        );
    }
    host.removes("web1 web2");
    host.removes_networks("net1");
    host.finish();
}
