//! Manners on the host: what others do to the rules is put right, and what is not ours is left alone.

use std::net::SocketAddrV4;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use minirun_integration::probe::{
    LONG_WAIT, Reach, SHORT_WAIT, tcp_connect, tcp_connect_from, tcp_listen,
};
use minirun_integration::{HOST_ADDRESS, NEIGHBOUR_ADDRESS, TestHost};

const PUBLISHED: SocketAddrV4 = SocketAddrV4::new(HOST_ADDRESS, 8080);
const PUBLISHED_ON_NET1: SocketAddrV4 = SocketAddrV4::new(HOST_ADDRESS, 9090);

/// Shorter than the second after which a lost SYN is sent again: what is open within it was never closed meanwhile.
const BEFORE_REPEATED_SYN: Duration = Duration::from_millis(900);

/// What others do to a host, each as a line of shell.
const DAMAGES: [&str; 8] = [
    "for table in raw nat filter; do iptables -w -t $table -F; done",
    "for table in raw nat filter; do iptables -w -t $table -F; iptables -w -t $table -X; done",
    "nft flush ruleset",
    "iptables -w -F MINIRUN",
    "iptables -w -t nat -F MINIRUN",
    "iptables -w -D FORWARD -j MINIRUN-FORWARD",
    "echo 0 >/proc/sys/net/ipv4/ip_forward",
    "ip address flush dev minirun0; ip link set minirun0 down",
];

/// How many of them only damage rules.
const DAMAGES_OF_RULES: usize = 6;

/// A closed default network with a published target, a linked source and a stranger; and an open network with a published server.
fn furnish(host: &TestHost) {
    host.minirun("network update bridge --icc=false").succeeds();
    host.serves("web1", "-p 8080:80", 80);
    for (name, options) in [("source", "--link web1:web"), ("stranger", "")] {
        host.minirun(format!(
            "run -d --name {name} {options} demo sleep infinity"
        ))
        .succeeds();
    }
    host.minirun("network create -o bridge_name=br-net1 net1")
        .succeeds();
    host.serves("web2", "--network net1 -p 9090:90", 90);
}

fn clear(host: TestHost) {
    host.removes("web1 source stranger web2");
    host.minirun("network rm net1").succeeds();
    host.finish();
}

/// Expects everything that [`furnish`] promises to hold.
#[track_caller]
fn works(host: &TestHost, after: &str) {
    let inner = SocketAddrV4::new(host.container("web1").address(), 80);
    let from = |name: &str, target, patience| {
        host.container(name)
            .inside(|| tcp_connect(target, patience))
    };
    assert_eq!(
        from("source", inner, LONG_WAIT),
        Reach::Open,
        "{after}: link"
    );
    assert_eq!(
        from("stranger", inner, SHORT_WAIT),
        Reach::Silent,
        "{after}: closed"
    );
    assert_eq!(
        from("web2", inner, SHORT_WAIT),
        Reach::Silent,
        "{after}: other network"
    );
    for published in [PUBLISHED, PUBLISHED_ON_NET1] {
        assert_eq!(
            host.neighbour()
                .inside(|| tcp_connect(published, LONG_WAIT)),
            Reach::Open,
            "{after}: {published} from the LAN"
        );
    }
    let outside = host.neighbour().inside(|| tcp_listen(443));
    for name in ["stranger", "web2"] {
        let target = SocketAddrV4::new(NEIGHBOUR_ADDRESS, 443);
        assert_eq!(
            from(name, target, LONG_WAIT),
            Reach::Open,
            "{after}: way out"
        );
        let seen = outside.next_peer(LONG_WAIT).map(|peer| peer.ip());
        assert_eq!(seen, Some(HOST_ADDRESS.into()), "{after}: masquerade");
    }
}

/// Every rule of both families, in an order that does not depend on who came first.
fn all_rules(host: &TestHost) -> Vec<String> {
    let mut rules = Vec::new();
    for program in ["iptables", "ip6tables"] {
        for table in ["raw", "nat", "filter"] {
            let listed = host.command(program, ["-w", "-t", table, "-S"]).succeeds();
            let lines = listed.stdout().lines();
            rules.extend(lines.map(|line| format!("{program} {table} {line}")));
        }
    }
    rules.sort();
    rules
}

/// All that the kernel filters by, byte for byte, without counters.
fn ruleset(host: &TestHost) -> String {
    host.command("nft", "--stateless list ruleset")
        .succeeds()
        .stdout()
        .to_owned()
}

#[track_caller]
fn shell(host: &TestHost, line: &str) {
    host.command("sh", ["-c", line]).succeeds();
}

