//! Links on every kind of network: what they open, whom they name, and how they follow their target.

use std::net::{IpAddr, SocketAddr};

use minirun_integration::probe::{
    LONG_WAIT, Reach, SHORT_WAIT, tcp_connect, tcp_listen, udp_ask, udp_echo,
};
use minirun_integration::{Container, TestHost};

/// The options of networks on which containers are kept apart, by hosts files and by a name server, and in both families.
const CLOSED: [&str; 3] = [
    "--icc=false",
    "--icc=false -o dns=false",
    "--icc=false --ipv6",
];

/// Expects the way to be open, however long it takes.
#[track_caller]
fn open(from: &Container<'_>, to: impl Into<IpAddr>, port: u16) {
    let target = SocketAddr::new(to.into(), port);
    assert_eq!(
        from.inside(|| tcp_connect(target, LONG_WAIT)),
        Reach::Open,
        "{target}"
    );
}

#[track_caller]
fn closed(from: &Container<'_>, to: impl Into<IpAddr>, port: u16) {
    let target = SocketAddr::new(to.into(), port);
    assert_eq!(
        from.inside(|| tcp_connect(target, SHORT_WAIT)),
        Reach::Silent,
        "{target}"
    );
}

fn clear(host: TestHost, containers: &str, networks: &str) {
    host.removes(containers);
    host.removes_networks(networks);
    host.finish();
}

#[test]
fn with_communication_off_a_link_opens_exactly_the_exposed_ports_one_way() {
    for options in CLOSED {
        let host = TestHost::create();
        host.network("net1", options);
        let target = host.idles("target", "--network net1 --expose 80 --expose 81/udp");
        let source = host.idles("source", "--network net1 --link target:web");
        let stranger = host.idles("stranger", "--network net1");
        let held = target.inside(|| (tcp_listen(80), tcp_listen(82), udp_echo(81), udp_echo(82)));
        let back = source.inside(|| tcp_listen(80));
        for (address, own) in target
            .addresses_on("net1")
            .into_iter()
            .zip(source.addresses_on("net1"))
        {
            open(&source, address, 80);
            closed(&source, address, 82);
            let asks = |from: &Container<'_>, port, patience| {
                from.inside(|| udp_ask(SocketAddr::new(address, port), "x", patience))
            };
            assert!(
                asks(&source, 81, LONG_WAIT).is_some(),
                "{options} {address}"
            );
            assert_eq!(asks(&source, 82, SHORT_WAIT), None, "{options} {address}");
            closed(&stranger, address, 80);
            assert_eq!(asks(&stranger, 81, SHORT_WAIT), None, "{options} {address}");
            closed(&target, own, 80);
        }
        drop((held, back));
        clear(host, "target source stranger", "net1");
    }
}

#[test]
fn the_chain_of_the_first_seed_on_a_user_network() {
    const ALLOWED: [(&str, &str); 4] = [
        ("ct11", "ct01"),
        ("ct12", "ct01"),
        ("ct21", "ct11"),
        ("ct22", "ct12"),
    ];
    let host = TestHost::create();
    host.network("net1", "--icc=false --ipv6");
    host.serves("ct01", "--network net1 -p 22", 22);
    for (source, target) in ALLOWED {
        host.serves(
            source,
            &format!("--network net1 -p 22 --link {target}:sshd"),
            22,
        );
    }
    let names = ["ct01", "ct11", "ct12", "ct21", "ct22"];
    let expected = |pair: &(String, String)| ALLOWED.contains(&(pair.0.as_str(), pair.1.as_str()));
    for restarted in ["", "ct11", "ct01", "ct22"] {
        if !restarted.is_empty() {
            host.minirun(format!("restart -t 0 {restarted}")).succeeds();
            host.container(restarted).awaits_tcp(22);
        }
        let matrix = host.reach_matrix_at(&names, &ALLOWED, |container| {
            SocketAddr::new(container.address_on("net1").into(), 22)
        });
        for (pair, reach) in &matrix {
            let wanted = if expected(pair) {
                Reach::Open
            } else {
                Reach::Silent
            };
            assert_eq!(
                *reach, wanted,
                "{pair:?} after the restart of `{restarted}`"
            );
        }
    }
    clear(host, &names.join(" "), "net1");
}

#[test]
fn an_alias_is_known_to_its_source_alone_and_only_on_networks_that_both_share() {
    let host = TestHost::create();
    host.network("net1", "");
    host.network("net2", "");
    let target = host.idles("target", "--network net1 --network net2");
    let source = host.idles("source", "--network net1 --link target:web");
    let stranger = host.idles("stranger", "--network net1 --network net2");
    source.finds(
        &["web", "WEB", "web.net1", "target"],
        &[target.address_on("net1")],
    );
    stranger.finds(&["web", "web.net1"], &[]);
    source.finds(&["web.net2"], &[]);
    clear(host, "target source stranger", "net1 net2");
}

