//! What clients are told, without a socket.

use std::net::IpAddr;

use proptest::prelude::*;
use simple_dns::rdata::RData;
use simple_dns::{OPCODE, Packet, PacketFlag, RCODE};

use super::answer::{Decision, decide};
use super::names::{Names, Pointer};
use super::query::Transport;
use super::test_client::{Known, query, with_edns};

const A: u16 = 1;
const PTR: u16 = 12;
const AAAA: u16 = 28;

fn known() -> Known {
    Known::new(&[
        ("web", &["172.18.0.2", "fd00::2"]),
        ("db.backend", &["172.18.0.3"]),
        ("all", &["172.18.0.2", "172.18.0.3", "172.18.0.4"]),
        ("nowhere", &[]),
    ])
}

fn ask(message: &[u8], transport: Transport) -> Decision {
    decide(message, transport, &known(), 0)
}

/// The reply over UDP.
fn reply(message: &[u8]) -> Vec<u8> {
    match ask(message, Transport::Udp) {
        Decision::Reply(reply) => reply,
        other => panic!("no reply but {other:?}"),
    }
}

fn addresses(reply: &[u8]) -> Vec<IpAddr> {
    let packet = Packet::parse(reply).unwrap();
    let records = packet.answers.iter().map(|record| {
        assert_eq!(record.ttl, 0);
        match &record.rdata {
            RData::A(a) => IpAddr::V4(a.address.into()),
            RData::AAAA(aaaa) => IpAddr::V6(aaaa.address.into()),
            other => panic!("{other:?}"),
        }
    });
    records.collect()
}

