//! `network create`: what is refused, what holds when many are made at once, and which bridge is used.

use std::collections::BTreeSet;
use std::net::SocketAddrV4;

use minirun_integration::probe::{LONG_WAIT, Reach, tcp_connect};
use minirun_integration::{HOST_ADDRESS, Network, TestHost};

/// The number of the networks there are; three of them are always there.
fn count(host: &TestHost) -> usize {
    let listed = host.minirun("network ls -q").succeeds();
    listed.stdout().lines().count()
}

#[test]
fn wrong_requests_are_refused_with_what_to_write_instead() {
    let host = TestHost::create();
    host.network("taken", "--subnet 10.9.0.0/24 -o bridge_name=br-taken");
    for route in [
        "10.20.0.0/16 via 192.0.2.2",
        "fd20::/48 via 2001:db8:0:1::2",
    ] {
        host.command("ip", format!("route add {route}")).succeeds();
    }
    for (request, fragment) in [
        ("--subnet 10.1.0.5/24 net1", "`10.1.0.0/24`"),
        ("--subnet nonsense net1", "`nonsense`"),
        (
            "--subnet 10.1.0.0/24 --subnet 10.2.0.0/24 net1",
            "10.2.0.0/24",
        ),
        ("--subnet 10.1.0.0/31 net1", "10.1.0.0/31"),
        ("--subnet fd00:1::/127 --ipv6 net1", "fd00:1::/127"),
        ("--subnet 10.9.0.128/25 net1", "`taken`"),
        ("--subnet 10.9.0.0/16 net1", "`taken`"),
        ("--subnet 172.17.4.0/24 net1", "`bridge`"),
        ("--subnet 10.20.4.0/24 net1", "uplink0"),
        ("--subnet fd20:0:0:7::/64 --ipv6 net1", "uplink0"),
        ("--gateway 10.1.0.1 net1", "10.1.0.1"),
        ("--subnet 10.1.0.0/24 --gateway 10.2.0.1 net1", "10.2.0.1"),
        (
            "--subnet 10.1.0.0/24 --gateway 10.1.0.255 net1",
            "10.1.0.255",
        ),
        ("--subnet 10.1.0.0/24 --gateway 10.1.0.0 net1", "`10.1.0.0`"),
        (
            "--subnet 10.1.0.0/24 --ip-range 10.1.0.0/16 net1",
            "10.1.0.0/16",
        ),
        (
            "--subnet 10.1.0.0/24 --ip-range 10.2.0.0/28 net1",
            "10.2.0.0/28",
        ),
        (
            "--subnet 10.1.0.0/24 --ip-range fd00::/80 net1",
            "fd00::/80",
        ),
        (
            "--subnet 10.1.0.0/24 --aux-address a=10.2.0.1 net1",
            "10.2.0.1",
        ),
        (
            "--subnet 10.1.0.0/24 --aux-address 10.1.0.5 net1",
            "`10.1.0.5`",
        ),
        (
            "--subnet 10.1.0.0/24 --aux-address a=10.1.0.1 net1",
            "gateway",
        ),
        (
            "--subnet 10.1.0.0/24 --aux-address a=10.1.0.5 --aux-address a=10.1.0.6 net1",
            "10.1.0.6",
        ),
        ("--mtu 67 net1", "67"),
        ("--ipv6 --mtu 1279 net1", "1280"),
        ("-o colour=red net1", "`icc`"),
        ("-o enable_icc=maybe net1", "`maybe`"),
        ("-o gateway_mode=isolated net1", "routed"),
        ("--internal -o gateway_mode=routed net1", "internal"),
        (
            "-o bridge_name=much-too-long-a-name net1",
            "`much-too-long-a-name`",
        ),
        ("-o bridge_name=br-taken net1", "`taken`"),
        ("-o bridge_name=uplink0 net1", "`uplink0`"),
        ("--icc false -o enable_icc=true net1", "twice"),
        (
            "--mtu 1400 -o com.docker.network.driver.mtu=1300 net1",
            "1300",
        ),
        ("--driver macvlan net1", "`macvlan`"),
        ("--label =red net1", "key"),
        ("taken", "`taken`"),
        ("bridge", "`bridge`"),
        ("host", "`host`"),
        ("none", "`none`"),
        ("default", "`default`"),
        ("we/ird", "we/ird"),
    ] {
        let refused = host.minirun(format!("network create {request}")).fails();
        let complaint = refused.stderr();
        assert!(
            complaint.contains(fragment) && refused.stdout().is_empty(),
            "`{request}` should name `{fragment}`, but printed `{}` and complained `{complaint}`",
            refused.stdout()
        );
        assert_eq!(count(&host), 4, "`{request}` left a network behind");
    }
    host.removes_networks("taken");
    host.finish();
}

#[test]
fn all_problems_of_one_request_are_told_at_once() {
    let host = TestHost::create();
    let refused = host.minirun(
        "network create --driver overlay --subnet 10.1.0.0/24 --gateway 10.2.0.1 --ip-range 10.3.0.0/28 \
         --aux-address printer=10.4.0.1 --aux-address broken --mtu 10 -o colour=red -o enable_icc=maybe net1",
    );
    let mut refused = refused.fails();
    for fragment in [
        "`net1`",
        "overlay",
        "10.2.0.1",
        "10.3.0.0/28",
        "10.4.0.1",
        "broken",
        "68",
        "colour",
        "maybe",
    ] {
        refused = refused.stderr_contains(fragment);
    }
    assert_eq!(count(&host), 3);
    host.finish();
}

