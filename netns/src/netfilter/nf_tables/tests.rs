//! What the kernel makes of transactions, as `nft` shows it.

use super::*;
use crate::scratch::{in_fresh_namespace, shell};

const TABLE: Table = Table {
    family: TableFamily::Inet,
    name: "t",
};

fn commit(transactions: &[Transaction]) -> Result<u32, CommitError> {
    let mut connection = RulesConnection::open().unwrap().unwrap();
    connection.commit(transactions, Expectation::Anything)
}

fn transaction(table: Table, changes: Vec<Change>) -> Transaction {
    Transaction { table, changes }
}

fn set(name: &'static str, key: &'static [DataType]) -> Change {
    Change::AddSet(Definition {
        name,
        key,
        content: SetContent::Members,
        intervals: false,
    })
}

fn intervals(name: &'static str, key: &'static [DataType]) -> Change {
    Change::AddSet(Definition {
        name,
        key,
        content: SetContent::Members,
        intervals: true,
    })
}

fn verdicts(name: &'static str, key: &'static [DataType]) -> Change {
    Change::AddSet(Definition {
        name,
        key,
        content: SetContent::Verdicts,
        intervals: false,
    })
}

fn map(name: &'static str, key: &'static [DataType], data: &'static [DataType]) -> Change {
    Change::AddSet(Definition {
        name,
        key,
        content: SetContent::Values(data),
        intervals: false,
    })
}

fn member(set: &'static str, key: Vec<Value>) -> Change {
    leads(set, key, Vec::new())
}

fn leads(set: &'static str, key: Vec<Value>, values: Vec<Value>) -> Change {
    ranges(set, key.into_iter().map(Key::One).collect(), values)
}

fn ranges(set: &'static str, key: Vec<Key>, values: Vec<Value>) -> Change {
    Change::AddElement(Element {
        set,
        key,
        values,
        verdict: None,
    })
}

fn judged(set: &'static str, key: Vec<Value>, verdict: Verdict) -> Change {
    Change::AddElement(Element {
        set,
        key: key.into_iter().map(Key::One).collect(),
        values: Vec::new(),
        verdict: Some(verdict),
    })
}

fn chain(name: &'static str) -> Change {
    Change::AddChain(Chain {
        name: name.into(),
        base: None,
    })
}

fn base(name: &'static str, kind: ChainKind, hook: Hook, priority: i32, policy: Policy) -> Change {
    Change::AddChain(Chain {
        name: name.into(),
        base: Some(BaseChain {
            kind,
            hook,
            priority,
            policy,
        }),
    })
}

fn rule(chain: &'static str, statements: Vec<Statement>) -> Change {
    Change::AddRule(Rule {
        chain: chain.into(),
        statements,
    })
}

fn is(selector: Selector, value: Value) -> Statement {
    Statement::Compare(selector, Operator::Equal, value)
}

fn ip(text: &str) -> Value {
    match text.parse().unwrap() {
        std::net::IpAddr::V4(address) => Value::Ipv4(address),
        std::net::IpAddr::V6(address) => Value::Ipv6(address),
    }
}

fn target(text: &str) -> Value {
    Value::Bytes(text.parse::<std::net::Ipv6Addr>().unwrap().octets().into())
}

fn interface(name: &str) -> Value {
    Value::Interface(name.into())
}

fn ethernet(text: &str) -> Value {
    Value::Ethernet(text.parse().unwrap())
}

const TCP: Value = Value::Protocol(6);
const PASS: Statement = Statement::Verdict(Verdict::Accept);
const STOP: Statement = Statement::Verdict(Verdict::Drop);

/// A table with every kind of set and element.
fn sets() -> Vec<Change> {
    use DataType::*;
    vec![
        Change::AddTable,
        set("links4", &[Ipv4Address, Ipv4Address, Protocol, Port]),
        set("families", &[Family, Interface]),
        set("names", &[Interface]),
        set("stations", &[Interface, EthernetAddress]),
        set("targets", &[Interface, AdvertisedTarget]),
        intervals("networks", &[Ipv4Address]),
        intervals("homes4", &[Interface, Ipv4Address]),
        intervals("homes6", &[Interface, Ipv6Address]),
        verdicts("within", &[Family, Interface, Interface]),
        map("any", &[Protocol, Port], &[Ipv4Address, Port]),
        map(
            "bound6",
            &[Ipv6Address, Protocol, Port],
            &[Ipv6Address, Port],
        ),
        Change::AddSet(Definition {
            name: "ranges",
            key: &[Ipv4Address, Protocol, Port],
            content: SetContent::Values(&[Ipv4Address]),
            intervals: true,
        }),
        Change::AddSet(Definition {
            name: "paths",
            key: &[Ipv4Address, Port],
            content: SetContent::Verdicts,
            intervals: true,
        }),
        map("homes", &[Port], &[Ipv6Address]),
        set("kinds", &[AddressType]),
        chain("elsewhere"),
    ]
}

