//! `network connect` and `disconnect`, on running and on stopped containers.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use minirun_integration::probe::{LONG_WAIT, Reach, http_get, tcp_connect, tcp_listen};
use minirun_integration::{Container, Driver, HOST_ADDRESS, NEIGHBOUR_ADDRESS, TestHost};
use serde_json::Value;

/// Two networks with addresses that a test can name.
fn two_networks(host: &TestHost) {
    host.network("net1", "--subnet 10.1.0.0/24");
    host.network("net2", "--subnet 10.2.0.0/24");
}

/// The interfaces of the container with their IPv4 addresses, in the order of the kernel: `lo 127.0.0.1/8`.
#[track_caller]
fn interfaces(container: &Container<'_>) -> Vec<String> {
    let listed = container
        .command("ip", "-oneline -4 address show")
        .succeeds();
    let words = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        format!("{} {}", words[1], words[3])
    };
    listed.stdout().lines().map(words).collect()
}

/// What is different while a container is on a network; it must be the same again after a failure.
#[track_caller]
fn traces(host: &TestHost, container: &Container<'_>) -> (Value, Vec<String>, Vec<String>) {
    // Those of iptables are rules of nf_tables as well. Elements of a set have no order.
    let ruleset = host.command("nft", "-s list ruleset");
    let ruleset = ruleset.succeeds();
    let mut rules: Vec<String> = ruleset
        .stdout()
        .lines()
        .map(|line| line.trim_matches(&[' ', '\t', ',', '}'][..]).to_owned())
        .collect();
    rules.sort();
    let links = host.command("ls", "/sys/class/net").succeeds();
    let mut of_host = vec![links.stdout().to_owned()];
    of_host.extend(rules);
    (container.inspect(), interfaces(container), of_host)
}

