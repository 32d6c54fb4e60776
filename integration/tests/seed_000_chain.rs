//! Seed 000: five containers in a chain of links, with communication between containers off.
//!
//! `ct21` uses `ct11`, `ct22` uses `ct12`, and both `ct11` and `ct12` use `ct01`; each exposes port 22 and nothing else is open.

use std::collections::BTreeSet;

use minirun_integration::TestHost;
use minirun_integration::probe::{LONG_WAIT, Reach, SHORT_WAIT, tcp_connect};

const NAMES: [&str; 5] = ["ct01", "ct11", "ct12", "ct21", "ct22"];

/// Source and target of every link.
const LINKS: [(&str, &str); 4] = [
    ("ct11", "ct01"),
    ("ct12", "ct01"),
    ("ct21", "ct11"),
    ("ct22", "ct12"),
];

fn start_chain(host: &TestHost) {
    host.configures("icc = false\n");
    host.serves("ct01", "-p 22", 22);
    for (source, target) in LINKS {
        host.serves(source, &format!("-p 22 --link {target}:sshd"), 22);
    }
}

#[track_caller]
fn only_links_are_open(host: &TestHost) {
    let matrix = host.reach_matrix(&NAMES, 22, &LINKS);
    let open: BTreeSet<_> = matrix
        .iter()
        .filter(|(_, reach)| **reach == Reach::Open)
        .map(|(pair, _)| pair.clone())
        .collect();
    let expected = LINKS.map(|(source, target)| (source.to_owned(), target.to_owned()));
    assert_eq!(open, BTreeSet::from(expected));
    assert_eq!(matrix.len(), 20, "every ordered pair was tried");
    let closed: Vec<_> = matrix
        .iter()
        .filter(|(_, reach)| !matches!(reach, Reach::Open | Reach::Silent))
        .collect();
    assert!(closed.is_empty(), "a closed pair is silent, not {closed:?}");
}

#[test]
fn only_the_linked_directions_reach_the_exposed_port() {
    let host = TestHost::create();
    start_chain(&host);
    only_links_are_open(&host);
    host.removes("ct01 ct11 ct12 ct21 ct22");
    host.finish();
}

#[test]
fn the_chain_holds_after_its_middle_restarted_with_another_address() {
    let host = TestHost::create();
    start_chain(&host);
    let before = host.container("ct11").address();
    host.minirun("stop ct11").succeeds();
    host.minirun(format!(
        "run -d --name taker --ip {before} demo httpd -p 22"
    ))
    .succeeds();
    host.container("taker").awaits_tcp(22);
    host.minirun("start ct11").succeeds();
    host.container("ct11").awaits_tcp(22);
    let after = host.container("ct11").address();
    assert_ne!(before, after);
    only_links_are_open(&host);
    let hosts = host
        .minirun("exec ct21 cat /etc/hosts")
        .succeeds()
        .stdout_contains(&format!("{after}\tsshd "));
    assert!(
        !hosts.stdout().contains(&before.to_string()),
        "the old address is gone from\n{}",
        hosts.stdout()
    );
    let old = std::net::SocketAddrV4::new(before, 22);
    assert_eq!(
        host.container("ct21")
            .inside(|| tcp_connect(old, SHORT_WAIT)),
        Reach::Silent
    );
    host.removes("ct01 ct11 ct12 ct21 ct22 taker");
    host.finish();
}

#[test]
fn a_link_opens_no_other_port_of_its_target() {
    let host = TestHost::create();
    host.configures("icc = false\n");
    let target = host.serves("ct01", "-p 22", 22);
    let source = host.serves("ct11", "-p 22 --link ct01:sshd", 22);
    let other = target.inside(|| minirun_integration::probe::tcp_listen(23));
    let (exposed, hidden) = (
        std::net::SocketAddrV4::new(target.address(), 22),
        std::net::SocketAddrV4::new(target.address(), 23),
    );
    assert_eq!(
        source.inside(|| tcp_connect(exposed, LONG_WAIT)),
        Reach::Open
    );
    assert_eq!(
        source.inside(|| tcp_connect(hidden, SHORT_WAIT)),
        Reach::Silent
    );
    drop(other);
    host.removes("ct01 ct11");
    host.finish();
}

#[test]
fn a_stopped_target_is_closed_and_its_return_opens_it_again() {
    let host = TestHost::create();
    start_chain(&host);
    let target = host.container("ct01").address();
    host.minirun("stop ct01").succeeds();
    host.rules("filter")
        .lack(&[&format!("{target}/32"), "-i minirun0 -o minirun0"]);
    host.minirun("start ct01").succeeds();
    host.container("ct01").awaits_tcp(22);
    only_links_are_open(&host);
    host.removes("ct01 ct11 ct12 ct21 ct22");
    host.finish();
}
