//! Networks with IPv6: addresses, routes and sysctls, in the container and on the host's side.

use std::net::{IpAddr, SocketAddr};

use minirun_integration::probe::{LONG_WAIT, Reach, http_get, tcp_connect, tcp_listen};
use minirun_integration::{
    Container, HOST_ADDRESS, HOST_ADDRESS_V6, NEIGHBOUR_ADDRESS, NEIGHBOUR_ADDRESS_V6, TestHost,
};

/// What the container sees in a sysctl of its network.
#[track_caller]
fn sysctl(container: &Container<'_>, name: &str) -> String {
    let path = format!("/proc/sys/{name}");
    container.inside(|| {
        std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("cannot read `{path}`: {error}"))
            .trim_end()
            .to_owned()
    })
}

/// The addresses of global scope on an interface of the container, with their prefix lengths.
#[track_caller]
fn global_addresses(container: &Container<'_>, interface: &str) -> Vec<String> {
    let listed = container
        .command(
            "ip",
            [
                "-oneline", "-6", "address", "show", "dev", interface, "scope", "global",
            ],
        )
        .succeeds();
    let address = |line: &str| line.split_whitespace().nth(3).map(str::to_owned);
    listed.stdout().lines().filter_map(address).collect()
}

#[test]
fn a_network_with_ipv6_gets_a_unique_local_subnet() {
    let host = TestHost::create();
    let (one, other) = (
        host.network("net1", "--ipv6"),
        host.network("net2", "--ipv6"),
    );
    let subnet = one.subnet_v6();
    assert!(
        subnet.starts_with("fd") && subnet.ends_with("::/64"),
        "{subnet}"
    );
    assert_ne!(subnet, other.subnet_v6());
    assert_eq!(one.inspect()["EnableIPv6"], true);
    let gateway = one.gateway_v6();
    assert_eq!(
        gateway.to_string(),
        subnet.replace("::/64", "::1"),
        "the first address is the gateway's"
    );
    let container = host.serves("web1", "--network net1", 80);
    let address = container.ipv6_on("net1");
    assert_eq!(
        global_addresses(&container, "eth0"),
        [format!("{address}/64")]
    );
    assert_eq!(
        container.default_route("-6"),
        format!("default via {gateway} dev eth0")
    );
    let membership = container.membership("net1");
    assert_eq!(membership["IPv6Gateway"], gateway.to_string());
    assert_eq!(membership["GlobalIPv6PrefixLen"], 64);
    let seen = one.inspect()["Containers"].take();
    let seen = seen.as_object().and_then(|all| all.values().next());
    assert_eq!(
        seen.map(|container| container["IPv6Address"].clone()),
        Some(format!("{address}/64").into())
    );
    host.removes("web1");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn subnets_gateways_and_addresses_of_both_families_can_be_chosen() {
    let host = TestHost::create();
    // A subnet of IPv6 says by itself that the network has IPv6.
    let network = host.network(
        "net1",
        "--subnet 10.1.0.0/24 --subnet fd00:1:2:3::/64 --gateway 10.1.0.254 --gateway fd00:1:2:3::ff \
         --ip-range fd00:1:2:3::1:0/112",
    );
    assert_eq!(network.inspect()["EnableIPv6"], true);
    assert_eq!(network.gateway_v6().to_string(), "fd00:1:2:3::ff");
    let given = host.serves("web1", "--network net1", 80).ipv6_on("net1");
    assert_eq!(given.segments()[..7], [0xfd00, 1, 2, 3, 0, 0, 1], "{given}");
    let asked = "--network net1 --ip 10.1.0.9 --ip6 fd00:1:2:3::9";
    let container = host.serves("web2", asked, 80);
    assert_eq!(
        container.addresses_on("net1"),
        ["10.1.0.9", "fd00:1:2:3::9"].map(|text| text.parse::<IpAddr>().expect("an address"))
    );
    for (address, fragment) in [
        ("fd00:1:2:3::9", "`web2`"),
        ("fd00:1:2:3::ff", "gateway"),
        ("fd00:9::9", "fd00:1:2:3::/64"),
    ] {
        host.minirun(format!("run --rm --network net1 --ip6 {address} demo true"))
            .fails_with(125)
            .stderr_contains(fragment);
    }
    host.minirun("restart -t 0 web2").succeeds();
    assert_eq!(container.ipv6_on("net1").to_string(), "fd00:1:2:3::9");
    host.removes("web1 web2");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn an_address_is_usable_at_once_from_everywhere_on_the_network() {
    let host = TestHost::create();
    let network = host.network("net1", "--ipv6");
    let _service = host.inside(|| tcp_listen(9000));
    host.minirun("run -d --name web1 --network net1 demo httpd -p 80")
        .succeeds();
    let container = host.container("web1");
    // The kernel makes the link-local address by itself when it has noticed that the interface is up, and has it tentative until
    // one of its threads gets to run. That it waits no longer than that is a setting.
    let address = container.ipv6_on("net1");
    container
        .command("ip", "-6 address show dev eth0 scope global")
        .succeeds()
        .stdout_contains(&format!("{address}/64"))
        .stdout_lacks("tentative");
    assert_eq!(sysctl(&container, "net/ipv6/conf/eth0/accept_dad"), "0");
    container.awaits_tcp(80);
    let peer = host.serves("web2", "--network net1", 80);
    let target = SocketAddr::from((address, 80));
    host.inside(|| http_get(target, "/")).expect("the host");
    peer.inside(|| http_get(target, "/")).expect("a peer");
    let service = SocketAddr::new(network.gateway_v6(), 9000);
    assert_eq!(
        container.inside(|| tcp_connect(service, LONG_WAIT)),
        Reach::Open
    );
    host.removes("web1 web2");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn a_network_without_ipv6_has_it_switched_off() {
    let host = TestHost::create();
    let bridge = host.network("net1", "").bridge();
    let container = host.serves("web1", "--network net1 --network bridge", 80);
    for interface in ["eth0", "eth1"] {
        let name = format!("net/ipv6/conf/{interface}/disable_ipv6");
        assert_eq!(sysctl(&container, &name), "1", "{interface}");
    }
    container
        .command("ip", "-oneline -6 address show")
        .succeeds()
        .stdout_contains("::1/128")
        .stdout_lacks("eth");
    for bridge in [bridge.as_str(), "minirun0"] {
        let name = format!("net/ipv6/conf/{bridge}/disable_ipv6");
        assert_eq!(host.sysctl(&name), "1", "{bridge}");
    }
    assert_eq!(container.membership("net1")["GlobalIPv6Address"], "");
    assert_eq!(container.default_route("-6"), "");
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

/// Regression test: what a terminal was handed over with was taken for an answer about the second network.
#[test]
fn a_container_with_a_terminal_has_no_ipv6_on_any_of_its_networks() {
    let host = TestHost::create();
    host.network("net1", "");
    let container = host.idles("web1", "-t --network net1 --network bridge");
    for interface in ["eth0", "eth1"] {
        let name = format!("net/ipv6/conf/{interface}/disable_ipv6");
        assert_eq!(sysctl(&container, &name), "1", "{interface}");
    }
    drop(container);
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn what_a_container_makes_itself_has_ipv6_as_the_kernel_gives_it() {
    let host = TestHost::create();
    host.network("net1", "");
    host.network("net2", "--ipv6");
    for options in [
        "",
        "--network net1 --network net2",
        "--network net2",
        "--network none",
        "--userns auto",
    ] {
        let container = host.idles("web1", options);
        let setting = "net/ipv6/conf/default/disable_ipv6";
        assert_eq!(sysctl(&container, setting), "0", "{options}");
        container
            .command("ip", "link add br0 type bridge")
            .succeeds();
        let setting = "net/ipv6/conf/br0/disable_ipv6";
        assert_eq!(sysctl(&container, setting), "0", "{options}");
        drop(container);
        host.removes("web1");
    }
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn nobody_believes_router_advertisements_and_redirects() {
    let host = TestHost::create();
    let bridge = host.network("net1", "--ipv6").bridge();
    let container = host.serves("web1", "--network net1", 80);
    for (key, value) in [
        ("accept_ra", "0"),
        ("accept_redirects", "0"),
        ("autoconf", "0"),
        ("disable_ipv6", "0"),
    ] {
        let name = format!("net/ipv6/conf/eth0/{key}");
        assert_eq!(sysctl(&container, &name), value, "{name} in the container");
    }
    for (key, value) in [("accept_ra", "0"), ("disable_ipv6", "0")] {
        let name = format!("net/ipv6/conf/{bridge}/{key}");
        assert_eq!(host.sysctl(&name), value, "{name} on the host");
    }
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn forwarding_is_switched_on_when_a_network_needs_it_and_the_hosts_way_out_stays() {
    let host = TestHost::create();
    let forwarding = || host.sysctl("net/ipv6/conf/all/forwarding");
    let way_out = || {
        host.command("ip", "-6 route show default")
            .succeeds()
            .stdout()
            .to_owned()
    };
    let before = way_out();
    host.network("net1", "");
    host.serves("web1", "--network net1", 80);
    assert_eq!(forwarding(), "0", "no network has IPv6 yet");
    host.network("net2", "--ipv6");
    host.serves("web2", "--network net2", 80);
    assert_eq!(forwarding(), "1");
    assert_eq!(way_out(), before);
    host.removes("web1 web2");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn a_network_of_both_families_can_be_connected_and_disconnected() {
    let host = TestHost::create();
    host.network("plain", "");
    host.network("dual", "--ipv6");
    let container = host.serves("web1", "--network plain", 80);
    host.minirun("network connect --gw-priority -1 dual web1")
        .succeeds();
    let address = container.ipv6_on("dual");
    assert_eq!(
        global_addresses(&container, "eth1"),
        [format!("{address}/64")]
    );
    assert_eq!(sysctl(&container, "net/ipv6/conf/eth0/disable_ipv6"), "1");
    host.minirun("exec web1 cat /etc/hosts")
        .succeeds()
        .stdout_contains(&format!("{address}\t"));
    host.inside(|| http_get((address, 80), "/"))
        .expect("it is reached under the new address");
    host.minirun("network disconnect dual web1").succeeds();
    assert_eq!(container.default_route("-6"), "");
    host.minirun("exec web1 cat /etc/hosts")
        .succeeds()
        .stdout_lacks(&format!("{address}\t"));
    host.removes("web1");
    host.removes_networks("plain dual");
    host.finish();
}

#[test]
fn each_family_has_its_own_way_out() {
    let host = TestHost::create();
    host.network("alone", "--subnet 10.1.0.0/24");
    host.network("dual", "--subnet 10.2.0.0/24 --subnet fd00:2::/64");
    host.network("apart", "--subnet 10.3.0.0/24 --subnet fd00:3::/64");
    for (options, ipv4, ipv6) in [
        (
            "--network name=alone,gw-priority=5 --network dual",
            "alone",
            "dual",
        ),
        ("--network apart --network dual", "apart", "apart"),
        // Of equals, one that leads out over both families comes before its turn in the alphabet.
        ("--network alone --network dual", "dual", "dual"),
        (
            "--network name=apart,gw-priority=1 --network name=dual,gw-priority=2",
            "dual",
            "dual",
        ),
    ] {
        let container = host.serves("web1", options, 80);
        for (family, network, gateway, flag) in [
            ("IPv4", ipv4, "Gateway", "-4"),
            ("IPv6", ipv6, "IPv6Gateway", "-6"),
        ] {
            let membership = container.membership(network);
            let way = membership[gateway].as_str().expect("a gateway");
            let route = container.default_route(flag);
            assert!(
                route.starts_with(&format!("default via {way} ")),
                "{options}: {family} leads out by `{route}` and should by {network}"
            );
            assert_eq!(membership["DefaultRoute"][family], true, "{options}");
        }
        host.removes("web1");
    }
    host.removes_networks("alone dual apart");
    host.finish();
}

#[test]
fn the_world_sees_the_host_or_without_masquerade_the_container() {
    let host = TestHost::create();
    let outside: [IpAddr; 2] = [NEIGHBOUR_ADDRESS.into(), NEIGHBOUR_ADDRESS_V6.into()];
    let of_host: [IpAddr; 2] = [HOST_ADDRESS.into(), HOST_ADDRESS_V6.into()];
    let listener = host.neighbour().inside(|| tcp_listen(443));
    for masquerade in ["true", "false"] {
        let network = host.network(
            "net1",
            &format!("--ipv6 -o com.docker.network.bridge.enable_ip_masquerade={masquerade}"),
        );
        for (subnet, gateway) in [network.subnet(), network.subnet_v6()].iter().zip(of_host) {
            host.neighbour()
                .command("ip", format!("route replace {subnet} via {gateway}"))
                .succeeds();
        }
        let container = host.serves("web1", "--network net1", 80);
        let own = container.addresses_on("net1");
        let expected = match masquerade {
            "true" => of_host.to_vec(),
            _ => own,
        };
        for (target, expected) in outside.into_iter().zip(expected) {
            let target = SocketAddr::new(target, 443);
            assert_eq!(
                container.inside(|| tcp_connect(target, LONG_WAIT)),
                Reach::Open,
                "masquerade={masquerade}"
            );
            assert_eq!(
                listener.next_peer(LONG_WAIT).map(|peer| peer.ip()),
                Some(expected),
                "masquerade={masquerade}"
            );
        }
        host.removes("web1");
        host.removes_networks("net1");
    }
    host.finish();
}
