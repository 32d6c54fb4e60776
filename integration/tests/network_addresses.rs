//! The addresses of networks, and of containers on them.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use minirun_integration::TestHost;

#[test]
fn automatic_subnets_avoid_routes_of_the_host_in_every_table() {
    let host = TestHost::create();
    let first = host.network("net1", "").subnet();
    host.removes_networks("net1");
    host.command("ip", format!("route add {first} via 192.0.2.2 table 100"))
        .succeeds();
    let second = host.network("net1", "").subnet();
    assert_ne!(first, second);
    assert!(second.ends_with("/24"), "{second}");
    host.removes_networks("net1");
    host.command("ip", format!("route add prohibit {second} table 7"))
        .succeeds();
    let third = host.network("net1", "").subnet();
    assert!(third != first && third != second, "{third}");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn a_message_about_empty_pools_says_who_holds_what() {
    let host = TestHost::create();
    host.configures("address_pools = [ { base = \"10.50.0.0/22\", size = 24 } ]\n");
    host.command("ip", "route add 10.50.1.0/24 via 192.0.2.2 table 100")
        .succeeds();
    let mut subnets = BTreeSet::new();
    for name in ["net1", "net2", "net3"] {
        subnets.insert(host.network(name, "").subnet());
    }
    assert_eq!(
        subnets,
        BTreeSet::from(["10.50.0.0/24", "10.50.2.0/24", "10.50.3.0/24"].map(String::from))
    );
    let mut refused = host.minirun("network create net4").fails();
    for fragment in ["net1", "net2", "net3", "10.50.1.0/24", "10.50.2.0/24"] {
        refused = refused.stderr_contains(fragment);
    }
    host.network("net4", "--subnet 10.60.0.0/24");
    host.removes_networks("net2");
    assert_eq!(host.network("net2", "").subnet(), "10.50.2.0/24");
    host.removes_networks("net1 net2 net3 net4");
    host.finish();
}

#[test]
fn any_subnet_of_a_wanted_size_can_be_asked_for() {
    let host = TestHost::create();
    let network = host.network("net1", "--subnet 0.0.0.0/26");
    assert!(network.subnet().ends_with("/26"), "{}", network.subnet());
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn containers_get_addresses_from_the_range_and_may_ask_for_others() {
    let host = TestHost::create();
    host.network(
        "net1",
        "--subnet 10.1.0.0/24 --ip-range 10.1.0.128/29 --aux-address printer=10.1.0.130",
    );
    let given: Vec<_> = ["web1", "web2", "web3"]
        .into_iter()
        .map(|name| {
            host.minirun(format!(
                "run -d --name {name} --network net1 demo sleep infinity"
            ))
            .succeeds();
            host.container(name).address_on("net1").octets()
        })
        .collect();
    for octets in &given {
        assert_eq!(octets[..3], [10, 1, 0]);
        assert!(
            (128..136).contains(&octets[3]) && octets[3] != 130,
            "{given:?}"
        );
    }
    host.minirun("run -d --name web4 --network net1 --ip 10.1.0.5 demo sleep infinity")
        .succeeds();
    assert_eq!(
        host.container("web4").address_on("net1"),
        Ipv4Addr::new(10, 1, 0, 5)
    );
    for (address, fragment) in [
        ("10.1.0.5", "`web4`"),
        ("10.1.0.130", "printer"),
        ("10.1.0.1", "gateway"),
        ("10.1.0.255", "10.1.0.255"),
        ("10.2.0.5", "10.1.0.0/24"),
    ] {
        host.minirun(format!(
            "run -d --name web5 --network net1 --ip {address} demo sleep infinity"
        ))
        .fails_with(125)
        .stderr_contains(fragment);
    }
    host.minirun("ps -a").succeeds().stdout_lacks("web5");
    host.removes("web1 web2 web3 web4");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn a_full_network_says_so_and_goes_on_when_one_has_left() {
    let host = TestHost::create();
    host.network("net1", "--subnet 10.1.0.0/30");
    host.minirun("run -d --name web1 --network net1 demo sleep infinity")
        .succeeds();
    host.minirun("run -d --name web2 --network net1 demo sleep infinity")
        .fails_with(125)
        .stderr_contains("`net1`");
    host.removes("web1");
    host.minirun("run -d --name web2 --network net1 demo sleep infinity")
        .succeeds();
    host.removes("web2");
    host.removes_networks("net1");
    host.finish();
}
