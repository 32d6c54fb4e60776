//! Sets of every kind, and elements of each.

use super::values::*;
use super::{TABLE, commit, transaction};
use crate::netfilter::nf_tables::*;
use crate::scratch::{in_fresh_namespace, shell};

/// A table with every kind of set and element.
pub(super) fn sets() -> Vec<Change> {
    use DataType::*;
    vec![
        Change::AddTable,
        set("links4", &[Ipv4Address, Ipv4Address, Protocol, Port]),
        set("families", &[Family, Interface]),
        set("names", &[Interface]),
        set("stations", &[Interface, EthernetAddress]),
        set("targets", &[Interface, AdvertisedTarget]),
        intervals("networks", &[Ipv4Address], SetContent::Members),
        intervals("homes4", &[Interface, Ipv4Address], SetContent::Members),
        intervals("homes6", &[Interface, Ipv6Address], SetContent::Members),
        verdicts("within", &[Family, Interface, Interface]),
        map("any", &[Protocol, Port], &[Ipv4Address, Port]),
        map(
            "bound6",
            &[Ipv6Address, Protocol, Port],
            &[Ipv6Address, Port],
        ),
        intervals(
            "ranges",
            &[Ipv4Address, Protocol, Port],
            SetContent::Values(&[Ipv4Address]),
        ),
        intervals("paths", &[Ipv4Address, Port], SetContent::Verdicts),
        map("homes", &[Port], &[Ipv6Address]),
        set("kinds", &[AddressType]),
        chain("elsewhere"),
    ]
}

pub(super) fn elements() -> Vec<Change> {
    vec![
        member(
            "links4",
            vec![ip("172.17.0.3"), ip("172.17.0.2"), TCP, Value::Port(80)],
        ),
        member(
            "families",
            vec![Value::Family(PacketFamily::Ipv4), interface("br0")],
        ),
        member("names", vec![interface("br0")]),
        member(
            "stations",
            vec![interface("veth1"), ethernet("02:42:ac:11:00:02")],
        ),
        member("targets", vec![interface("veth1"), target("fd00::2")]),
        ranges(
            "networks",
            vec![Key::Range(ip("10.0.0.0"), ip("10.255.255.255"))],
            vec![],
        ),
        ranges(
            "homes4",
            vec![
                Key::One(interface("br0")),
                Key::Range(ip("172.17.0.0"), ip("172.17.255.255")),
            ],
            vec![],
        ),
        ranges(
            "homes6",
            vec![
                Key::One(interface("br0")),
                Key::Range(ip("fd00::"), ip("fd00::5")),
            ],
            vec![],
        ),
        judged(
            "within",
            vec![
                Value::Family(PacketFamily::Ipv6),
                interface("br0"),
                interface("br0"),
            ],
            Verdict::Goto("elsewhere".into()),
        ),
        leads(
            "any",
            vec![TCP, Value::Port(8080)],
            vec![ip("172.17.0.2"), Value::Port(80)],
        ),
        leads(
            "bound6",
            vec![ip("::1"), Value::Protocol(17), Value::Port(53)],
            vec![ip("::1"), Value::Port(1)],
        ),
        ranges(
            "ranges",
            vec![
                Key::One(ip("192.0.2.1")),
                Key::One(TCP),
                Key::Range(Value::Port(8000), Value::Port(8100)),
            ],
            vec![ip("172.17.0.2")],
        ),
        Change::AddElement(Element {
            set: "paths",
            key: vec![
                Key::Range(ip("192.0.2.0"), ip("192.0.2.255")),
                Key::One(Value::Port(22)),
            ],
            values: Vec::new(),
            verdict: Some(Verdict::Drop),
        }),
        leads("homes", vec![Value::Port(22)], vec![ip("fd00::2")]),
        member("kinds", vec![Value::Local]),
    ]
}

const LISTED_SETS: &str = r#"table inet t {
	set links4 {
		type ipv4_addr . ipv4_addr . inet_proto . inet_service
		elements = { 172.17.0.3 . 172.17.0.2 . tcp . 80 }
	}

	set families {
		type nf_proto . ifname
		elements = { ipv4 . "br0" }
	}

	set names {
		type ifname
		elements = { "br0" }
	}

	set stations {
		type ifname . ether_addr
		elements = { "veth1" . 02:42:ac:11:00:02 }
	}

	set targets {
		typeof iifname . @th,64,128
		elements = { "veth1" . 0xfd000000000000000000000000000002 }
	}

	set networks {
		type ipv4_addr
		flags interval
		elements = { 10.0.0.0/8 }
	}

	set homes4 {
		type ifname . ipv4_addr
		flags interval
		elements = { "br0" . 172.17.0.0/16 }
	}

	set homes6 {
		type ifname . ipv6_addr
		flags interval
		elements = { "br0" . fd00::-fd00::5 }
	}

	map within {
		type nf_proto . ifname . ifname : verdict
		elements = { ipv6 . "br0" . "br0" : goto elsewhere }
	}

	map any {
		type inet_proto . inet_service : ipv4_addr . inet_service
		elements = { tcp . 8080 : 172.17.0.2 . 80 }
	}

	map bound6 {
		type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service
		elements = { ::1 . udp . 53 : ::1 . 1 }
	}

	map ranges {
		type ipv4_addr . inet_proto . inet_service : ipv4_addr
		flags interval
		elements = { 192.0.2.1 . tcp . 8000-8100 : 172.17.0.2 }
	}

	map paths {
		type ipv4_addr . inet_service : verdict
		flags interval
		elements = { 192.0.2.0/24 . 22 : drop }
	}

	map homes {
		type inet_service : ipv6_addr
		elements = { 22 : fd00::2 }
	}

	set kinds {
		type fib_addrtype
		elements = { local }
	}

	chain elsewhere {
	}
}
"#;

#[test]
fn sets_and_elements_of_every_kind_are_listed_as_our_text_says() {
    in_fresh_namespace(|| {
        let mut changes = sets();
        changes.extend(elements());
        let whole = transaction(TABLE, changes);
        commit(std::slice::from_ref(&whole)).unwrap();
        assert_eq!(shell("nft list ruleset"), LISTED_SETS);
        assert_eq!(whole.listing(), LISTED_SETS);
    });
}