#[test]
fn reloading_restores_everything_that_others_have_taken_away() {
    let host = TestHost::create();
    furnish(&host);
    let before = all_rules(&host);
    for damage in DAMAGES {
        shell(&host, damage);
        host.minirun("network reload").succeeds();
        assert_eq!(all_rules(&host), before, "{damage}");
        works(&host, damage);
    }
    clear(host);
}

#[test]
fn any_command_that_finds_the_rules_gone_restores_them() {
    let host = TestHost::create();
    furnish(&host);
    let before = all_rules(&host);
    for damage in &DAMAGES[..DAMAGES_OF_RULES] {
        for command in ["ps", "network ls", "inspect web1", "run --rm demo true"] {
            shell(&host, damage);
            host.minirun(command).succeeds();
            assert_eq!(all_rules(&host), before, "{damage}; {command}");
        }
        works(&host, damage);
    }
    clear(host);
}

#[test]
fn a_bridge_that_somebody_deleted_is_made_again_with_its_containers_on_it() {
    let host = TestHost::create();
    furnish(&host);
    for bridge in ["minirun0", "br-net1"] {
        shell(&host, &format!("ip link delete {bridge}"));
        host.minirun("network reload").succeeds();
        works(&host, bridge);
    }
    clear(host);
}

#[test]
fn reloading_again_and_again_makes_no_duplicate() {
    let host = TestHost::create();
    furnish(&host);
    let before = all_rules(&host);
    for _ in 0..5 {
        host.minirun("network reload").succeeds();
        assert_eq!(all_rules(&host), before);
    }
    let mut own: Vec<_> = before
        .iter()
        .filter(|rule| rule.contains(" -A MINIRUN"))
        .collect();
    let count = own.len();
    own.dedup();
    assert_eq!(own.len(), count, "{own:#?}");
    clear(host);
}

#[test]
fn while_rules_are_reloaded_nothing_is_closed_or_opened_for_a_moment() {
    let host = TestHost::create();
    furnish(&host);
    let inner = SocketAddrV4::new(host.container("web1").address(), 80);
    let stranger = host.container("stranger").place();
    // Each attempt leaves a port of the neighbour's waiting for a minute, and a slow machine makes very many of them.
    let more_ports = "echo 1024 65535 >/proc/sys/net/ipv4/ip_local_port_range";
    host.neighbour()
        .command("sh", ["-c", more_ports])
        .succeeds();
    let done = AtomicBool::new(false);
    let attempts = |place: &minirun_integration::Place, target, patience| {
        let mut answers = Vec::new();
        while !done.load(Ordering::Relaxed) {
            answers.push(place.inside(|| tcp_connect(target, patience)));
        }
        answers
    };
    let (open, closed) = thread::scope(|scope| {
        let open = scope.spawn(|| attempts(host.neighbour(), PUBLISHED, BEFORE_REPEATED_SYN));
        let closed = scope.spawn(|| attempts(&stranger, inner, Duration::from_millis(20)));
        for _ in 0..20 {
            host.minirun("network reload").succeeds();
        }
        done.store(true, Ordering::Relaxed);
        let join = |answers: thread::ScopedJoinHandle<'_, Vec<Reach>>| {
            answers.join().expect("a probe panicked")
        };
        (join(open), join(closed))
    });
    assert!(!open.is_empty() && !closed.is_empty());
    assert!(open.iter().all(|reach| *reach == Reach::Open), "{open:?}");
    assert!(
        closed.iter().all(|reach| *reach == Reach::Silent),
        "{closed:?}"
    );
    drop(stranger);
    clear(host);
}

#[test]
fn a_network_that_was_removed_does_not_come_back() {
    let host = TestHost::create();
    furnish(&host);
    host.minirun("network create -o bridge_name=br-gone gone")
        .succeeds();
    host.minirun("run --rm --network gone -p 7070:70 demo true")
        .succeeds();
    host.minirun("network rm gone").succeeds();
    for damage in DAMAGES {
        shell(&host, damage);
        host.minirun("network reload").succeeds();
    }
    let rules = all_rules(&host);
    assert!(
        !rules.iter().any(|rule| rule.contains("br-gone")),
        "{rules:#?}"
    );
    host.command("ip", "link show br-gone").fails();
    host.minirun("network ls").succeeds().stdout_lacks("gone");
    clear(host);
}

