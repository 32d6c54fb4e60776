//! The name server and the questions of the harness itself: what the tests of names stand on.

use std::net::SocketAddrV4;
use std::time::Instant;

use minirun_integration::probe::{
    DnsQuestion, LONG_WAIT, SHORT_WAIT, Transport, dns_ask, dns_ask_several,
};
use minirun_integration::{DnsUpstream, HOST_ADDRESS, NEIGHBOUR_ADDRESS, TestHost, Zone};
use simple_dns::{PacketFlag, RCODE, TYPE};

const SERVER: SocketAddrV4 = SocketAddrV4::new(NEIGHBOUR_ADDRESS, 53);

fn question(name: &str, kind: TYPE) -> DnsQuestion<'_> {
    DnsQuestion { name, kind }
}

#[test]
fn a_zone_answers_over_both_transports_and_tells_who_asked() {
    let host = TestHost::create();
    let zone = Zone::of(&[("a.test", "198.51.100.1"), ("a.test", "2001:db8::1")]);
    let upstream = host.neighbour().inside(|| DnsUpstream::start(SERVER, zone));
    for transport in [Transport::Udp, Transport::Tcp] {
        let ask = |name: &str, kind| {
            let answer =
                host.inside(|| dns_ask(SERVER, &question(name, kind), transport, LONG_WAIT));
            answer.expect("the server runs")
        };
        ask("A.test.", TYPE::A).is(&["198.51.100.1"]);
        ask("a.test", TYPE::AAAA).is(&["2001:db8::1"]);
        ask("a.test", TYPE::MX).is(&[]);
        ask("b.test", TYPE::A).fails_with(RCODE::NameError);
        let seen = upstream.takes_seen();
        assert_eq!(seen.len(), 4);
        assert_eq!(seen[0].name, "A.test");
        assert!(
            seen.iter()
                .all(|one| one.peer == HOST_ADDRESS && one.transport == transport)
        );
    }
    drop(upstream);
    host.finish();
}

#[test]
fn a_long_answer_is_cut_over_udp_and_whole_over_tcp() {
    let host = TestHost::create();
    let addresses: Vec<_> = (0..100)
        .map(|number| format!("198.51.100.{number}"))
        .collect();
    let lines: Vec<_> = addresses
        .iter()
        .map(|one| ("big.test", one.as_str()))
        .collect();
    let upstream = host
        .neighbour()
        .inside(|| DnsUpstream::start(SERVER, Zone::of(&lines)));
    let asked = question("big.test", TYPE::A);
    let cut = host.inside(|| dns_ask(SERVER, &asked, Transport::Udp, LONG_WAIT));
    assert!(cut.is_some_and(|answer| answer.has(PacketFlag::TRUNCATION)));
    let whole = host.inside(|| dns_ask_several(SERVER, &[asked.clone(), asked.clone()], LONG_WAIT));
    let whole = whole.expect("the server runs");
    assert!(whole.iter().all(|answer| answer.values.len() == 100));
    drop(upstream);
    host.finish();
}

#[test]
fn a_silent_server_gives_no_answer_but_has_heard() {
    let host = TestHost::create();
    let upstream = host
        .neighbour()
        .inside(|| DnsUpstream::start(SERVER, Zone::Silent));
    let asked = question("a.test", TYPE::A);
    assert_eq!(
        host.inside(|| dns_ask(SERVER, &asked, Transport::Udp, SHORT_WAIT)),
        None
    );
    // It hears the question when its thread gets to run.
    let began = Instant::now();
    let mut heard = upstream.takes_names();
    while heard.is_empty() && began.elapsed() < LONG_WAIT {
        std::thread::yield_now();
        heard = upstream.takes_names();
    }
    assert_eq!(heard, ["a.test"]);
    drop(upstream);
    host.finish();
}
