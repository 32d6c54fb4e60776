//! The nftables driver as the kernel shows it. What it means for packets is tested by the same tests as that of iptables, which
//! `integration/test` runs with both.

use std::net::SocketAddrV4;

use minirun_integration::probe::{LONG_WAIT, Reach, SHORT_WAIT, tcp_connect, tcp_listen};
use minirun_integration::{Driver, HOST_ADDRESS, TestHost};

const PUBLISHED: SocketAddrV4 = SocketAddrV4::new(HOST_ADDRESS, 8080);

/// What there is on a host with two networks, of which one is closed, a link, and published ports.
const TABLE: &str = include_str!("nftables/table.nft");

/// The lines of the table that are rules, which no number of containers changes.
fn rules(host: &TestHost) -> Vec<String> {
    let listed = host.command("nft", "-s list table inet minirun");
    let listed = listed.succeeds().stdout().to_owned();
    let from = listed.find("chain ").expect("there are chains");
    listed[from..].lines().map(str::to_owned).collect()
}

/// The elements of a set or map, in order.
fn elements(host: &TestHost, set: &str) -> Vec<String> {
    let kind = match set {
        "links4" => "set",
        _ => "map",
    };
    let listed = host.command("nft", format!("list {kind} inet minirun {set}"));
    let listed = listed.succeeds().stdout().to_owned();
    let Some((_, elements)) = listed.split_once("elements = {") else {
        return Vec::new();
    };
    let elements = elements.split('}').next().unwrap_or_default();
    let mut elements: Vec<String> = elements
        .split(',')
        .map(|element| element.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    elements.sort();
    elements
}

fn calls(host: &TestHost, expected: Reach) {
    let patience = match expected {
        Reach::Open => LONG_WAIT,
        _ => SHORT_WAIT,
    };
    let reached = host.neighbour().inside(|| tcp_connect(PUBLISHED, patience));
    assert_eq!(reached, expected);
}

#[test]
fn the_table_of_a_small_host_reads_like_this() {
    let host = TestHost::using(Driver::Nftables);
    host.network(
        "front",
        "--subnet 10.1.0.0/24 -o com.docker.network.bridge.name=front0 --icc=false",
    );
    host.network(
        "back",
        "--subnet 10.2.0.0/24 --ipv6 --subnet fd00:2::/64 -o com.docker.network.bridge.name=back0",
    );
    host.serves(
        "web",
        "--network front -p 8080:80 -p 127.0.0.1:9000-9002:9000-9002",
        80,
    );
    host.idles("client", "--network front --link web");
    host.serves("store", "--network back -p 5000:50", 50);
    let listed = host.command("nft", "list table inet minirun");
    let listed = listed.succeeds().stdout().to_owned();
    let words = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
        // The elements of a hash table have no order.
        for line in &mut lines {
            *line = line
                .trim_start_matches("elements = { ")
                .trim_end_matches([',', '}', ' '])
                .to_owned();
        }
        lines.sort();
        lines
    };
    assert_eq!(words(&listed), words(TABLE), "\n{listed}");
    host.removes("web client store");
    host.removes_networks("front back");
    host.finish();
}