#[test]
fn twenty_networks_made_at_once_do_not_collide() {
    let host = TestHost::create();
    let names: Vec<_> = (0..20).map(|number| format!("net{number}")).collect();
    let all: Vec<_> = names
        .iter()
        .map(|name| host.spawn_minirun(format!("network create --ipv6 {name}")))
        .collect();
    for running in all {
        running.finish().succeeds();
    }
    let networks: Vec<_> = names.iter().map(|name| host.network_called(name)).collect();
    for of in [
        Network::id,
        Network::subnet,
        Network::subnet_v6,
        Network::bridge,
    ] {
        let values: BTreeSet<_> = networks.iter().map(of).collect();
        assert_eq!(values.len(), 20, "{values:?}");
    }
    host.removes_networks(&names.join(" "));
    host.finish();
}

#[test]
fn of_several_networks_of_one_name_made_at_once_one_is_made() {
    let host = TestHost::create();
    let all: Vec<_> = (0..5)
        .map(|_| host.spawn_minirun("network create net1"))
        .collect();
    let made = all
        .into_iter()
        .filter_map(|running| running.finish().code())
        .filter(|code| *code == 0)
        .count();
    assert_eq!(made, 1);
    assert_eq!(count(&host), 4);
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn an_existing_bridge_is_adopted_and_never_deleted() {
    let host = TestHost::create();
    host.has_bridge("br-own", "10.7.0.1/24");
    let network = host.network(
        "net1",
        "-o com.docker.network.bridge.name=br-own --subnet 10.7.0.0/24 --gateway 10.7.0.1",
    );
    assert_eq!(network.bridge(), "br-own");
    let container = host.serves("web1", "--network net1", 80);
    let target = SocketAddrV4::new(container.address_on("net1"), 80);
    assert_eq!(host.inside(|| tcp_connect(target, LONG_WAIT)), Reach::Open);
    host.minirun("network create -o bridge_name=br-own --subnet 10.8.0.0/24 net2")
        .fails()
        .stderr_contains("`net1`");
    host.removes("web1");
    host.removes_networks("net1");
    host.command("ip", "-4 address show dev br-own")
        .succeeds()
        .stdout_contains("10.7.0.1/24");
    host.command("ip", "link delete br-own").succeeds();
    host.finish();
}

#[test]
fn a_bridge_that_was_made_for_a_network_goes_with_it() {
    let host = TestHost::create();
    host.network("net1", "-o bridge_name=br-mine");
    host.serves("web1", "--network net1", 80);
    host.removes("web1");
    host.removes_networks("net1");
    host.command("ip", "link show dev br-mine").fails();
    host.finish();
}

#[test]
fn options_go_by_dockers_names_and_by_short_ones() {
    let host = TestHost::create();
    let dockers = "-o com.docker.network.bridge.name=br-seven -o com.docker.network.bridge.enable_icc=false \
                   -o com.docker.network.bridge.enable_ip_masquerade=false \
                   -o com.docker.network.bridge.host_binding_ipv4=127.0.0.1 -o com.docker.network.driver.mtu=1400";
    let short = "-o bridge_name=br-seven -o icc=false -o masquerade=false -o host_binding=127.0.0.1 -o mtu=1400";
    for options in [dockers, short] {
        let network = host.network("net1", options);
        let document = network.inspect();
        for (key, value) in [
            ("com.docker.network.bridge.name", "br-seven"),
            ("com.docker.network.bridge.enable_icc", "false"),
            ("com.docker.network.bridge.enable_ip_masquerade", "false"),
            ("com.docker.network.bridge.host_binding_ipv4", "127.0.0.1"),
            ("com.docker.network.driver.mtu", "1400"),
        ] {
            assert_eq!(document["Options"][key], value, "{key} after {options}");
        }
        let container = host.serves("web1", "--network net1 -p 8080:80", 80);
        host.minirun("port web1")
            .succeeds()
            .stdout_is("80/tcp -> 127.0.0.1:8080");
        let target = SocketAddrV4::new(HOST_ADDRESS, 8080);
        assert_eq!(
            host.neighbour().inside(|| tcp_connect(target, LONG_WAIT)),
            Reach::Refused
        );
        container
            .command("ip", "-oneline link show dev eth0")
            .succeeds()
            .stdout_contains("mtu 1400");
        host.command("ip", "-oneline link show dev br-seven")
            .succeeds()
            .stdout_contains("mtu 1400");
        host.removes("web1");
        host.removes_networks("net1");
    }
    host.finish();
}

#[test]
fn new_networks_begin_with_what_the_configuration_file_says() {
    let host = TestHost::create();
    host.configures("icc = false\nmtu = 1380\nip_masquerade = false\n");
    let options = host.network("net1", "").inspect()["Options"].take();
    assert_eq!(options["com.docker.network.bridge.enable_icc"], "false");
    assert_eq!(options["com.docker.network.driver.mtu"], "1380");
    assert_eq!(
        options["com.docker.network.bridge.enable_ip_masquerade"],
        "false"
    );
    let options = host.network("net2", "--icc true --mtu 1400").inspect()["Options"].take();
    assert_eq!(options["com.docker.network.bridge.enable_icc"], "true");
    assert_eq!(options["com.docker.network.driver.mtu"], "1400");
    host.removes_networks("net1 net2");
    host.finish();
}
