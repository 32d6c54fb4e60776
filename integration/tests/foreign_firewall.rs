//! A host whose firewall belongs to somebody else: containers get through it, nobody else does, and what was done is told.

#[path = "foreign_firewall/rules.rs"]
mod rules;

use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};

use minirun_integration::probe::{LONG_WAIT, Reach, SHORT_WAIT, tcp_connect, tcp_listen};
use minirun_integration::{HOST_ADDRESS, NEIGHBOUR_ADDRESS, NEIGHBOUR_ADDRESS_V6, Place, TestHost};
use rules::{CLOSED, FIREWALLD, listed, loads, told};

/// Where the container `web1` is published.
const PUBLISHED: SocketAddrV4 = SocketAddrV4::new(HOST_ADDRESS, 8080);

/// Starts the container, and gives its network.
#[track_caller]
fn publishes(host: &TestHost) -> Place {
    host.serves("web1", "-p 8080:80", 80).place()
}

/// Expects that it is reached from the LAN, and reaches it.
#[track_caller]
fn gets_through(host: &TestHost, web1: &Place) {
    assert_eq!(from_lan(host), Reach::Open);
    assert_eq!(way_out(host, web1, 443), Reach::Open);
}

/// Expects that whoever publishes a port is told this on standard error.
#[track_caller]
fn publishing_tells(host: &TestHost, text: &str) {
    host.minirun("run --rm -p 9090:90 demo true")
        .succeeds()
        .stderr_is(text);
}

/// Removes the container, whose network must be gone with it.
#[track_caller]
fn ends(host: TestHost, web1: Place) {
    drop(web1);
    host.removes("web1");
    host.finish();
}

#[track_caller]
fn from_lan(host: &TestHost) -> Reach {
    let connect = || tcp_connect(PUBLISHED, SHORT_WAIT);
    host.neighbour().inside(connect)
}

/// What becomes of a connection of a container to a port of the neighbour. The container's place is one that was asked for
/// before: every command of minirun would look at the rules.
#[track_caller]
fn way_out(host: &TestHost, container: &Place, port: u16) -> Reach {
    let _outside = host.neighbour().inside(|| tcp_listen(port));
    let target = SocketAddrV4::new(NEIGHBOUR_ADDRESS, port);
    container.inside(|| tcp_connect(target, SHORT_WAIT))
}

#[test]
fn containers_get_through_firewalld_and_info_tells_how() {
    let host = TestHost::create();
    assert_eq!(told(&host), ["none"]);
    loads(&host, FIREWALLD);
    let firewalld = "firewalld, a rule of `inet firewalld filter_FORWARD` that refuses the rest";
    assert_eq!(
        told(&host),
        [format!("{firewalld}: there is nothing to let through yet")]
    );
    let web1 = publishes(&host);
    gets_through(&host, &web1);
    assert_eq!(
        told(&host),
        [format!(
            "{firewalld}: minirun's bridges are let through by its chain `minirun` there"
        )]
    );
    assert_eq!(
        listed(&host, "inet firewalld filter_FORWARD"),
        r#"table inet firewalld {
	chain filter_FORWARD {
		type filter hook forward priority filter + 10; policy accept;
		ct state { established, related } accept
		iifname "lo" accept
		ct state invalid drop
		jump minirun comment "minirun"
		jump filter_FORWARD_ZONES
		reject with icmpx admin-prohibited
	}
}
"#
    );
    assert_eq!(
        listed(&host, "inet firewalld minirun"),
        r#"table inet firewalld {
	chain minirun {
		meta nfproto ipv4 oifname "minirun0" accept comment "ipv4 minirun0 in"
		meta nfproto ipv4 iifname "minirun0" accept comment "ipv4 minirun0 out"
	}
}
"#
    );
    ends(host, web1);
}

#[test]
fn rules_that_keep_containers_apart_hold_beside_a_firewall_of_another() {
    let host = TestHost::create();
    loads(&host, CLOSED);
    host.minirun("network update bridge --icc=false").succeeds();
    let target = SocketAddrV4::new(host.serves("web1", "--expose 80", 80).address(), 80);
    host.idles("source", "--link web1:web");
    host.idles("stranger", "");
    let from = |name: &str, patience| {
        host.container(name)
            .inside(|| tcp_connect(target, patience))
    };
    assert_eq!(from("source", LONG_WAIT), Reach::Open, "the link");
    assert_eq!(from("stranger", SHORT_WAIT), Reach::Silent, "closed");
    let route = format!("route add 172.17.0.0/16 via {HOST_ADDRESS}");
    host.neighbour().command("ip", route).succeeds();
    assert_eq!(
        host.neighbour().inside(|| tcp_connect(target, SHORT_WAIT)),
        Reach::Silent,
        "straight from the LAN"
    );
    host.removes("web1 source stranger");
    host.finish();
}

