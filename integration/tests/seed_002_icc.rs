//! Seed 002: communication between containers on, off, and off with a link; the rules that a reader of the seed recognises.

use std::net::SocketAddrV4;

use minirun_integration::probe::{LONG_WAIT, Reach, SHORT_WAIT, http_get, tcp_connect};
use minirun_integration::{Driver, TestHost};

const BETWEEN: &str = "-i minirun0 -o minirun0";

/// What the first container gets when it asks the second, and the other way round.
fn both_ways(host: &TestHost, expected: Reach) {
    let patience = if expected == Reach::Open {
        LONG_WAIT
    } else {
        SHORT_WAIT
    };
    for (source, target) in [("web1", "web2"), ("web2", "web1")] {
        let address = SocketAddrV4::new(host.container(target).address(), 80);
        let reach = host
            .container(source)
            .inside(|| tcp_connect(address, patience));
        assert_eq!(reach, expected, "from {source} to {target}");
    }
}

fn host_reaches_both(host: &TestHost) {
    for name in ["web1", "web2"] {
        let target = SocketAddrV4::new(host.container(name).address(), 80);
        host.inside(|| http_get(target, "/"))
            .unwrap_or_else(|error| panic!("the host should reach `{name}`: {error}"));
    }
}

#[test]
fn communication_is_on_until_it_is_switched_off_and_both_hold_for_running_containers() {
    let host = TestHost::create();
    host.serves("web1", "", 80);
    host.serves("web2", "", 80);
    both_ways(&host, Reach::Open);
    host_reaches_both(&host);
    host.minirun("network update bridge --icc=false").succeeds();
    both_ways(&host, Reach::Silent);
    host_reaches_both(&host);
    host.minirun("network update bridge --icc=true").succeeds();
    both_ways(&host, Reach::Open);
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn the_choice_holds_for_containers_that_start_later() {
    let host = TestHost::create();
    host.minirun("network update bridge --icc=false").succeeds();
    host.serves("web1", "", 80);
    host.serves("web2", "", 80);
    both_ways(&host, Reach::Silent);
    host_reaches_both(&host);
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn with_br_netfilter_on_or_off_the_answer_is_the_same() {
    let host = TestHost::create();
    host.minirun("network update bridge --icc=false").succeeds();
    host.serves("web1", "", 80);
    host.serves("web2", "", 80);
    for value in ["0", "1"] {
        // A kernel without br_netfilter behaves as with 0, so there the second look is at the same thing.
        host.set_sysctl("net/bridge/bridge-nf-call-iptables", value);
        both_ways(&host, Reach::Silent);
    }
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn the_rules_say_drop_when_communication_is_off_and_accept_when_it_is_on() {
    let host = TestHost::using(Driver::Iptables);
    host.serves("web1", "", 80);
    host.rules("filter")
        .have(&[&format!("{BETWEEN} -j ACCEPT")])
        .lack(&[BETWEEN, "-j DROP"])
        .have(&["-o minirun0", "--ctstate RELATED,ESTABLISHED -j ACCEPT"])
        .have(&["-i minirun0 ! -o minirun0 -j ACCEPT"]);
    host.minirun("network update bridge --icc=false").succeeds();
    host.rules("filter")
        .have(&[BETWEEN, "-j DROP"])
        .lack(&[&format!("{BETWEEN} -j ACCEPT")])
        .have(&["-o minirun0", "--ctstate RELATED,ESTABLISHED -j ACCEPT"])
        .have(&["-i minirun0 ! -o minirun0 -j ACCEPT"]);
    // Besides the links, only errors about connections that are already allowed pass: a smaller MTU on the way, for one.
    let accepted = host.rules("filter");
    let accepted = accepted.with(&[BETWEEN, "-j ACCEPT"]);
    assert_eq!(
        accepted,
        [format!(
            "-A MINIRUN-FORWARD {BETWEEN} -p icmp -m conntrack --ctstate RELATED -j ACCEPT"
        )]
    );
    host.rules("filter").have(&["-P FORWARD ACCEPT"]);
    host.removes("web1");
    host.finish();
}

#[test]
fn a_link_is_a_pair_of_rules_whose_answer_half_needs_an_established_connection() {
    let host = TestHost::using(Driver::Iptables);
    host.minirun("network update bridge --icc=false").succeeds();
    let target = host.serves("web1", "--expose 80", 80);
    let source = host.serves("web2", "--link web1", 80);
    let (to, from) = (target.address(), source.address());
    host.rules("filter")
        .have(&[
            &format!("-s {from}/32 -d {to}/32 {BETWEEN} -p tcp"),
            "--dport 80",
            "-j ACCEPT",
        ])
        .have(&[
            &format!("-s {to}/32 -d {from}/32 {BETWEEN} -p tcp"),
            "--sport 80",
            "RELATED,ESTABLISHED",
            "-j ACCEPT",
        ]);
    assert_eq!(
        source.inside(|| tcp_connect(SocketAddrV4::new(to, 80), LONG_WAIT)),
        Reach::Open
    );
    assert_eq!(
        target.inside(|| tcp_connect(SocketAddrV4::new(from, 80), SHORT_WAIT)),
        Reach::Silent
    );
    host.removes("web2");
    host.rules("filter")
        .lack(&["--dport 80"])
        .lack(&["--sport 80"]);
    host.removes("web1");
    host.finish();
}

#[test]
fn network_inspect_shows_the_choice_where_docker_shows_it() {
    let host = TestHost::create();
    host.minirun("network inspect bridge")
        .succeeds()
        .stdout_contains("enable_icc\": \"true\"")
        .stdout_contains("172.17.0.0/16");
    host.minirun("network update bridge --icc=false").succeeds();
    host.minirun("network inspect bridge")
        .succeeds()
        .stdout_contains("enable_icc\": \"false\"");
    host.finish();
}
