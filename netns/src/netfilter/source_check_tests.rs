//! What the kernel makes of a source check, and what of frames.

use std::net::IpAddr;

use super::nf_tables::{CommitError, Expectation, RulesConnection, Transaction};
use super::source_check::{
    SourceCheck, add_sources, remove_source_checks, remove_sources, replace_source_checks,
};
use crate::explain::Explain;
use crate::packet_socket::PacketSocket;
use crate::scratch::{in_fresh_namespace, shell};

const MAC: [u8; 6] = [0x02, 0x42, 0xac, 0x11, 0, 2];
const OTHER_MAC: [u8; 6] = [0x02, 0x42, 0xac, 0x11, 0, 3];
const EVERYBODY: [u8; 6] = [0xff; 6];

fn check(interface: &str, addresses: &[&str]) -> SourceCheck {
    SourceCheck {
        interface: interface.into(),
        mac: "02:42:ac:11:00:02".parse().unwrap(),
        addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
    }
}

fn commit(transaction: &Transaction) -> Result<u32, CommitError> {
    let mut connection = RulesConnection::open().unwrap().unwrap();
    connection.commit(std::slice::from_ref(transaction), Expectation::Anything)
}

const LISTED: &str = r#"table bridge minirun {
	set ports {
		type ifname
		elements = { "veth1" }
	}

	set stations {
		type ifname . ether_addr
		elements = { "veth1" . 02:42:ac:11:00:02 }
	}

	set sources4 {
		type ifname . ether_addr . ipv4_addr
		elements = { "veth1" . 02:42:ac:11:00:02 . 172.17.0.2 }
	}

	set sources6 {
		type ifname . ether_addr . ipv6_addr
	}

	set targets6 {
		typeof iifname . @th,64,128
	}

	chain frames {
		type filter hook prerouting priority dstnat; policy accept;
		iifname . ether saddr . ip saddr @sources4 accept
		iifname != @ports accept
		icmpv6 type nd-router-advert drop
		icmpv6 type nd-redirect drop
		icmpv6 type nd-neighbor-advert iifname . @th,64,128 != @targets6 drop
		iifname . ether saddr . ip6 saddr @sources6 accept
		iifname . ether saddr @stations ip6 saddr fe80::/64 icmpv6 type mld2-listener-report accept
		iifname . ether saddr @stations iifname . arp saddr ether . arp saddr ip @sources4 accept
		drop
	}
}
"#;

#[test]
fn the_rules_are_fixed_and_a_container_is_three_elements() {
    in_fresh_namespace(|| {
        commit(&replace_source_checks(
            check("veth1", &["172.17.0.2"]).elements(),
        ))
        .unwrap();
        assert_eq!(shell("nft list ruleset"), LISTED);
    });
}

#[test]
fn a_container_with_ipv6_may_speak_from_its_link_local_address_too() {
    let elements = check("veth1", &["172.17.0.2", "fd00::2"]).elements();
    let texts: Vec<String> = elements
        .iter()
        .map(|element| format!("{} {}", element.set, element.text()))
        .collect();
    assert_eq!(
        texts,
        [
            r#"ports "veth1""#,
            r#"stations "veth1" . 02:42:ac:11:00:02"#,
            r#"sources4 "veth1" . 02:42:ac:11:00:02 . 172.17.0.2"#,
            r#"sources6 "veth1" . 02:42:ac:11:00:02 . fd00::2"#,
            r#"targets6 "veth1" . 0xfd000000000000000000000000000002"#,
            r#"sources6 "veth1" . 02:42:ac:11:00:02 . fe80::42:acff:fe11:2"#,
            r#"targets6 "veth1" . 0xfe800000000000000042acfffe110002"#,
        ]
    );
}

