//! Rules with every kind of statement.

use super::sets::elements;
use super::values::*;
use super::{commit, inet_table};
use crate::netfilter::nf_tables::*;
use crate::scratch::{in_fresh_namespace, shell};

/// Rules with every kind of statement and every field, over the sets.
pub(super) fn rules() -> Vec<Change> {
    let mut changes = chains();
    let judging = [of_origins(), of_protocols(), of_sets_and_refusals()].concat();
    changes.extend(judging.into_iter().map(|row| rule("forward", row)));
    changes.extend(translating());
    changes
}

fn chains() -> Vec<Change> {
    vec![
        base("forward", ChainKind::Filter, Hook::Forward, 0, Policy::Drop),
        base(
            "translate",
            ChainKind::Nat,
            Hook::Prerouting,
            -100,
            Policy::Accept,
        ),
        base(
            "late",
            ChainKind::Nat,
            Hook::Postrouting,
            105,
            Policy::Accept,
        ),
        base(
            "early",
            ChainKind::Filter,
            Hook::Prerouting,
            -300,
            Policy::Accept,
        ),
    ]
}

/// What is known of a packet's flow, where it comes from and where it goes.
fn of_origins() -> Vec<Vec<Statement>> {
    use Selector::*;
    let equal = Operator::Equal;
    let other = Operator::NotEqual;
    vec![
        vec![
            Statement::State(&[CtState::Related, CtState::Established]),
            PASS,
        ],
        vec![
            Statement::State(&[CtState::Invalid, CtState::Untracked]),
            STOP,
        ],
        vec![Statement::Translated, PASS],
        vec![
            is(InputInterface, interface("br0")),
            Statement::Verdict(Verdict::Jump("elsewhere".into())),
        ],
        vec![
            Statement::Compare(OutputInterface, other, interface("lo")),
            Statement::Verdict(Verdict::Goto("elsewhere".into())),
        ],
        vec![
            is(Ipv4Source, ip("192.0.2.1")),
            Statement::Verdict(Verdict::Return),
        ],
        vec![
            Statement::Compare(Ipv6Destination, other, ip("2001:db8::1")),
            STOP,
        ],
        vec![
            Statement::InNetwork(Ipv4Source, equal, ip("10.0.0.0"), 8),
            STOP,
        ],
        vec![
            Statement::InNetwork(Ipv4Source, other, ip("172.16.0.0"), 12),
            STOP,
        ],
        vec![
            Statement::InNetwork(Ipv4Destination, equal, ip("192.0.2.1"), 32),
            STOP,
        ],
        vec![
            Statement::InNetwork(Ipv6Source, equal, ip("fe80::"), 64),
            STOP,
        ],
        vec![
            Statement::InNetwork(Ipv6Source, equal, ip("fc00::"), 7),
            STOP,
        ],
    ]
}

/// What a packet is of, and where it was sent first.
fn of_protocols() -> Vec<Vec<Statement>> {
    use Selector::*;
    let protocol = |number| is(Protocol, Value::Protocol(number));
    vec![
        vec![is(Family, Value::Family(PacketFamily::Ipv6)), PASS],
        vec![
            is(InputInterface, interface("br0")),
            is(Family, Value::Family(PacketFamily::Ipv4)),
            is(Ipv4Source, ip("192.0.2.1")),
            PASS,
        ],
        vec![protocol(58), PASS],
        vec![protocol(6), is(DestinationPort, Value::Port(80)), PASS],
        vec![
            protocol(17),
            Statement::InRange(SourcePort, Value::Port(5000), Value::Port(5010)),
            PASS,
        ],
        vec![
            is(HopLimit, Value::Bytes(vec![255])),
            is(Icmpv6Type, Value::Bytes(vec![136])),
            PASS,
        ],
        vec![
            Statement::InRange(Icmpv6Type, Value::Bytes(vec![135]), Value::Bytes(vec![136])),
            PASS,
        ],
        vec![is(Direction, Value::Bytes(vec![1])), PASS],
        vec![is(OriginalIpv4Destination, ip("192.0.2.1")), PASS],
        vec![is(OriginalIpv6Destination, ip("2001:db8::1")), PASS],
        vec![
            protocol(6),
            is(OriginalDestinationPort, Value::Port(80)),
            PASS,
        ],
    ]
}

fn of_sets_and_refusals() -> Vec<Vec<Statement>> {
    use Selector::*;
    const LINK: &[Selector] = &[Ipv4Source, Ipv4Destination, Protocol, DestinationPort];
    let equal = Operator::Equal;
    let other = Operator::NotEqual;
    vec![
        vec![Statement::Member(LINK, equal, "links4"), PASS],
        vec![Statement::Member(&[InputInterface], other, "names"), PASS],
        vec![
            Statement::Member(&[InputInterface, Ipv4Destination], other, "homes4"),
            Statement::Compare(DestinationType, other, Value::Local),
            STOP,
        ],
        vec![
            Statement::Member(&[InputInterface, Ipv6Source], equal, "homes6"),
            STOP,
        ],
        vec![Statement::Member(&[Ipv4Source], equal, "networks"), PASS],
        vec![
            Statement::Member(&[Family, OutputInterface], equal, "families"),
            PASS,
        ],
        vec![Statement::VerdictMap(
            &[Family, InputInterface, OutputInterface],
            "within",
        )],
        vec![Statement::Reject(Refusal::TcpReset)],
        vec![
            is(Protocol, Value::Protocol(6)),
            Statement::Reject(Refusal::TcpReset),
        ],
        vec![Statement::Reject(Refusal::Prohibited)],
    ]
}