fn elements() -> Vec<Change> {
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

/// Rules with every kind of statement and every field, over the sets.
fn rules() -> Vec<Change> {
    use Selector::*;
    const BOUND: &[Selector] = &[Ipv4Destination, Protocol, DestinationPort];
    const LINK: &[Selector] = &[Ipv4Source, Ipv4Destination, Protocol, DestinationPort];
    const BOUND6: &[Selector] = &[Ipv6Destination, Protocol, DestinationPort];
    let elsewhere = || Verdict::Jump("elsewhere".into());
    let equal = Operator::Equal;
    let other = Operator::NotEqual;
    let protocol = |number| is(Protocol, Value::Protocol(number));
    let filter = |statements| rule("forward", statements);
    let nat = |statements| rule("translate", statements);
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
        filter(vec![
            Statement::State(&[CtState::Related, CtState::Established]),
            PASS,
        ]),
        filter(vec![
            Statement::State(&[CtState::Invalid, CtState::Untracked]),
            STOP,
        ]),
        filter(vec![Statement::Translated, PASS]),
        filter(vec![
            is(InputInterface, interface("br0")),
            Statement::Verdict(elsewhere()),
        ]),
        filter(vec![
            Statement::Compare(OutputInterface, other, interface("lo")),
            Statement::Verdict(Verdict::Goto("elsewhere".into())),
        ]),
        filter(vec![
            is(Ipv4Source, ip("192.0.2.1")),
            Statement::Verdict(Verdict::Return),
        ]),
        filter(vec![
            Statement::Compare(Ipv6Destination, other, ip("2001:db8::1")),
            STOP,
        ]),
        filter(vec![
            Statement::InNetwork(Ipv4Source, equal, ip("10.0.0.0"), 8),
            STOP,
        ]),
        filter(vec![
            Statement::InNetwork(Ipv4Source, other, ip("172.16.0.0"), 12),
            STOP,
        ]),
        filter(vec![
            Statement::InNetwork(Ipv4Destination, equal, ip("192.0.2.1"), 32),
            STOP,
        ]),
        filter(vec![
            Statement::InNetwork(Ipv6Source, equal, ip("fe80::"), 64),
            STOP,
        ]),
        filter(vec![
            Statement::InNetwork(Ipv6Source, equal, ip("fc00::"), 7),
            STOP,
        ]),
        filter(vec![is(Family, Value::Family(PacketFamily::Ipv6)), PASS]),
        filter(vec![
            is(InputInterface, interface("br0")),
            is(Family, Value::Family(PacketFamily::Ipv4)),
            is(Ipv4Source, ip("192.0.2.1")),
            PASS,
        ]),
        filter(vec![protocol(58), PASS]),
        filter(vec![
            protocol(6),
            is(DestinationPort, Value::Port(80)),
            PASS,
        ]),
        filter(vec![
            protocol(17),
            Statement::InRange(SourcePort, Value::Port(5000), Value::Port(5010)),
            PASS,
        ]),
        filter(vec![
            is(HopLimit, Value::Bytes(vec![255])),
            is(Icmpv6Type, Value::Bytes(vec![136])),
            PASS,
        ]),
        filter(vec![
            Statement::InRange(Icmpv6Type, Value::Bytes(vec![135]), Value::Bytes(vec![136])),
            PASS,
        ]),
        filter(vec![is(Direction, Value::Bytes(vec![1])), PASS]),
        filter(vec![is(OriginalIpv4Destination, ip("192.0.2.1")), PASS]),
        filter(vec![is(OriginalIpv6Destination, ip("2001:db8::1")), PASS]),
        filter(vec![
            protocol(6),
            is(OriginalDestinationPort, Value::Port(80)),
            PASS,
        ]),
        filter(vec![Statement::Member(LINK, equal, "links4"), PASS]),
        filter(vec![
            Statement::Member(&[InputInterface], other, "names"),
            PASS,
        ]),
        filter(vec![
            Statement::Member(&[InputInterface, Ipv4Destination], other, "homes4"),
            Statement::Compare(DestinationType, other, Value::Local),
            STOP,
        ]),
        filter(vec![
            Statement::Member(&[InputInterface, Ipv6Source], equal, "homes6"),
            STOP,
        ]),
        filter(vec![
            Statement::Member(&[Ipv4Source], equal, "networks"),
            PASS,
        ]),
        filter(vec![
            Statement::Member(&[Family, OutputInterface], equal, "families"),
            PASS,
        ]),
        filter(vec![Statement::VerdictMap(
            &[Family, InputInterface, OutputInterface],
            "within",
        )]),
        filter(vec![Statement::Reject(Refusal::TcpReset)]),
        filter(vec![protocol(6), Statement::Reject(Refusal::TcpReset)]),
        filter(vec![Statement::Reject(Refusal::Prohibited)]),
        nat(vec![Statement::TranslateDestination(
            Translation::Ipv6Port,
            BOUND6,
            "bound6",
        )]),
        nat(vec![
            is(DestinationType, Value::Local),
            is(Family, Value::Family(PacketFamily::Ipv4)),
            Statement::TranslateDestination(
                Translation::Ipv4Port,
                &[Protocol, DestinationPort],
                "any",
            ),
        ]),
        nat(vec![Statement::TranslateDestination(
            Translation::Ipv4,
            BOUND,
            "ranges",
        )]),
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

fn inet_table() -> Transaction {
    let mut changes = sets();
    changes.extend(rules());
    transaction(TABLE, changes)
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

fn port_owner(port: u16, address: &str) -> Change {
    leads(
        "any",
        vec![TCP, Value::Port(port)],
        vec![ip(address), Value::Port(80)],
    )
}

#[test]
fn a_second_claim_of_a_key_undoes_the_whole_transaction_even_if_it_leads_to_the_same() {
    in_fresh_namespace(|| {
        commit(&[transaction(TABLE, sets())]).unwrap();
        commit(&[transaction(TABLE, vec![port_owner(8080, "172.17.0.2")])]).unwrap();
        let before = shell("nft list ruleset");
        for address in ["172.17.0.2", "172.17.0.3"] {
            let changes = vec![
                member("names", vec![interface("br0")]),
                port_owner(8080, address),
                member("names", vec![interface("br1")]),
            ];
            let Change::AddElement(element) = port_owner(8080, address) else {
                unreachable!()
            };
            let element = Box::new(element);
            let outcome = commit(&[transaction(TABLE, changes)]);
            assert_eq!(outcome, Err(CommitError::Exists { element }));
            assert_eq!(shell("nft list ruleset"), before);
        }
    });
}

fn port_range(first: u16, last: u16) -> Change {
    ranges(
        "ranges",
        vec![
            Key::One(ip("192.0.2.1")),
            Key::One(TCP),
            Key::Range(Value::Port(first), Value::Port(last)),
        ],
        vec![ip("172.17.0.2")],
    )
}

#[test]
fn an_interval_that_overlaps_another_one_is_a_second_claim() {
    in_fresh_namespace(|| {
        commit(&[transaction(TABLE, sets())]).unwrap();
        commit(&[transaction(TABLE, vec![port_range(8000, 8100)])]).unwrap();
        for (first, last) in [(8000, 8100), (8050, 8150), (7000, 8050), (8001, 8002)] {
            let outcome = commit(&[transaction(TABLE, vec![port_range(first, last)])]);
            assert!(
                matches!(outcome, Err(CommitError::Exists { .. })),
                "{outcome:?}"
            );
        }
        commit(&[transaction(TABLE, vec![port_range(8101, 8200)])]).unwrap();
    });
}

#[test]
fn elements_are_taken_out_and_one_that_is_not_there_is_missed() {
    in_fresh_namespace(|| {
        commit(&[transaction(TABLE, sets())]).unwrap();
        let empty = shell("nft list ruleset");
        commit(&[transaction(TABLE, elements())]).unwrap();
        let taken_out = elements().into_iter().map(|change| match change {
            Change::AddElement(element) => Change::DeleteElement(element),
            other => other,
        });
        let taken_out = transaction(TABLE, taken_out.collect());
        commit(std::slice::from_ref(&taken_out)).unwrap();
        assert_eq!(shell("nft list ruleset"), empty);
        let change =
            "nft delete element inet t links4 '{ 172.17.0.3 . 172.17.0.2 . tcp . 80 }'".to_string();
        assert_eq!(commit(&[taken_out]), Err(CommitError::Missing { change }));
    });
}

#[test]
fn chains_and_sets_are_emptied_and_chains_and_tables_deleted() {
    in_fresh_namespace(|| {
        let mut whole = inet_table();
        whole.changes.extend(elements());
        commit(&[whole]).unwrap();
        let flush = |set| Change::FlushSet(set);
        commit(&[transaction(
            TABLE,
            vec![
                flush("ranges"),
                flush("within"),
                flush("links4"),
                Change::FlushChain("forward".into()),
                Change::FlushChain("late".into()),
                Change::DeleteChain("elsewhere".into()),
            ],
        )])
        .unwrap();
        let listed = shell("nft list ruleset");
        assert!(!listed.contains("8000-8100"), "{listed}");
        assert!(!listed.contains("ct st"), "{listed}");
        assert!(!listed.contains("elsewhere"), "{listed}");
        commit(&[transaction(TABLE, vec![Change::DeleteTable])]).unwrap();
        assert_eq!(shell("nft list ruleset"), "");
    });
}

#[test]
fn transactions_of_several_tables_happen_together() {
    in_fresh_namespace(|| {
        let other = Table {
            family: TableFamily::Bridge,
            name: "t",
        };
        let bridge = |change| transaction(other, vec![Change::AddTable, change]);
        let broken = bridge(member("nowhere", vec![interface("br0")]));
        let outcome = commit(&[transaction(TABLE, sets()), broken]);
        assert!(
            matches!(outcome, Err(CommitError::Missing { .. })),
            "{outcome:?}"
        );
        assert_eq!(shell("nft list ruleset"), "");
        let whole = bridge(set("names", &[DataType::Interface]));
        commit(&[transaction(TABLE, sets()), whole]).unwrap();
        assert_eq!(shell("nft list tables"), "table inet t\ntable bridge t\n");
    });
}

#[test]
fn what_was_decided_on_older_rules_is_refused() {
    in_fresh_namespace(|| {
        let mut connection = RulesConnection::open().unwrap().unwrap();
        let create = transaction(TABLE, sets());
        let first = connection.commit(&[create], Expectation::Anything).unwrap();
        let mut put = |name, generation| {
            let change = transaction(TABLE, vec![member("names", vec![interface(name)])]);
            connection.commit(&[change], Expectation::Generation(generation))
        };
        let second = put("br0", first).unwrap();
        assert_eq!(put("br1", first), Err(CommitError::Changed));
        shell("nft add table ip others");
        assert_eq!(put("br1", second), Err(CommitError::Changed));
        let now = crate::netfilter::ruleset_generation().unwrap().unwrap();
        let third = put("br1", now).unwrap();
        let now = crate::netfilter::ruleset_generation().unwrap();
        assert_eq!(now, Some(third));
    });
}

#[test]
fn what_changes_nothing_leaves_the_generation() {
    in_fresh_namespace(|| {
        let first = commit(&[transaction(TABLE, sets())]).unwrap();
        let nothing = vec![Change::AddTable, Change::FlushSet("names")];
        assert_eq!(commit(&[transaction(TABLE, nothing)]), Ok(first));
        assert_eq!(commit(&[]), Ok(first));
    });
}

#[test]
fn a_transaction_may_be_as_long_as_a_thousand_containers_make_it() {
    in_fresh_namespace(|| {
        let elements = (0..10_000).map(|index: u32| {
            let source = Value::Ipv4(index.into());
            member(
                "links4",
                vec![source, ip("172.17.0.2"), TCP, Value::Port(80)],
            )
        });
        let elements: Vec<Change> = elements.collect();
        commit(&[transaction(TABLE, sets())]).unwrap();
        commit(&[transaction(TABLE, elements.clone())]).unwrap();
        let listed = shell("nft list set inet t links4");
        assert_eq!(listed.matches("172.17.0.2").count(), 10_000);
        let again = commit(&[transaction(TABLE, elements)]);
        assert!(again.is_err());
    });
}