#[test]
fn what_the_other_says_of_particular_packets_is_heard_before_and_after() {
    let host = TestHost::create();
    loads(&host, CLOSED);
    let web1 = publishes(&host);
    gets_through(&host, &web1);
    assert_eq!(way_out(&host, &web1, 444), Reach::Silent);
    host.command(
        "nft",
        "add rule inet fw forward ip daddr 192.0.2.2 tcp dport 445 drop",
    )
    .succeeds();
    host.minirun("ps").succeeds();
    assert_eq!(way_out(&host, &web1, 445), Reach::Silent);
    assert_eq!(way_out(&host, &web1, 443), Reach::Open);
    assert_eq!(
        listed(&host, "inet fw forward"),
        r#"table inet fw {
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		ip daddr 192.0.2.2 tcp dport 444 drop
		log prefix "refused: "
		ip daddr 192.0.2.2 tcp dport 445 drop
		jump minirun comment "minirun"
	}
}
"#
    );
    ends(host, web1);
}

#[test]
fn a_firewall_that_is_loaded_anew_is_passed_with_the_next_command_and_once() {
    let host = TestHost::create();
    loads(&host, FIREWALLD);
    let web1 = publishes(&host);
    let before = listed(&host, "inet firewalld filter_FORWARD");
    for _ in 0..2 {
        loads(&host, &format!("delete table inet firewalld\n{FIREWALLD}"));
        assert_eq!(way_out(&host, &web1, 443), Reach::Unreachable);
        host.minirun("ps").succeeds();
        assert_eq!(way_out(&host, &web1, 443), Reach::Open);
        host.minirun("network reload").succeeds();
        host.minirun("run --name web2 -p 9090:90 demo true")
            .succeeds();
        // What its monitor still takes away would put the way back as well.
        host.removes("web2");
        assert_eq!(listed(&host, "inet firewalld filter_FORWARD"), before);
    }
    ends(host, web1);
}

#[test]
fn a_firewall_that_comes_later_is_passed_as_well_and_one_that_opens_is_left() {
    let host = TestHost::create();
    host.serves("web1", "-p 8080:80", 80);
    loads(&host, CLOSED);
    assert_eq!(from_lan(&host), Reach::Silent);
    host.minirun("ps").succeeds();
    assert_eq!(from_lan(&host), Reach::Open);
    host.command("nft", "add chain inet fw forward { policy accept ; }")
        .succeeds();
    host.minirun("ps").succeeds();
    assert_eq!(told(&host), ["none"]);
    host.command("nft", "list chain inet fw minirun").fails();
    host.removes("web1");
    host.finish();
}

#[test]
fn what_a_network_needed_goes_with_it() {
    let host = TestHost::create();
    loads(&host, FIREWALLD);
    host.minirun("run --rm demo true").succeeds();
    let before = listed(&host, "inet firewalld minirun");
    host.network("net1", "--ipv6 -o bridge_name=br-net1");
    host.network("net2", "--internal -o bridge_name=br-net2");
    let of_both = listed(&host, "inet firewalld minirun");
    let added: Vec<&str> = of_both
        .lines()
        .filter(|line| line.contains("br-net"))
        .map(str::trim)
        .collect();
    assert_eq!(
        added,
        [
            "oifname \"br-net1\" accept comment \"br-net1 in\"",
            "iifname \"br-net1\" accept comment \"br-net1 out\"",
            "meta nfproto ipv4 iifname \"br-net2\" oifname \"br-net2\" accept comment \"ipv4 br-net2 within\"",
        ]
    );
    host.serves("web1", "--network net1", 80);
    let outside = host.neighbour().inside(|| tcp_listen(443));
    let target = SocketAddrV6::new(NEIGHBOUR_ADDRESS_V6, 443, 0, 0);
    assert_eq!(
        host.container("web1")
            .inside(|| tcp_connect(SocketAddr::V6(target), LONG_WAIT)),
        Reach::Open
    );
    drop(outside);
    host.removes("web1");
    host.removes_networks("net1 net2");
    assert_eq!(listed(&host, "inet firewalld minirun"), before);
    host.finish();
}