fn translating() -> Vec<Change> {
    use Selector::*;
    const BOUND: &[Selector] = &[Ipv4Destination, Protocol, DestinationPort];
    const BOUND6: &[Selector] = &[Ipv6Destination, Protocol, DestinationPort];
    vec![
        rule(
            "translate",
            vec![Statement::TranslateDestination(
                Translation::Ipv6Port,
                BOUND6,
                "bound6",
            )],
        ),
        rule(
            "translate",
            vec![
                is(DestinationType, Value::Local),
                is(Family, Value::Family(PacketFamily::Ipv4)),
                Statement::TranslateDestination(
                    Translation::Ipv4Port,
                    &[Protocol, DestinationPort],
                    "any",
                ),
            ],
        ),
        rule(
            "translate",
            vec![Statement::TranslateDestination(
                Translation::Ipv4,
                BOUND,
                "ranges",
            )],
        ),
        rule("late", vec![Statement::Translated, Statement::Masquerade]),
        rule(
            "early",
            vec![
                is(InputInterface, interface("br0")),
                Statement::Untracked,
                PASS,
            ],
        ),
    ]
}

const LISTED_CHAINS: &str = r#"	chain elsewhere {
	}

	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		ct state invalid,untracked drop
		ct status dnat accept
		iifname "br0" jump elsewhere
		oifname != "lo" goto elsewhere
		ip saddr 192.0.2.1 return
		ip6 daddr != 2001:db8::1 drop
		ip saddr 10.0.0.0/8 drop
		ip saddr != 172.16.0.0/12 drop
		ip daddr 192.0.2.1 drop
		ip6 saddr fe80::/64 drop
		ip6 saddr fc00::/7 drop
		meta nfproto ipv6 accept
		iifname "br0" ip saddr 192.0.2.1 accept
		meta l4proto ipv6-icmp accept
		tcp dport 80 accept
		udp sport 5000-5010 accept
		ip6 hoplimit 255 icmpv6 type nd-neighbor-advert accept
		icmpv6 type 135-136 accept
		ct direction reply accept
		ct original ip daddr 192.0.2.1 accept
		ct original ip6 daddr 2001:db8::1 accept
		meta l4proto tcp ct original proto-dst 80 accept
		ip saddr . ip daddr . meta l4proto . th dport @links4 accept
		iifname != @names accept
		iifname . ip daddr != @homes4 fib daddr type != local drop
		iifname . ip6 saddr @homes6 drop
		ip saddr @networks accept
		meta nfproto . oifname @families accept
		meta nfproto . iifname . oifname vmap @within
		meta l4proto tcp reject with tcp reset
		meta l4proto tcp reject with tcp reset
		reject with icmpx admin-prohibited
	}

	chain translate {
		type nat hook prerouting priority dstnat; policy accept;
		dnat ip6 to ip6 daddr . meta l4proto . th dport map @bound6
		fib daddr type local meta nfproto ipv4 dnat ip to meta l4proto . th dport map @any
		dnat ip to ip daddr . meta l4proto . th dport map @ranges
	}

	chain late {
		type nat hook postrouting priority srcnat + 5; policy accept;
		ct status dnat masquerade
	}

	chain early {
		type filter hook prerouting priority raw; policy accept;
		iifname "br0" notrack accept
	}
}
"#;

#[test]
fn rules_of_every_kind_are_listed_as_our_text_says() {
    in_fresh_namespace(|| {
        let whole = inet_table();
        commit(std::slice::from_ref(&whole)).unwrap();
        let listed = shell("nft list ruleset");
        let chains = &listed[listed.find("\tchain elsewhere").unwrap()..];
        assert_eq!(chains, LISTED_CHAINS);
        assert_eq!(whole.listing(), listed);
    });
}

/// What the kernel knows of all rules, field by field, but for two things that `nft` does and that change nothing: it turns the
/// bytes of the protocol in a key with intervals, of which there is one, and begins a tree of intervals with an end.
fn kernels_rules() -> String {
    let idle = [
        "  [ byteorder reg 9 = hton(reg 9, 2, 1) ]",
        "\telement 00000000  : 1 [end]",
    ];
    let listing = shell("nft --debug=netlink list ruleset");
    let lines = listing.lines().filter(|line| !idle.contains(line));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn nft_makes_the_same_of_our_text_as_the_kernel_of_our_messages() {
    let mut whole = inet_table();
    whole.changes.extend(elements());
    let of = |make: &(dyn Fn() + Sync)| {
        in_fresh_namespace(|| {
            make();
            kernels_rules()
        })
    };
    let of_messages = of(&|| {
        commit(std::slice::from_ref(&whole)).unwrap();
    });
    let of_commands = of(&|| {
        shell(&whole.commands().join("\n"));
    });
    let of_listing = of(&|| {
        shell(&format!("nft -f - <<'EOF'\n{}EOF\n", whole.listing()));
    });
    assert_eq!(of_messages, of_commands);
    assert_eq!(of_messages, of_listing);
}