#[test]
fn a_policy_that_drops_is_neither_changed_nor_in_the_way() {
    let host = TestHost::create();
    for program in ["iptables", "ip6tables"] {
        host.command(program, "-w -P FORWARD DROP").succeeds();
    }
    furnish(&host);
    works(&host, "FORWARD policy DROP");
    host.minirun("network reload").succeeds();
    works(&host, "FORWARD policy DROP, reloaded");
    for policy in [
        "iptables filter -P FORWARD DROP",
        "ip6tables filter -P FORWARD DROP",
    ] {
        assert!(
            all_rules(&host).iter().any(|rule| rule == policy),
            "{policy}"
        );
    }
    clear(host);
}

#[test]
fn rules_that_somebody_appended_to_forward_are_kept_and_are_not_in_the_way() {
    let host = TestHost::create();
    host.command("iptables", "-w -A FORWARD -j DROP").succeeds();
    furnish(&host);
    works(&host, "FORWARD ends with DROP");
    host.minirun("network reload").succeeds();
    works(&host, "FORWARD ends with DROP, reloaded");
    host.rules("filter").have(&["-A FORWARD -j DROP"]);
    clear(host);
}

/// Whether the published port of `web1` is open to each of the neighbour's two addresses, of which the first is waited for so
/// long. The second may always come in, so it has the time that a busy machine may need.
fn seen_from_both(host: &TestHost, patience: Duration) -> [Reach; 2] {
    [("192.0.2.2", patience), ("192.0.2.3", LONG_WAIT)].map(|(source, patience)| {
        let route = format!("route replace {HOST_ADDRESS}/32 dev lan0 src {source}");
        host.neighbour().command("ip", &route).succeeds();
        host.neighbour().inside(|| tcp_connect(PUBLISHED, patience))
    })
}

#[test]
fn the_administrator_allows_one_address_as_the_manual_of_docker_says() {
    let host = TestHost::create();
    host.neighbour()
        .command("ip", "address add 192.0.2.3/24 dev lan0")
        .succeeds();
    furnish(&host);
    assert_eq!(seen_from_both(&host, LONG_WAIT), [Reach::Open, Reach::Open]);
    let rule = "MINIRUN-USER -i uplink0 ! -s 192.0.2.3 -j DROP";
    host.command("iptables", format!("-w -I {rule}")).succeeds();
    for command in [
        "ps",
        "network reload",
        "network create net2",
        "restart -t 0 web2",
        "network rm net2",
    ] {
        host.minirun(command).succeeds();
        assert_eq!(
            seen_from_both(&host, SHORT_WAIT),
            [Reach::Silent, Reach::Open],
            "{command}"
        );
        let listed = host.rules("filter");
        assert_eq!(
            listed.with(&["-A MINIRUN-USER"]),
            ["-A MINIRUN-USER ! -s 192.0.2.3/32 -i uplink0 -j DROP"],
            "{command}"
        );
        assert_eq!(
            listed.with(&["-A FORWARD"])[0],
            "-A FORWARD -j MINIRUN-USER"
        );
    }
    host.command("iptables", format!("-w -D {rule}")).succeeds();
    assert_eq!(seen_from_both(&host, LONG_WAIT), [Reach::Open, Reach::Open]);
    clear(host);
}

#[test]
fn the_administrator_closes_the_way_between_two_containers_with_communication_on() {
    let host = TestHost::create();
    host.minirun("network create -o bridge_name=br-net1 net1")
        .succeeds();
    host.serves("web2", "--network net1 -p 9090:90", 90);
    host.command(
        "iptables",
        "-w -A MINIRUN-USER -o br-net1 -p tcp --dport 90 -j REJECT",
    )
    .succeeds();
    assert_eq!(
        host.neighbour()
            .inside(|| tcp_connect(PUBLISHED_ON_NET1, LONG_WAIT)),
        Reach::Refused
    );
    host.command("iptables", "-w -F MINIRUN-USER").succeeds();
    host.removes("web2");
    host.minirun("network rm net1").succeeds();
    host.finish();
}

#[test]
fn a_damaged_host_stays_closed_for_targets_that_answer_from_their_exposed_port() {
    let host = TestHost::create();
    furnish(&host);
    shell(&host, "nft flush ruleset");
    host.minirun("network reload").succeeds();
    let listener = host.container("source").inside(|| tcp_listen(9999));
    let back = SocketAddrV4::new(host.container("source").address(), 9999);
    assert_eq!(
        host.container("web1")
            .inside(|| tcp_connect_from(81, back, SHORT_WAIT)),
        Reach::Silent
    );
    drop(listener);
    clear(host);
}

#[test]
fn reloading_a_host_on_which_minirun_never_ran_leaves_it_as_it_was() {
    let host = TestHost::create();
    let before = ruleset(&host);
    host.minirun("network reload").succeeds();
    assert_eq!(ruleset(&host), before);
    host.command("ip", "link show minirun0").fails();
    host.finish();
}
