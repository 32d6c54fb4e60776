//! A container on several networks: interfaces, addresses, and which way leads out.

use minirun_integration::{Container, TestHost};

/// Expects that the container's way out over IPv4 is by this gateway, and that `inspect` says the same.
#[track_caller]
fn leads_out_by(container: &Container<'_>, gateway: &str, occasion: &str) {
    let route = container.default_route("-4");
    assert!(
        route.starts_with(&format!("default via {gateway} ")),
        "{occasion}: the way out is `{route}` and should be by {gateway}"
    );
    let ways: Vec<_> = container
        .networks()
        .into_iter()
        .map(|network| container.membership(&network))
        .filter(|membership| membership["DefaultRoute"]["IPv4"] == true)
        .map(|membership| membership["Gateway"].clone())
        .collect();
    assert_eq!(ways, [gateway], "{occasion}: as `inspect` says");
}

#[test]
fn interfaces_are_numbered_in_the_order_in_which_networks_were_typed() {
    let host = TestHost::create();
    for (name, subnet) in [("alpha", 1), ("beta", 2), ("gamma", 3)] {
        host.network(name, &format!("--subnet 10.{subnet}.0.0/24"));
    }
    for order in [["beta", "gamma", "alpha"], ["alpha", "beta", "gamma"]] {
        let options = order.map(|name| format!("--network {name}")).join(" ");
        let container = host.idles("web1", &options);
        for (number, name) in order.into_iter().enumerate() {
            let address = container.address_on(name);
            container
                .command("ip", format!("-4 address show dev eth{number}"))
                .succeeds()
                .stdout_contains(&format!(" {address}/24 "));
        }
        host.removes("web1");
    }
    host.removes_networks("alpha beta gamma");
    host.finish();
}

#[test]
fn each_network_has_its_own_settings_in_the_long_form() {
    let host = TestHost::create();
    host.network("net1", "--subnet 10.1.0.0/24");
    host.network("net2", "--subnet 10.2.0.0/24");
    let container = host.idles("web1", "--network name=net1,alias=a,alias=b,ip=10.1.0.7,mac-address=02:42:00:00:00:07,gw-priority=-1 \
         --network name=net2,ip=10.2.0.8",
    );
    let first = container.membership("net1");
    assert_eq!(first["IPAddress"], "10.1.0.7");
    assert_eq!(first["IPPrefixLen"], 24);
    assert_eq!(first["Gateway"], "10.1.0.1");
    assert_eq!(first["MacAddress"], "02:42:00:00:00:07");
    assert_eq!(first["GwPriority"], -1);
    assert_eq!(first["Aliases"], serde_json::json!(["a", "b"]));
    let names = first["DNSNames"].as_array().expect("a list of names");
    for name in ["web1", "a", "b"] {
        assert!(names.iter().any(|one| one == name), "{name} in {names:?}");
    }
    assert_eq!(container.membership("net2")["IPAddress"], "10.2.0.8");
    container
        .command("ip", "link show dev eth0")
        .succeeds()
        .stdout_contains("02:42:00:00:00:07");
    host.removes("web1");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn networks_that_do_not_go_together_are_refused() {
    let host = TestHost::create();
    host.network("net1", "");
    for (options, fragment) in [
        ("--network net1 --network host", "host"),
        ("--network none --network net1", "none"),
        ("--network net1 --network container:x", "container:x"),
        ("--network net1 --network net1", "`net1`"),
        ("--network nosuch", "`nosuch`"),
        ("--network name=net1,colour=red", "gw-priority"),
        ("--network alias=a", "name="),
        ("--network name=net1,ip=nonsense", "nonsense"),
        ("--network name=net1,ip=10.1.0.5 --ip 10.1.0.6", "--ip"),
        ("--network host --network-alias a", "--network-alias"),
        ("--network none --ip 10.1.0.5", "--ip"),
    ] {
        let refused = host
            .minirun(format!("run --rm {options} demo true"))
            .fails_with(125);
        assert!(
            refused.stderr().contains(fragment),
            "`{options}` should name `{fragment}`, but complained `{}`",
            refused.stderr()
        );
    }
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn the_way_out_is_chosen_by_priority_then_by_name_and_never_internal() {
    let host = TestHost::create();
    for (name, options) in [
        ("alpha", "--subnet 10.1.0.0/24"),
        ("beta", "--subnet 10.2.0.0/24"),
        ("aaa", "--subnet 10.3.0.0/24 --internal"),
    ] {
        host.network(name, options);
    }
    for (options, gateway) in [
        ("--network beta --network alpha", "10.1.0.1"),
        (
            "--network alpha --network name=beta,gw-priority=1",
            "10.2.0.1",
        ),
        (
            "--network name=alpha,gw-priority=-1 --network beta",
            "10.2.0.1",
        ),
        (
            "--network name=beta,gw-priority=7 --network name=alpha,gw-priority=7",
            "10.1.0.1",
        ),
        ("--network aaa --network beta", "10.2.0.1"),
    ] {
        let container = host.idles("web1", options);
        leads_out_by(&container, gateway, options);
        host.removes("web1");
    }
    let container = host.idles("web1", "--network aaa");
    assert_eq!(container.default_route("-4"), "");
    host.removes("web1");
    host.removes_networks("alpha beta aaa");
    host.finish();
}

#[test]
fn the_way_out_is_chosen_anew_whenever_a_network_comes_or_goes() {
    let host = TestHost::create();
    for number in 1..=3 {
        host.network(
            &format!("net{number}"),
            &format!("--subnet 10.{number}.0.0/24"),
        );
    }
    let container = host.idles("web1", "--network net2");
    leads_out_by(&container, "10.2.0.1", "at the start");
    for (command, gateway) in [
        ("connect net1", "10.1.0.1"),
        ("connect --gw-priority 3 net3", "10.3.0.1"),
        ("disconnect net1", "10.3.0.1"),
        ("disconnect net3", "10.2.0.1"),
        ("connect --gw-priority -1 net1", "10.2.0.1"),
        ("disconnect net2", "10.1.0.1"),
    ] {
        host.minirun(format!("network {command} web1")).succeeds();
        leads_out_by(&container, gateway, command);
    }
    host.removes("web1");
    host.removes_networks("net1 net2 net3");
    host.finish();
}

#[test]
fn a_container_on_two_networks_does_not_forward_between_them() {
    let host = TestHost::create();
    host.network("net1", "");
    host.network("net2", "");
    host.idles("web1", "--network net1 --network net2");
    for name in ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"] {
        let path = format!("/proc/sys/{name}");
        host.minirun(["exec", "web1", "cat", &path])
            .succeeds()
            .stdout_is("0");
    }
    host.removes("web1");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn the_network_of_another_container_is_shared() {
    let host = TestHost::create();
    host.network("net1", "");
    let owner = host.serves("owner", "--network net1", 80);
    host.minirun("run --rm --network container:owner demo wget -qO- http://127.0.0.1/")
        .succeeds();
    let container = host.idles("web1", "--network container:owner");
    let network = |container: &Container<'_>| {
        let path = format!("/proc/{}/ns/net", container.pid());
        std::fs::read_link(path).expect("the process runs")
    };
    assert_eq!(network(&owner), network(&container));
    host.minirun("exec web1 cat /etc/resolv.conf")
        .succeeds()
        .stdout_contains("127.0.0.11");
    host.removes("web1 owner");
    host.removes_networks("net1");
    host.finish();
}