#[test]
fn containers_add_elements_and_never_a_rule() {
    let host = TestHost::using(Driver::Nftables);
    host.network("net1", "--icc=false");
    host.serves("web1", "--network net1 --expose 80 -p 8080:80", 80);
    let before = rules(&host);
    for number in 2..6 {
        host.idles(
            &format!("web{number}"),
            &format!("--network net1 --link web1 -p 80{number}0:80"),
        );
    }
    assert_eq!(rules(&host), before);
    // A container's own published port, and the links.
    assert_eq!(elements(&host, "links4").len(), 5 + 4);
    host.removes("web2 web3 web4 web5");
    assert_eq!(elements(&host, "links4").len(), 1);
    assert_eq!(rules(&host), before);
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn the_administrators_chain_judges_first_and_is_never_touched() {
    let host = TestHost::using(Driver::Nftables);
    for command in [
        "add table inet minirun",
        "add chain inet minirun user",
        "add rule inet minirun user iifname uplink0 ip saddr != 198.51.100.8 drop",
    ] {
        host.command("nft", command).succeeds();
    }
    host.serves("web1", "-p 8080:80", 80);
    calls(&host, Reach::Silent);
    host.minirun("network reload").succeeds();
    host.table()
        .have(&["iifname \"uplink0\" ip saddr != 198.51.100.8 drop"]);
    host.command("nft", "flush chain inet minirun user")
        .succeeds();
    calls(&host, Reach::Open);
    host.removes("web1");
    host.finish();
}

#[test]
fn what_somebody_takes_away_is_put_back_by_the_next_command() {
    let host = TestHost::using(Driver::Nftables);
    host.minirun("network update bridge --icc=false").succeeds();
    let web1 = host.serves("web1", "-p 8080:80", 80);
    let client = host.idles("web2", "");
    let inner = SocketAddrV4::new(web1.address(), 80);
    let before = rules(&host);
    for command in [
        "flush ruleset",
        "delete table inet minirun",
        "flush chain inet minirun icc_off",
        "flush map inet minirun any4",
        "delete element inet minirun ways_in4 { 172.17.0.2 . tcp . 80 }",
    ] {
        host.command("nft", command).succeeds();
        host.minirun("ps").succeeds();
        calls(&host, Reach::Open);
        assert_eq!(
            client.inside(|| tcp_connect(inner, SHORT_WAIT)),
            Reach::Silent
        );
        assert_eq!(rules(&host), before, "after `nft {command}`");
        assert_eq!(elements(&host, "any4"), ["tcp . 8080 : 172.17.0.2 . 80"]);
    }
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn a_key_that_somebody_else_has_taken_is_taken_back() {
    let host = TestHost::using(Driver::Nftables);
    host.minirun("run --rm demo true").succeeds();
    host.command(
        "nft",
        "add element inet minirun any4 { tcp . 8080 : 192.0.2.2 . 80 }",
    )
    .succeeds();
    let address = host.serves("web1", "-p 8080:80", 80).address();
    calls(&host, Reach::Open);
    let published = format!("tcp . 8080 : {address} . 80");
    assert_eq!(elements(&host, "any4"), [published]);
    host.removes("web1");
    host.finish();
}

#[test]
fn a_container_that_is_killed_on_the_way_leaves_no_element() {
    let host = TestHost::using(Driver::Nftables);
    host.serves("web1", "-p 8080:80", 80);
    host.kills_everything();
    host.minirun("ps -a").succeeds();
    assert!(elements(&host, "any4").is_empty());
    host.table().lack(&["172.17.0.2"]);
    host.removes("web1");
    host.finish();
}

/// Installs one of the two iptables, `nft` or `legacy`, or none if that is not there.
#[track_caller]
fn installs_iptables(host: &TestHost, variant: &str) {
    for (family, program) in [
        ("iptables", ""),
        ("iptables", "-restore"),
        ("ip6tables", ""),
        ("ip6tables", "-restore"),
    ] {
        let link = format!("/etc/alternatives/{family}{program}");
        let target = format!("/usr/sbin/{family}-{variant}{program}");
        host.command("ln", format!("-sfn {target} {link}"))
            .succeeds();
    }
}

#[test]
fn what_iptables_has_made_goes_without_it_and_what_others_made_with_it_stays() {
    let host = TestHost::using(Driver::Iptables);
    host.network("net1", "--ipv6 --icc=false");
    let web1 = host.serves("web1", "--network net1 --expose 80 -p 8080:80", 80);
    host.idles("web2", "--network net1 --link web1 --egress none");
    for rule in [
        "-A MINIRUN-USER -s 198.51.100.1 -j DROP",
        "-I FORWARD -s 198.51.100.2 -j DROP",
        "-A FORWARD -s 198.51.100.3 -j MINIRUN-USER",
    ] {
        host.command("iptables", rule).succeeds();
    }
    installs_iptables(&host, "none");
    host.minirun("ps")
        .succeeds()
        .stderr_contains("warning: cannot find `iptables-restore`");
    host.write_file("/etc/minirun/minirun.toml", "firewall = \"nftables\"\n");
    host.minirun("ps").succeeds().stderr_is("");
    calls(&host, Reach::Open);
    installs_iptables(&host, "nft");
    for table in ["raw", "nat"] {
        host.rules(table).lack(&["MINIRUN"]);
        host.rules6(table).lack(&["MINIRUN"]);
    }
    assert_eq!(
        host.rules("filter").with(&["-"]),
        [
            "-P INPUT ACCEPT",
            "-P FORWARD ACCEPT",
            "-P OUTPUT ACCEPT",
            "-N MINIRUN-USER",
            "-A FORWARD -s 198.51.100.2/32 -j DROP",
            "-A FORWARD -s 198.51.100.3/32 -j MINIRUN-USER",
            "-A MINIRUN-USER -s 198.51.100.1/32 -j DROP",
        ]
    );
    assert_eq!(
        host.rules6("filter").with(&["MINIRUN"]),
        ["-N MINIRUN-USER"]
    );
    // What is left is as good as anything that the program made itself.
    host.write_file("/etc/minirun/minirun.toml", "firewall = \"iptables\"\n");
    host.minirun("ps").succeeds();
    calls(&host, Reach::Open);
    host.rules("filter").have(&["-A FORWARD -j MINIRUN-USER"]);
    drop(web1);
    host.removes("web1 web2");
    host.removes_networks("net1");
    for rule in [
        "-F MINIRUN-USER",
        "-D FORWARD -s 198.51.100.2 -j DROP",
        "-D FORWARD -s 198.51.100.3 -j MINIRUN-USER",
    ] {
        host.command("iptables", rule).succeeds();
    }
    host.finish();
}

#[test]
fn what_the_older_iptables_has_made_waits_for_it() {
    let host = TestHost::using(Driver::Iptables);
    installs_iptables(&host, "legacy");
    host.serves("web1", "-p 8080:80", 80);
    installs_iptables(&host, "none");
    host.write_file("/etc/minirun/minirun.toml", "firewall = \"nftables\"\n");
    host.minirun("ps")
        .succeeds()
        .stderr_contains("warning: cannot find `iptables`");
    installs_iptables(&host, "legacy");
    host.rules("nat").have(&["--dport 8080 -j DNAT"]);
    host.minirun("ps").succeeds().stderr_is("");
    host.rules("nat").lack(&["-j MINIRUN"]);
    calls(&host, Reach::Open);
    host.removes("web1");
    host.finish();
}

#[test]
fn the_driver_can_be_changed_under_running_containers_both_ways() {
    let host = TestHost::using(Driver::Iptables);
    host.minirun("network update bridge --icc=false").succeeds();
    let web1 = host.serves("web1", "--expose 80 -p 8080:80", 80);
    let linked = host.idles("web2", "--link web1 --egress none");
    let inner = SocketAddrV4::new(web1.address(), 80);
    let works = || {
        calls(&host, Reach::Open);
        assert_eq!(linked.inside(|| tcp_connect(inner, LONG_WAIT)), Reach::Open);
        let listener = host.neighbour().inside(|| tcp_listen(443));
        let outside = SocketAddrV4::new(minirun_integration::NEIGHBOUR_ADDRESS, 443);
        assert_eq!(
            linked.inside(|| tcp_connect(outside, LONG_WAIT)),
            Reach::Refused
        );
        drop(listener);
    };
    works();
    for _ in 0..2 {
        host.write_file("/etc/minirun/minirun.toml", "firewall = \"nftables\"\n");
        host.minirun("info")
            .succeeds()
            .stdout_has_line("Firewall driver: nftables");
        host.minirun("ps").succeeds();
        for table in ["raw", "nat", "filter"] {
            host.rules(table).lack(&["-j MINIRUN"]);
        }
        host.table().have(&["tcp . 8080 : 172.17.0.2 . 80"]);
        works();
        // Left to us, the driver that has made rules is kept.
        host.write_file("/etc/minirun/minirun.toml", "");
        host.minirun("info")
            .succeeds()
            .stdout_has_line("Firewall driver: nftables");
        host.write_file("/etc/minirun/minirun.toml", "firewall = \"iptables\"\n");
        host.minirun("ps").succeeds();
        host.rules("nat").have(&["--dport 8080 -j DNAT"]);
        host.command("nft", "list table inet minirun").fails_with(1);
        works();
    }
    host.removes("web1 web2");
    host.finish();
}