/// What is to be said about a known name without such a record, or without any.
fn assert_empty(reply: &[u8], asked: &[u8]) {
    assert_eq!(reply[2..4], [0x85, 0x80], "authoritative, no error");
    assert_eq!(reply[4..12], [0, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(reply[12..], asked[12..], "the question as it was asked");
}

#[test]
fn the_reply_to_a_question_for_an_address_is_exactly_this() {
    let asked = query("web", A);
    let mut expected = vec![0x12, 0x34, 0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
    expected.extend(b"\x03web\x00\x00\x01\x00\x01");
    expected.extend(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\xac\x12\x00\x02");
    assert_eq!(reply(&asked), expected);
}

#[test]
fn each_family_has_its_own_records() {
    assert_eq!(
        addresses(&reply(&query("web", A))),
        ["172.18.0.2".parse::<IpAddr>().unwrap()]
    );
    assert_eq!(
        addresses(&reply(&query("web", AAAA))),
        ["fd00::2".parse::<IpAddr>().unwrap()]
    );
}

#[test]
fn letters_may_be_large_and_come_back_as_they_were() {
    let asked = query("Db.BACKEND", A);
    let reply = reply(&asked);
    assert_eq!(addresses(&reply).len(), 1);
    assert_eq!(reply[12..asked.len()], asked[12..]);
}

#[test]
fn every_address_comes_first_at_some_turn() {
    let message = query("all", A);
    let mut first = Vec::new();
    for turn in [0, 1, 2, u32::MAX] {
        let Decision::Reply(reply) = decide(&message, Transport::Udp, &known(), turn) else {
            panic!("no reply");
        };
        assert_eq!(addresses(&reply).len(), 3);
        first.push(addresses(&reply)[0].to_string());
    }
    assert_eq!(
        first,
        ["172.18.0.2", "172.18.0.3", "172.18.0.4", "172.18.0.2"]
    );
}

#[test]
fn a_known_name_without_such_a_record_is_answered_empty_whatever_the_type() {
    // CNAME, MX, TXT, SRV, HTTPS, ANY, and numbers that no library knows.
    for kind in [5, 15, 16, 33, 65, 255, 0, 4711, 65535] {
        let asked = query("web", kind);
        assert_empty(&reply(&asked), &asked);
    }
    for asked in [query("db.backend", AAAA), query("nowhere", A)] {
        assert_empty(&reply(&asked), &asked);
    }
    let mut chaos = query("web", A);
    *chaos.last_mut().unwrap() = 3;
    assert_empty(&reply(&chaos), &chaos);
}

#[test]
fn other_names_are_for_others() {
    let long = "a.".repeat(100);
    for name in ["example.org", "web.example.org", "", long.as_str()] {
        for kind in [A, AAAA, 15, 4711] {
            assert_eq!(
                ask(&query(name, kind), Transport::Udp),
                Decision::Forward,
                "{name}"
            );
        }
    }
    let mut dot_in_label = query("db-backend", A);
    dot_in_label[15] = b'.';
    assert_eq!(ask(&dot_in_label, Transport::Udp), Decision::Forward);
}

#[test]
fn zone_transfers_of_others_are_refused() {
    let packet = reply(&query("example.org", 252));
    assert_eq!(packet[3] & 0x0f, RCODE::Refused as u8);
}

#[test]
fn addresses_of_containers_have_names_and_others_are_for_others() {
    let reply_bytes = reply(&query("2.0.18.172.IN-ADDR.arpa", PTR));
    let packet = Packet::parse(&reply_bytes).unwrap();
    let [record] = &packet.answers[..] else {
        panic!("{packet:?}");
    };
    let RData::PTR(name) = &record.rdata else {
        panic!("{record:?}");
    };
    assert_eq!(name.0.to_string(), "web.net");
    let other_type = query("2.0.18.172.in-addr.arpa", A);
    assert_empty(&reply(&other_type), &other_type);
    for name in ["9.0.18.172.in-addr.arpa", "18.172.in-addr.arpa"] {
        assert_eq!(ask(&query(name, PTR), Transport::Udp), Decision::Forward);
    }
}

#[test]
fn a_name_that_dns_cannot_tell_makes_an_empty_answer() {
    struct Long;
    impl Names for Long {
        fn addresses(&self, _: &str) -> Option<Vec<IpAddr>> {
            None
        }
        fn pointer(&self, _: IpAddr) -> Pointer {
            Pointer::Known("n".repeat(64))
        }
    }
    let asked = query("2.0.18.172.in-addr.arpa", PTR);
    let Decision::Reply(reply) = decide(&asked, Transport::Udp, &Long, 0) else {
        panic!("no reply");
    };
    assert_empty(&reply, &asked);
}

#[test]
fn the_wish_for_recursion_is_copied() {
    let mut asked = query("web", A);
    asked[2] = 0;
    let reply = reply(&asked);
    assert_eq!(reply[2..4], [0x84, 0x80]);
}

#[test]
fn edns_is_answered_with_our_size_and_other_versions_with_badvers() {
    let bytes = reply(&with_edns(query("web", A), 4096, 0));
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!(packet.opt().unwrap().udp_packet_size, 1232);
    assert_eq!(packet.answers.len(), 1);
    // The extended code and the version are the two bytes behind the size (RFC 6891 section 6.1.3): BADVERS is 16.
    let bytes = reply(&with_edns(query("web", A), 4096, 1));
    assert_eq!(bytes[2..12], [0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 1]);
    assert_eq!(
        bytes[bytes.len() - 11..],
        [0, 0, 41, 4, 0xd0, 1, 0, 0, 0, 0, 0]
    );
}

#[test]
fn the_wish_for_dnssec_is_no_other_version() {
    let mut asked = with_edns(query("web", A), 4096, 0);
    let flags = asked.len() - 4;
    asked[flags] = 0x80;
    assert_eq!(addresses(&reply(&asked)).len(), 1);
}

#[test]
fn edns_options_such_as_cookies_are_taken_and_half_ones_are_not() {
    let mut asked = with_edns(query("web", A), 1232, 0);
    let length = asked.len();
    asked[length - 1] = 12;
    asked.extend(b"\x00\x0a\x00\x08cookies!");
    assert_eq!(addresses(&reply(&asked)).len(), 1);
    asked.pop();
    assert_eq!(reply(&asked)[3] & 0x0f, RCODE::FormatError as u8);
}

#[test]
fn replies_over_udp_are_cut_to_what_the_client_takes_and_over_tcp_are_not() {
    let many: Vec<String> = (0..100).map(|last| format!("172.18.1.{last}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let names = Known::new(&[("many", &many)]);
    let cases = [
        (query("many", A), Transport::Udp, 0),
        (with_edns(query("many", A), 100, 0), Transport::Udp, 0),
        (with_edns(query("many", A), 65535, 0), Transport::Udp, 0),
        (query("many", A), Transport::Tcp, 100),
    ];
    for (asked, transport, count) in cases {
        let Decision::Reply(reply) = decide(&asked, transport, &names, 5) else {
            panic!("no reply");
        };
        let packet = Packet::parse(&reply).unwrap();
        assert_eq!(packet.answers.len(), count);
        assert_eq!(packet.has_flags(PacketFlag::TRUNCATION), count == 0);
    }
}

#[test]
fn responses_and_crumbs_are_met_with_silence() {
    let mut response = query("web", A);
    response[2] |= 0x80;
    for message in [&[][..], &[0; 11], &response] {
        assert_eq!(ask(message, Transport::Udp), Decision::Silence);
    }
}

#[test]
fn other_operations_are_not_implemented_and_malformed_queries_are_called_so() {
    let mut update = query("web", A);
    update[2] |= 5 << 3;
    let bytes = reply(&update);
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!(
        (packet.opcode(), packet.rcode()),
        (OPCODE::Update, RCODE::NotImplemented)
    );
    assert_eq!(bytes.len(), 12);

    let mut none = query("web", A);
    none[5] = 0;
    let mut two = query("web", A);
    two[5] = 2;
    let half = &query("web", A)[..14];
    let mut pointer = query("web", A);
    pointer[12] = 0xc0;
    for message in [&none[..], &two, half, &pointer] {
        let expected = [0x12, 0x34, 0x81, 0x81, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(reply(message), expected);
    }
}

/// Messages that look right at first: a good one with some bytes changed, cut off or followed by others.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let names = prop_oneof![
        Just("web"),
        Just("all"),
        Just("2.0.18.172.in-addr.arpa"),
        Just("x.y")
    ];
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    let tail = prop::collection::vec(any::<u8>(), 0..40);
    (
        names,
        any::<u16>(),
        any::<u16>(),
        changes,
        any::<prop::sample::Index>(),
        tail,
    )
        .prop_map(|(name, kind, size, changes, cut, tail)| {
            let mut message = with_edns(query(name, kind), size, 0);
            for (place, value) in changes {
                let place = place.index(message.len());
                message[place] = value;
            }
            message.truncate(cut.index(message.len() * 2));
            message.extend(tail);
            message
        })
}

/// A reply is for who asked, is no longer than allowed, and is no weapon against others.
fn assert_harmless(message: &[u8]) {
    for transport in [Transport::Udp, Transport::Tcp] {
        if let Decision::Reply(reply) = ask(message, transport) {
            assert_eq!(reply[..2], message[..2]);
            assert!(reply[2] & 0x80 != 0);
            assert!(reply.len() <= 512);
            assert!(Packet::parse(&reply).is_ok() || reply.len() > 12);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn no_bytes_do_harm(message in prop::collection::vec(any::<u8>(), 0..600)) {
        assert_harmless(&message);
    }

    #[test]
    fn no_damaged_query_does_harm(message in damaged()) {
        assert_harmless(&message);
    }
}