#[test]
fn the_printed_commands_do_the_same() {
    let addition = check("veth1", &["172.17.0.2", "fd00::2"]);
    let of = |make: &(dyn Fn() + Sync)| {
        in_fresh_namespace(|| {
            make();
            shell("nft --debug=netlink list ruleset")
        })
    };
    let of_messages = of(&|| {
        commit(&replace_source_checks(Vec::new())).unwrap();
        commit(&add_sources(addition.elements())).unwrap();
    });
    let of_commands = of(&|| {
        shell(&replace_source_checks(Vec::new()).commands().join("\n"));
        shell(&addition.explain().command);
    });
    let of_listing = of(&|| {
        let whole = replace_source_checks(addition.elements());
        shell(&format!("nft -f - <<'EOF'\n{}EOF\n", whole.listing()));
    });
    // The order in a hash table is nobody's business, nor are the numbers of rules.
    let sorted = |listing: &str| {
        let lines = listing
            .lines()
            .map(|line| match line.strip_prefix("bridge minirun ") {
                Some(rule) => {
                    rule.trim_end_matches(|last: char| last.is_ascii_digit() || last == ' ')
                }
                None => line,
            });
        let mut lines: Vec<String> = lines.map(str::to_string).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&of_messages), sorted(&of_commands));
    assert_eq!(sorted(&of_messages), sorted(&of_listing));
}

#[test]
fn ports_come_and_go_one_by_one_or_all_together() {
    in_fresh_namespace(|| {
        let (one, two) = (
            check("veth1", &["172.17.0.2"]),
            check("veth2", &["fd00::2"]),
        );
        assert!(matches!(
            commit(&add_sources(one.elements())),
            Err(CommitError::Missing { .. })
        ));
        commit(&replace_source_checks(Vec::new())).unwrap();
        commit(&add_sources(one.elements())).unwrap();
        commit(&add_sources(two.elements())).unwrap();
        assert!(matches!(
            commit(&add_sources(two.elements())),
            Err(CommitError::Exists { .. })
        ));
        commit(&remove_sources(two.elements())).unwrap();
        assert_eq!(shell("nft list ruleset"), LISTED);
        commit(&replace_source_checks(two.elements())).unwrap();
        assert!(!shell("nft list ruleset").contains("veth1"));
        commit(&remove_source_checks()).unwrap();
        commit(&remove_source_checks()).unwrap();
        assert_eq!(shell("nft list ruleset"), "");
    });
}

/// A frame, and a protocol in it.
fn frame(source: [u8; 6], kind: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = [EVERYBODY, source].concat();
    bytes.extend(kind.to_be_bytes());
    bytes.extend(payload);
    if kind == ARP {
        // Room for a mark. Packets of IP have none: what is behind them may be cut off on the way.
        bytes.resize(80, 0);
    }
    bytes
}

fn octets(address: &str) -> Vec<u8> {
    match address.parse().unwrap() {
        IpAddr::V4(address) => address.octets().into(),
        IpAddr::V6(address) => address.octets().into(),
    }
}

fn arp(sender: [u8; 6], address: &str) -> Vec<u8> {
    let mut bytes = vec![0, 1, 8, 0, 6, 4, 0, 2];
    bytes.extend(sender);
    bytes.extend(octets(address));
    bytes.extend([0; 6]);
    bytes.extend(octets("172.17.0.1"));
    bytes
}

fn ipv4(source: &str) -> Vec<u8> {
    let mut bytes = vec![0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0];
    bytes.extend(octets(source));
    bytes.extend(octets("172.17.0.1"));
    let sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum();
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    bytes[10..12].copy_from_slice(&sum.to_be_bytes());
    bytes.extend([0x30, 0x39, 0x30, 0x39, 0, 8, 0, 0]);
    bytes
}

/// An IPv6 packet with this after its header.
fn ipv6(source: &str, next: u8, rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x60, 0, 0, 0];
    bytes.extend((rest.len() as u16).to_be_bytes());
    bytes.extend([next, 255]);
    bytes.extend(octets(source));
    bytes.extend(octets("ff02::1"));
    bytes.extend(rest);
    bytes
}