#[test]
fn a_running_container_is_connected_and_disconnected() {
    let host = TestHost::create();
    two_networks(&host);
    let (first, second) = (
        host.idles("web1", "--network net1"),
        host.serves("web2", "--network net2", 80),
    );
    let target = SocketAddrV4::new(second.address_on("net2"), 80);
    host.minirun("network connect net2 web1")
        .succeeds()
        .stdout_is("");
    let own = first.address_on("net2");
    assert_eq!(
        interfaces(&first),
        [
            "lo 127.0.0.1/8",
            "eth0 10.1.0.2/24",
            &format!("eth1 {own}/24")
        ]
    );
    assert_eq!(first.networks(), ["net1", "net2"]);
    assert_eq!(first.inside(|| tcp_connect(target, LONG_WAIT)), Reach::Open);
    let here = host.network_called("net2").inspect()["Containers"].take();
    assert_eq!(here.as_object().map(serde_json::Map::len), Some(2));
    host.minirun("exec web1 cat /etc/hosts")
        .succeeds()
        .stdout_contains(&format!("{own}\t"));
    host.minirun("network disconnect net2 web1")
        .succeeds()
        .stdout_is("");
    assert_eq!(interfaces(&first), ["lo 127.0.0.1/8", "eth0 10.1.0.2/24"]);
    assert_eq!(first.networks(), ["net1"]);
    let here = host.network_called("net2").inspect()["Containers"].take();
    assert_eq!(here.as_object().map(serde_json::Map::len), Some(1));
    host.minirun("exec web1 cat /etc/hosts")
        .succeeds()
        .stdout_lacks(&format!("{own}\t"))
        .stdout_contains("10.1.0.2\t");
    host.removes("web1 web2");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn what_was_disconnected_leaves_no_rule_and_no_address_taken() {
    let host = TestHost::create();
    two_networks(&host);
    let container = host.idles("web1", "--network net1 -p 8080:80");
    // What a network needs by itself may be made when it is first used.
    host.idles("web2", "--network net2");
    let before = traces(&host, &container);
    for _ in 0..3 {
        host.minirun("network connect --ip 10.2.0.7 net2 web1")
            .succeeds();
        assert_eq!(container.address_on("net2"), Ipv4Addr::new(10, 2, 0, 7));
        host.minirun("network disconnect net2 web1").succeeds();
        assert_eq!(traces(&host, &container), before);
    }
    host.removes("web1 web2");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn a_stopped_container_is_connected_at_its_next_start() {
    let host = TestHost::create();
    two_networks(&host);
    host.minirun("create --name web1 demo sleep infinity")
        .succeeds();
    let container = host.container("web1");
    host.minirun("network connect --ip 10.1.0.9 net1 web1")
        .succeeds();
    host.minirun("network connect net2 web1").succeeds();
    host.minirun("network disconnect net2 web1").succeeds();
    host.minirun("network disconnect bridge web1").succeeds();
    assert_eq!(container.networks(), ["net1"]);
    host.minirun("start web1").succeeds();
    assert_eq!(
        interfaces(&container),
        ["lo 127.0.0.1/8", "eth0 10.1.0.9/24"]
    );
    host.removes("web1");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn a_container_without_a_network_goes_on_and_can_be_connected_again() {
    let host = TestHost::create();
    two_networks(&host);
    let container = host.idles("web1", "--network net1");
    host.minirun("network disconnect net1 web1").succeeds();
    assert_eq!(interfaces(&container), ["lo 127.0.0.1/8"]);
    assert_eq!(container.status(), "running");
    assert_eq!(container.default_route("-4"), "");
    host.minirun("network connect net2 web1").succeeds();
    assert_eq!(
        container.default_route("-4"),
        "default via 10.2.0.1 dev eth0"
    );
    host.removes("web1");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn a_container_is_found_under_the_alias_of_its_network() {
    let host = TestHost::create();
    two_networks(&host);
    let seeker = host.idles("web1", "--network net1 --network net2");
    let found = host.serves("web2", "--network net1 --network-alias store", 80);
    host.minirun("network connect --alias vault --alias safe net2 web2")
        .succeeds();
    for (name, network) in [
        ("web2", "net1"),
        ("store", "net1"),
        ("vault", "net2"),
        ("safe", "net2"),
        ("web2.net2", "net2"),
    ] {
        seeker
            .command("busybox", ["nslookup", "-type=a", name, "127.0.0.11"])
            .succeeds()
            .stdout_contains(&found.address_on(network).to_string());
    }
    let aliases = |network: &str| found.membership(network)["Aliases"].take();
    assert_eq!(aliases("net1"), serde_json::json!(["store"]));
    assert_eq!(aliases("net2"), serde_json::json!(["vault", "safe"]));
    host.removes("web1 web2");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn a_refused_connection_says_why_and_changes_nothing() {
    let host = TestHost::create();
    two_networks(&host);
    let container = host.idles("web1", "--network net1 -p 8080:80");
    host.idles("web2", "--network net2 --ip 10.2.0.9");
    host.idles("hosted", "--network host");
    host.idles("alone", "--network none");
    host.idles("guest", "--network container:web1");
    let before = traces(&host, &container);
    for (request, fragment) in [
        ("connect net1 web1", "`net1`"),
        ("disconnect net2 web1", "`net2`"),
        ("connect nosuch web1", "`nosuch`"),
        ("connect net2 nosuch", "`nosuch`"),
        ("disconnect net2 nosuch", "`nosuch`"),
        ("connect net1 hosted", "`hosted`"),
        ("connect net1 alone", "`alone`"),
        ("connect net1 guest", "`guest`"),
        ("disconnect host hosted", "host"),
        ("connect host web1", "host"),
        ("connect none web1", "none"),
        ("connect --ip 10.2.0.9 net2 web1", "`web2`"),
        ("connect --ip 10.1.0.9 net2 web1", "10.2.0.0/24"),
        ("connect --ip 10.2.0.1 net2 web1", "gateway"),
        ("connect --ip6 fd00::9 net2 web1", "IPv6"),
        ("connect --ip nonsense net2 web1", "nonsense"),
        ("connect --alias store bridge web1", "alias"),
    ] {
        let refused = host.minirun(format!("network {request}")).fails();
        assert!(
            refused.stderr().contains(fragment),
            "`{request}` should name `{fragment}`, but complained `{}`",
            refused.stderr()
        );
        assert_eq!(traces(&host, &container), before, "after `{request}`");
    }
    host.removes("guest web1 web2 hosted alone");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn memberships_survive_a_restart() {
    let host = TestHost::create();
    two_networks(&host);
    let container = host.serves("web1", "--network net1 --network-alias store -p 80", 80);
    host.minirun("network connect --ip 10.2.0.9 --alias vault --gw-priority 5 net2 web1")
        .succeeds();
    let facts = || {
        let networks = ["net1", "net2"].map(|network| {
            let membership = container.membership(network);
            ["IPAddress", "Aliases", "GwPriority"].map(|key| membership[key].clone())
        });
        let published = host.minirun("port web1").succeeds();
        (
            networks,
            interfaces(&container),
            container.default_route("-4"),
            published.stdout().to_owned(),
        )
    };
    let before = facts();
    assert_eq!(before.2, "default via 10.2.0.1 dev eth1");
    host.minirun("restart -t 0 web1").succeeds();
    assert_eq!(facts(), before);
    host.minirun("stop -t 0 web1").succeeds();
    assert_eq!(container.networks(), ["net1", "net2"]);
    host.minirun("start web1").succeeds();
    assert_eq!(facts(), before);
    host.removes("web1");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn a_published_port_moves_with_the_default_route_and_keeps_its_number() {
    let host = TestHost::create();
    two_networks(&host);
    let container = host.idles("web1", "--network net1 -p 80");
    let listener = container.inside(|| tcp_listen(80));
    let answer = host.minirun("port web1 80").succeeds();
    let port = answer.line().to_owned();
    let number = port.rsplit(':').next().and_then(|text| text.parse().ok());
    let target = SocketAddrV4::new(HOST_ADDRESS, number.expect("a port has a number"));
    let works_through = |network: &str, address: Ipv4Addr| {
        assert_eq!(
            host.neighbour().inside(|| tcp_connect(target, LONG_WAIT)),
            Reach::Open,
            "through {network}"
        );
        let peer = listener.next_peer(LONG_WAIT).map(|peer| peer.ip());
        assert_eq!(peer, Some(NEIGHBOUR_ADDRESS.into()), "through {network}");
        host.minirun("port web1 80").succeeds().stdout_is(&port);
        let (rules, translation, any) = match host.driver() {
            Driver::Iptables => (
                host.rules("nat"),
                format!("-j DNAT --to-destination {address}:80"),
                "-j DNAT",
            ),
            Driver::Nftables => (host.table(), format!(" : {address} . 80"), " . 80"),
        };
        assert_eq!(rules.with(&[&translation]).len(), 1);
        let translations = rules.with(&[any]);
        let leads_in = |rule: &&&str| rule.contains(" : ") || rule.contains("DNAT");
        assert_eq!(translations.iter().filter(leads_in).count(), 1);
    };
    works_through("net1", container.address_on("net1"));
    host.minirun("network connect --gw-priority 10 net2 web1")
        .succeeds();
    works_through("net2", container.address_on("net2"));
    host.minirun("network disconnect net2 web1").succeeds();
    works_through("net1", container.address_on("net1"));
    host.minirun("network connect net2 web1").succeeds();
    host.minirun("network disconnect net1 web1").succeeds();
    works_through("net2", container.address_on("net2"));
    drop(listener);
    host.removes("web1");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn a_port_of_a_container_without_a_way_out_opens_when_it_gets_one() {
    let host = TestHost::create();
    host.network("inner", "--internal");
    host.network("net1", "--subnet 10.1.0.0/24");
    host.serves("web1", "--network inner -p 8080:80", 80);
    let target = SocketAddr::from((HOST_ADDRESS, 8080));
    assert!(host.neighbour().inside(|| http_get(target, "/")).is_err());
    host.minirun("network connect net1 web1").succeeds();
    host.neighbour()
        .inside(|| http_get(target, "/"))
        .expect("the port is published through the new network");
    host.removes("web1");
    host.removes_networks("inner net1");
    host.finish();
}

#[test]
fn many_networks_are_connected_at_once() {
    let host = TestHost::create();
    let names: Vec<_> = (0..8).map(|number| format!("net{number}")).collect();
    for name in &names {
        host.network(name, "");
    }
    let container = host.idles("web1", "");
    let all: Vec<_> = names
        .iter()
        .chain(&names[..1])
        .map(|name| host.spawn_minirun(format!("network connect {name} web1")))
        .collect();
    let connected = all
        .into_iter()
        .map(|running| running.finish().code())
        .filter(|code| *code == Some(0))
        .count();
    assert_eq!(connected, 8, "one was asked for twice and connected once");
    assert_eq!(
        interfaces(&container).len(),
        10,
        "{:?}",
        interfaces(&container)
    );
    let all: Vec<_> = names
        .iter()
        .map(|name| host.spawn_minirun(format!("network disconnect {name} web1")))
        .collect();
    for running in all {
        running.finish().succeeds();
    }
    assert_eq!(container.networks(), ["bridge"]);
    host.removes("web1");
    host.removes_networks(&names.join(" "));
    host.finish();
}

#[test]
fn connecting_explains_itself() {
    let host = TestHost::create();
    two_networks(&host);
    host.idles("web1", "--network net1");
    host.minirun("network connect --explain net2 web1")
        .succeeds()
        .stdout_is("")
        .stderr_contains("peer name eth1");
    host.minirun("network disconnect --explain net2 web1")
        .succeeds()
        .stdout_is("")
        .stderr_contains("ip ");
    host.removes("web1");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn container_and_network_can_be_named_by_their_ids() {
    let host = TestHost::create();
    let network = host.network("net1", "").id();
    let container = host
        .minirun("run -d --name web1 demo sleep infinity")
        .succeeds();
    let id = container.line();
    host.minirun(["network", "connect", &network[..12], &id[..12]])
        .succeeds();
    assert_eq!(host.container("web1").networks(), ["bridge", "net1"]);
    host.minirun(["network", "disconnect", &network, id])
        .succeeds();
    host.minirun(["run", "--rm", "--network", &network[..12], "demo", "true"])
        .succeeds();
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}