#[test]
fn a_firewall_can_be_left_alone() {
    let host = TestHost::create();
    host.write_file(
        "/etc/minirun/minirun.toml",
        "foreign_firewall = \"leave\"\n",
    );
    loads(&host, CLOSED);
    let before = host.command("nft", "list table inet fw").succeeds();
    host.serves("web1", "-p 8080:80", 80);
    assert_eq!(from_lan(&host), Reach::Silent);
    let warning = |bridge: &str| {
        format!(
            "warning: another firewall (unknown) refuses what goes in and out of `{bridge}`, by the policy drop of \
             `inet fw forward`: let `{bridge}` through there, or set `foreign_firewall = \"open\"` in minirun.toml"
        )
    };
    host.minirun("info")
        .succeeds()
        .stdout_has_line(
            "Foreign firewall: unknown, policy drop of `inet fw forward`: left alone, so containers are refused",
        )
        .stderr_contains(&warning("minirun0"));
    host.minirun("run --rm demo true").succeeds().stderr_is("");
    publishing_tells(&host, &warning("minirun0"));
    host.minirun("network create -o bridge_name=br-net1 net1")
        .succeeds()
        .stderr_is(&warning("br-net1"));
    host.minirun("network rm net1").succeeds();
    let after = host.command("nft", "list table inet fw").succeeds();
    assert_eq!(after.stdout(), before.stdout());
    host.write_file("/etc/minirun/minirun.toml", "");
    host.minirun("network reload").succeeds();
    assert_eq!(from_lan(&host), Reach::Open);
    publishing_tells(&host, "");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_firewall_that_lets_nobody_in_is_told_and_keeps_no_container_from_running() {
    let host = TestHost::create();
    let mut owner = host.place().program("nft", "-i").at_terminal();
    owner.types("add table inet firewalld { flags owner; }\r");
    owner.types(
        "add chain inet firewalld f { type filter hook forward priority 0; policy drop; }\r",
    );
    owner.types("list ruleset\r");
    owner.shows("policy drop;\r\n");
    host.serves("web1", "-p 8080:80", 80);
    assert_eq!(from_lan(&host), Reach::Silent);
    assert_eq!(
        told(&host),
        ["firewalld, policy drop of `inet firewalld f`: containers are refused"]
    );
    publishing_tells(
        &host,
        "warning: another firewall (firewalld) refuses what goes in and out of `minirun0`, by the policy drop of \
             `inet firewalld f`: `firewall-cmd --permanent --zone=trusted --add-interface=minirun0` and \
             `firewall-cmd --reload` let it through",
    );
    owner.types("quit\r");
    owner.finish().succeeds();
    // The kernel does not count that the table went with its owner.
    host.minirun("network reload").succeeds();
    assert_eq!(from_lan(&host), Reach::Open);
    assert_eq!(told(&host), ["none"]);
    publishing_tells(&host, "");
    host.removes("web1");
    host.finish();
}

#[test]
fn in_the_tables_of_iptables_our_own_rules_are_the_way() {
    let host = TestHost::create();
    host.write_file("/etc/minirun/minirun.toml", "firewall = \"iptables\"\n");
    for rule in ["-P FORWARD DROP", "-N DOCKER-USER", "-A FORWARD -j REJECT"] {
        host.command("iptables", rule).succeeds();
    }
    let web1 = publishes(&host);
    gets_through(&host, &web1);
    assert_eq!(
        told(&host),
        [
            "Docker, a rule of `ip filter FORWARD` that refuses the rest: minirun's own rules come before that"
        ]
    );
    host.rules("filter").lack(&["-j minirun"]);
    ends(host, web1);
}

#[test]
fn the_older_iptables_is_told_beside_the_newer_one() {
    let host = TestHost::create();
    host.command("iptables-legacy", "-P FORWARD DROP")
        .succeeds();
    host.serves("web1", "-p 8080:80", 80);
    assert_eq!(from_lan(&host), Reach::Silent);
    host.minirun("info")
        .succeeds()
        .stdout_has_line("Foreign firewall: unknown, policy drop of `iptables-legacy FORWARD`: containers are refused")
        .stderr_contains(
            "`iptables-legacy -I FORWARD -i minirun0 -j ACCEPT` and `iptables-legacy -I FORWARD -o minirun0 -j ACCEPT` let it through",
        );
    host.removes("web1");
    host.finish();
}

#[test]
fn info_is_told_to_programs_as_well() {
    let host = TestHost::create();
    loads(&host, CLOSED);
    host.minirun("run --rm demo true").succeeds();
    let info = host.minirun("info --format json").succeeds().json();
    assert_eq!(
        info["ForeignFirewalls"],
        serde_json::json!([{
            "Owners": [],
            "Place": "inet fw forward",
            "Refusal": "policy",
            "Standing": "passage",
        }])
    );
    host.minirun([
        "info",
        "-f",
        "{{range .ForeignFirewalls}}{{.Place}}: {{.Standing}}{{end}}",
    ])
    .succeeds()
    .stdout_is("inet fw forward: passage");
    host.minirun("--iptables=false info")
        .succeeds()
        .stdout_has_line("Foreign firewall: none");
    host.finish();
}