/// ICMPv6 with an address at the place of a target.
fn icmpv6(kind: u8, target: &str) -> Vec<u8> {
    let mut bytes = vec![kind, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend(octets(target));
    bytes
}

const IPV4: u16 = 0x0800;
const ARP: u16 = 0x0806;
const IPV6: u16 = 0x86dd;
const OWN6: &str = "fd00::2";
const OWN_LINK_LOCAL: &str = "fe80::42:acff:fe11:2";

fn own_arp() -> Vec<u8> {
    frame(MAC, ARP, &arp(MAC, "172.17.0.2"))
}

/// The same frame, told apart from others that are the same.
fn marked(mut frame: Vec<u8>, mark: usize) -> Vec<u8> {
    frame[72..80].copy_from_slice(&mark.to_be_bytes());
    frame
}

/// Frames that a container may send.
fn own_frames() -> Vec<(&'static str, Vec<u8>)> {
    let v6 = |source, rest: &[u8]| frame(MAC, IPV6, &ipv6(source, 58, rest));
    vec![
        ("IPv4", frame(MAC, IPV4, &ipv4("172.17.0.2"))),
        ("UDP over IPv6", frame(MAC, IPV6, &ipv6(OWN6, 17, &[0; 8]))),
        ("a solicitation", v6(OWN6, &icmpv6(135, "fd00::1"))),
        (
            "a solicitation of a link",
            v6(OWN_LINK_LOCAL, &icmpv6(135, "fd00::1")),
        ),
        ("an advertisement", v6(OWN6, &icmpv6(136, OWN6))),
        (
            "an advertisement of a link",
            v6(OWN_LINK_LOCAL, &icmpv6(136, OWN_LINK_LOCAL)),
        ),
        ("a report of a link", v6("fe80::77", &icmpv6(143, "::"))),
    ]
}

/// Frames that nobody may send.
fn foreign_frames() -> Vec<(&'static str, Vec<u8>)> {
    let v6 = |source, rest: &[u8]| frame(MAC, IPV6, &ipv6(source, 58, rest));
    let tagged = [&[0, 5, 0x08, 0x00], ipv4("172.17.0.3").as_slice()].concat();
    let own_tagged = [&[0, 5, 0x08, 0x00], ipv4("172.17.0.2").as_slice()].concat();
    let mut to_bridges = frame(MAC, IPV4, &ipv4("172.17.0.3"));
    to_bridges[..6].copy_from_slice(&[0x01, 0x80, 0xc2, 0, 0, 0x0e]);
    let mut bridges = frame(MAC, 39, &[0x42, 0x42, 3, 0, 0, 0]);
    bridges[..6].copy_from_slice(&[0x01, 0x80, 0xc2, 0, 0, 0]);
    // Options for each hop, of which there are none but padding.
    let behind_options = [
        &[58, 0, 1, 4, 0, 0, 0, 0],
        icmpv6(136, "fd00::3").as_slice(),
    ]
    .concat();
    vec![
        ("another's IPv4", frame(MAC, IPV4, &ipv4("172.17.0.3"))),
        (
            "another's station",
            frame(OTHER_MAC, IPV4, &ipv4("172.17.0.2")),
        ),
        (
            "all of another's",
            frame(OTHER_MAC, IPV4, &ipv4("172.17.0.3")),
        ),
        ("another's tagged IPv4", frame(MAC, 0x8100, &tagged)),
        (
            "another's address in ARP",
            frame(MAC, ARP, &arp(MAC, "172.17.0.3")),
        ),
        (
            "another's station in ARP",
            frame(MAC, ARP, &arp(OTHER_MAC, "172.17.0.2")),
        ),
        (
            "ARP of another station",
            frame(OTHER_MAC, ARP, &arp(MAC, "172.17.0.2")),
        ),
        ("a probe by ARP", frame(MAC, ARP, &arp(MAC, "0.0.0.0"))),
        (
            "another's IPv6",
            frame(MAC, IPV6, &ipv6("fd00::3", 17, &[0; 8])),
        ),
        (
            "IPv6 of another station",
            frame(OTHER_MAC, IPV6, &ipv6(OWN6, 17, &[0; 8])),
        ),
        (
            "another's link-local address",
            v6("fe80::1", &icmpv6(135, "fd00::1")),
        ),
        ("nobody's address", v6("::", &icmpv6(135, "fd00::3"))),
        ("another's advertisement", v6(OWN6, &icmpv6(136, "fd00::3"))),
        (
            "another's advertisement behind options",
            frame(MAC, IPV6, &ipv6(OWN6, 0, &behind_options)),
        ),
        (
            "a router's advertisement",
            v6(OWN_LINK_LOCAL, &icmpv6(134, "::")),
        ),
        ("a redirect", v6(OWN_LINK_LOCAL, &icmpv6(137, "fd00::3"))),
        ("reverse ARP", frame(MAC, 0x8035, &arp(MAC, "172.17.0.2"))),
        ("another protocol", frame(MAC, 0x88b5, &[1; 60])),
        ("a virtual LAN", frame(MAC, 0x8100, &own_tagged)),
        ("IPv4 for bridges", to_bridges),
        ("a bridge's protocol", bridges),
    ]
}

/// Runs the body in a namespace with a bridge and two ports, of which the first is `port1` with `inside1` behind it.
fn with_bridge(body: impl FnOnce() + Send) {
    in_fresh_namespace(|| {
        shell(
            "sysctl -qw net.ipv6.conf.default.disable_ipv6=1
             ip link add bridge0 up type bridge
             for index in 1 2; do
               ip link add port$index up master bridge0 type veth peer name inside$index
               ip link set inside$index up
               ip link set port$index type bridge_slave group_fwd_mask 0xfffd
             done",
        );
        body();
    });
}

fn is_tagged(frame: &[u8]) -> bool {
    frame[12..14] == [0x81, 0]
}

fn untagged(frame: &[u8]) -> Vec<u8> {
    [&frame[..12], &frame[16..]].concat()
}

/// Whether a frame that is sent at one place arrives at another. A frame of which that is known comes after it.
fn arrives(sender: &PacketSocket, receiver: &PacketSocket, frame: &[u8], last: &[u8]) -> bool {
    sender.send(frame);
    sender.send(last);
    let mut seen = false;
    loop {
        let received = receiver.receive();
        // The kernel tells of a tag beside the frame.
        seen |= received == frame || (is_tagged(frame) && received == untagged(frame));
        if received == last {
            return seen;
        }
    }
}

/// Sends until something arrives: a port of a bridge opens some time after it was set up.
fn wait_for_ports(sender: &PacketSocket, receivers: &[&PacketSocket], frame: &[u8]) {
    for receiver in receivers {
        while !receiver.receives_within_a_moment(|| sender.send(frame), frame) {}
    }
}

#[test]
fn what_is_its_own_passes_and_nothing_else_neither_to_a_neighbour_nor_to_the_host() {
    with_bridge(|| {
        let inside = PacketSocket::open("inside1");
        let neighbour = PacketSocket::open("inside2");
        let host = PacketSocket::open("bridge0");
        wait_for_ports(&inside, &[&neighbour, &host], &own_arp());
        let last = |index| marked(own_arp(), 1 + index);
        for (index, (what, frame)) in foreign_frames().into_iter().enumerate() {
            let last = last(500 + index);
            assert!(arrives(&inside, &neighbour, &frame, &last), "{what}");
        }
        commit(&replace_source_checks(
            check("port1", &["172.17.0.2", "fd00::2"]).elements(),
        ))
        .unwrap();
        for (index, (what, frame)) in own_frames().into_iter().enumerate() {
            let arrived = arrives(&inside, &neighbour, &frame, &last(2 * index));
            assert!(arrived, "{what}, to a neighbour");
            assert!(
                arrives(&inside, &host, &frame, &last(2 * index + 1)),
                "{what}, to the host"
            );
        }
        for (index, (what, frame)) in foreign_frames().into_iter().enumerate() {
            let last_frame = last(100 + 2 * index);
            assert!(
                !arrives(&inside, &neighbour, &frame, &last_frame),
                "{what}, to a neighbour"
            );
            let last_frame = last(101 + 2 * index);
            assert!(
                !arrives(&inside, &host, &frame, &last_frame),
                "{what}, to the host"
            );
        }
    });
}

#[test]
fn a_port_that_is_in_no_set_may_send_anything() {
    with_bridge(|| {
        let inside = PacketSocket::open("inside2");
        let neighbour = PacketSocket::open("inside1");
        wait_for_ports(&inside, &[&neighbour], &own_arp());
        commit(&replace_source_checks(
            check("port1", &["172.17.0.2"]).elements(),
        ))
        .unwrap();
        for (index, (what, frame)) in foreign_frames().into_iter().enumerate() {
            let last = marked(own_arp(), 1 + index);
            assert!(arrives(&inside, &neighbour, &frame, &last), "{what}");
        }
    });
}