#[test]
fn a_link_holds_on_every_network_that_both_share() {
    let host = TestHost::create();
    for (network, options) in [
        ("net1", "--icc=false"),
        ("net2", "--icc=false"),
        ("net3", ""),
    ] {
        host.network(network, options);
    }
    let on_all = "--network net1 --network net2 --network net3";
    let target = host.serves("target", &format!("{on_all} --expose 80"), 80);
    let source = host.idles("source", &format!("{on_all} --link target:web"));
    let addresses = ["net1", "net2", "net3"].map(|network| target.address_on(network));
    source.finds(&["web"], &addresses);
    for address in addresses {
        open(&source, address, 80);
    }
    let linked = source.inspect()["NetworkSettings"]["LinkedPorts"].take();
    let mut shown: Vec<_> = linked
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["Network"].to_string(), one["Ports"].to_string()))
        .collect();
    shown.sort();
    let line = |network: &str, ports: &str| (format!("\"{network}\""), ports.to_owned());
    let expected = [
        line("net1", "[\"80/tcp\"]"),
        line("net2", "[\"80/tcp\"]"),
        line("net3", "null"),
    ];
    assert_eq!(shown, expected);
    clear(host, "target source", "net1 net2 net3");
}

#[test]
fn a_link_follows_a_target_that_is_stopped_started_and_made_anew() {
    for options in CLOSED {
        let host = TestHost::create();
        host.network("net1", options);
        let target = host.serves("target", "--network net1 --expose 80", 80);
        let source = host.idles("source", "--network net1 --link target:web");
        let first = target.address_on("net1");
        open(&source, first, 80);
        host.minirun("stop -t 0 target").succeeds();
        let heir = host.serves("heir", &format!("--network net1 --ip {first}"), 80);
        closed(&source, first, 80);
        host.removes("heir target");
        host.minirun("exec source true").succeeds();
        host.serves("target", "--network net1 --expose 80 --expose 90", 80);
        let second = target.address_on("net1");
        open(&source, second, 80);
        host.minirun("exec source wget -T 10 -qO- http://web/")
            .succeeds();
        let late = target.inside(|| tcp_listen(90));
        open(&source, second, 90);
        drop((late, heir));
        clear(host, "target source", "net1");
    }
}

#[test]
fn a_link_follows_its_target_and_its_source_to_new_names() {
    let host = TestHost::create();
    host.network("net1", "--icc=false");
    let address = host
        .serves("target", "--network net1 --expose 80", 80)
        .address_on("net1");
    host.idles("source", "--network net1 --link target:web");
    host.minirun("rename target shop").succeeds();
    host.minirun("rename source client").succeeds();
    let client = host.container("client");
    client.finds(&["web", "shop"], &[address]);
    open(&client, address, 80);
    let namesake = host.serves("target", "--network net1 --expose 80", 80);
    closed(&client, namesake.address_on("net1"), 80);
    client.finds(&["web"], &[address]);
    host.minirun("restart -t 0 client").succeeds();
    open(&client, address, 80);
    clear(host, "shop client target", "net1");
}

#[test]
fn removing_a_link_touches_that_link_alone() {
    for (network, options) in [("net1", "--icc=false"), ("bridge", "")] {
        let host = TestHost::create();
        if network == "bridge" {
            host.minirun("network update bridge --icc=false").succeeds();
        } else {
            host.network(network, options);
        }
        let place = format!("--network {network} --expose 80");
        let addresses =
            ["web1", "web2"].map(|name| host.serves(name, &place, 80).address_on(network));
        let source = host.idles(
            "source",
            &format!("--network {network} --link web1:one --link web2:two"),
        );
        let before = source.pid();
        host.minirun("rm --link source/one")
            .succeeds()
            .stdout_is("source/one");
        closed(&source, addresses[0], 80);
        open(&source, addresses[1], 80);
        host.minirun("exec source wget -T 1 -qO- http://one/")
            .fails();
        host.minirun("exec source wget -T 10 -qO- http://two/")
            .succeeds();
        assert_eq!(source.pid(), before, "the source goes on running");
        for wrong in ["source/one", "source/nosuch", "nosuch/one", "source"] {
            host.minirun(["rm", "--link", wrong])
                .fails_with(1)
                .stderr_contains(wrong.split('/').next_back().expect("a word"));
        }
        host.minirun("restart -t 0 source").succeeds();
        closed(&source, addresses[0], 80);
        open(&source, addresses[1], 80);
        host.removes("web1 web2 source");
        if network != "bridge" {
            host.removes_networks(network);
        }
        host.finish();
    }
}

#[test]
fn two_containers_may_be_linked_to_each_other() {
    let host = TestHost::create();
    host.network("net1", "--icc=false");
    host.idles("web2", "--network net1");
    host.serves("web1", "--network net1 --expose 80 --link web2:two", 80);
    host.removes("web2");
    host.serves("web2", "--network net1 --expose 80 --link web1:one", 80);
    for round in ["as started", "after a restart of both"] {
        for (from, to, alias) in [("web1", "web2", "two"), ("web2", "web1", "one")] {
            let address = host.container(to).address_on("net1");
            host.container(from).finds(&[alias], &[address]);
            open(&host.container(from), address, 80);
        }
        host.minirun("restart -t 0 web1 web2").succeeds();
        for name in ["web1", "web2"] {
            host.container(name).awaits_tcp(80);
        }
        assert_eq!(host.container("web1").status(), "running", "{round}");
    }
    clear(host, "web1 web2", "net1");
}

#[test]
fn a_link_can_be_made_while_connecting() {
    let host = TestHost::create();
    host.network("net1", "--icc=false");
    let target = host.serves("target", "--network net1 --expose 80", 80);
    let source = host.idles("source", "");
    host.minirun("network connect --link target:web net1 source")
        .succeeds();
    source.finds(&["web"], &[target.address_on("net1")]);
    open(&source, target.address_on("net1"), 80);
    host.minirun("network disconnect net1 source").succeeds();
    assert!(source.networks() == ["bridge"]);
    clear(host, "target source", "net1");
}
