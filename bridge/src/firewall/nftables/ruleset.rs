//! The rules that are the same on every host.

use super::words::{Words, definition};
use crate::network::Family;
use minirun_netns::netfilter::nf_tables::{
    BaseChain, Chain, ChainKind, CtState, DataType, Definition, Hook, Operator, Policy, Refusal,
    Rule, Selector, SetContent, Statement, Table, TableFamily, Value, Verdict,
};
use std::net::{IpAddr, Ipv4Addr};

/// The table that holds all of it.
pub const TABLE: Table = Table {
    family: TableFamily::Inet,
    name: "minirun",
};

/// The chain that belongs to the administrator.
pub const USER_CHAIN: &str = "user";
/// What packets meet that stay behind a bridge whose ports are isolated.
pub(super) const ICC_OFF_CHAIN: &str = "icc_off";
/// What is judged on its way into a network behind the host's address.
pub(super) const INTO_NAT_CHAIN: &str = "into_nat";
/// What is judged on its way into a routed network.
pub(super) const INTO_ROUTED_CHAIN: &str = "into_routed";
/// The chain that refuses.
pub(super) const REFUSE_CHAIN: &str = "refuse";

const RAW_CHAIN: &str = "raw";
const PREROUTING_CHAIN: &str = "prerouting";
const OUTPUT_CHAIN: &str = "output";
const TRANSLATE_CHAIN: &str = "translate";
const INPUT_CHAIN: &str = "input";
const FORWARD_CHAIN: &str = "forward";
const POSTROUTING_CHAIN: &str = "postrouting";

/// What becomes of packets that stay behind a bridge.
pub(super) static WITHIN: Definition =
    definition!("within", [Family, Interface, Interface] => verdicts);
/// What becomes of packets that go to behind a bridge.
pub(super) static INTO: Definition = definition!("into", [Family, Interface] => verdicts);
/// The bridges that lead out.
pub(super) static OUT: Definition = definition!("out", [Family, Interface]);
/// The bridges that nothing passes.
pub(super) static INTERNAL: Definition = definition!("internal", [Family, Interface]);
/// The further bridges of networks, which frames only cross.
pub(super) static SEGMENTS: Definition = definition!("segments", [Interface]);
/// The bridges that ports of the host lead to.
pub(super) static TRANSLATING: Definition = definition!("translating", [Interface]);

/// `IPPROTO_ICMP`, `IPPROTO_TCP` and `IPPROTO_ICMPV6`.
pub(super) const ICMP: u8 = 1;
const TCP: u8 = 6;
pub(super) const ICMPV6: u8 = 58;
/// Neighbour solicitations and advertisements (RFC 4861).
const NEIGHBOUR_DISCOVERY: [u8; 2] = [135, 136];
/// The hop limit of what has not been routed.
const NOT_ROUTED: u8 = 255;

/// `NF_IP_PRI_RAW`, `NF_IP_PRI_NAT_DST`, `NF_IP_PRI_FILTER` and `NF_IP_PRI_NAT_SRC`: the places that the tables of iptables have.
const RAW: i32 = -300;
const NAT_DESTINATION: i32 = -100;
const FILTER: i32 = 0;
const NAT_SOURCE: i32 = 100;

/// All sets, in the order in which they are made.
pub(super) fn sets() -> Vec<&'static Definition> {
    let common = [&WITHIN, &INTO, &OUT, &INTERNAL, &SEGMENTS, &TRANSLATING];
    let of_families = Family::BOTH.map(|family| Words::of(family).sets());
    common
        .into_iter()
        .chain(of_families.into_iter().flatten())
        .collect()
}

/// The chains that are ours alone and may be emptied and filled again, those first that others lead to.
pub(super) fn own_chains() -> Vec<Chain> {
    let regular = [
        REFUSE_CHAIN,
        TRANSLATE_CHAIN,
        ICC_OFF_CHAIN,
        INTO_NAT_CHAIN,
        INTO_ROUTED_CHAIN,
    ];
    let regular = regular.into_iter().map(|name| Chain {
        name: name.into(),
        base: None,
    });
    let bases = [
        (RAW_CHAIN, ChainKind::Filter, Hook::Prerouting, RAW),
        (
            PREROUTING_CHAIN,
            ChainKind::Nat,
            Hook::Prerouting,
            NAT_DESTINATION,
        ),
        (OUTPUT_CHAIN, ChainKind::Nat, Hook::Output, NAT_DESTINATION),
        (INPUT_CHAIN, ChainKind::Filter, Hook::Input, FILTER),
        (FORWARD_CHAIN, ChainKind::Filter, Hook::Forward, FILTER),
        (
            POSTROUTING_CHAIN,
            ChainKind::Nat,
            Hook::Postrouting,
            NAT_SOURCE,
        ),
    ];
    let bases = bases.into_iter().map(|(name, kind, hook, priority)| Chain {
        name: name.into(),
        base: Some(BaseChain {
            kind,
            hook,
            priority,
            policy: Policy::Accept,
        }),
    });
    regular.chain(bases).collect()
}

/// The administrator's chain.
pub(super) fn user_chain() -> Chain {
    Chain {
        name: USER_CHAIN.into(),
        base: None,
    }
}

/// All rules, chain by chain.
pub(super) fn rules() -> Vec<Rule> {
    let chains = [
        (RAW_CHAIN, raw()),
        (PREROUTING_CHAIN, to_the_host()),
        (OUTPUT_CHAIN, to_the_host()),
        (TRANSLATE_CHAIN, translate()),
        (INPUT_CHAIN, input()),
        (FORWARD_CHAIN, forward()),
        (ICC_OFF_CHAIN, icc_off()),
        (INTO_NAT_CHAIN, into_nat()),
        (INTO_ROUTED_CHAIN, into_routed()),
        (REFUSE_CHAIN, refuse()),
        (POSTROUTING_CHAIN, postrouting()),
    ];
    chains
        .into_iter()
        .flat_map(|(chain, rules)| {
            rules.into_iter().map(move |statements| Rule {
                chain: chain.into(),
                statements,
            })
        })
        .collect()
}

/// The statements of one rule.
type Line = Vec<Statement>;

const ACCEPT: Statement = Statement::Verdict(Verdict::Accept);
const DROP: Statement = Statement::Verdict(Verdict::Drop);
const REPLIES: Statement = Statement::State(&[CtState::Established, CtState::Related]);
const ERRORS: Statement = Statement::State(&[CtState::Related]);

fn each_family(line: impl Fn(&'static Words) -> Line) -> Vec<Line> {
    Family::BOTH.map(Words::of).into_iter().map(line).collect()
}

fn member(selectors: &'static [Selector], set: &'static Definition) -> Statement {
    Statement::Member(selectors, Operator::Equal, set.name)
}

fn no_member(selectors: &'static [Selector], set: &'static Definition) -> Statement {
    Statement::Member(selectors, Operator::NotEqual, set.name)
}

pub(super) fn of_protocol(number: u8) -> Statement {
    Statement::Compare(Selector::Protocol, Operator::Equal, Value::Protocol(number))
}

fn destination_type(operator: Operator) -> Statement {
    Statement::Compare(Selector::DestinationType, operator, Value::Local)
}

/// What is sent to an address of the host's loopback, or straight to a hidden container, does not get in. The kernel drops
/// packets for `::1` that did not come from `lo` by itself (`ip6_rcv_core`).
///
/// Where `br_netfilter` is on, frames that cross a segment come by here as well. They are judged on the main bridge, so
/// connection tracking must neither see them twice nor translate them half way.
fn raw() -> Vec<Line> {
    let loopback = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0));
    let mut lines = vec![vec![
        Statement::InNetwork(
            Selector::Ipv4Destination,
            Operator::Equal,
            address_value(loopback),
            8,
        ),
        Statement::Compare(
            Selector::InputInterface,
            Operator::NotEqual,
            Value::Interface("lo".into()),
        ),
        DROP,
    ]];
    lines.push(vec![from_segment(), Statement::Untracked, ACCEPT]);
    lines.extend(each_family(|words| {
        vec![
            member(words.to, &words.sealed),
            no_member(words.in_to, &words.homes),
            destination_type(Operator::NotEqual),
            DROP,
        ]
    }));
    lines
}

fn from_segment() -> Statement {
    member(&[Selector::InputInterface], &SEGMENTS)
}

fn to_the_host() -> Vec<Line> {
    vec![vec![
        destination_type(Operator::Equal),
        Statement::Verdict(Verdict::Jump(TRANSLATE_CHAIN.into())),
    ]]
}

/// A published port that is bound to an address comes before one that is bound to any.
fn translate() -> Vec<Line> {
    const PORT: &[Selector] = &[Selector::Protocol, Selector::DestinationPort];
    Family::BOTH
        .map(Words::of)
        .into_iter()
        .flat_map(|words| {
            let of_family = Statement::Compare(
                Selector::Family,
                Operator::Equal,
                Value::Family(words.packets),
            );
            let to = Statement::TranslateDestination;
            [
                vec![to(words.to_socket, words.to_port, words.bound.name)],
                vec![to(words.to_address, words.to_port, words.bound_ranges.name)],
                vec![of_family.clone(), to(words.to_socket, PORT, words.any.name)],
                vec![of_family, to(words.to_address, PORT, words.any_ranges.name)],
            ]
        })
        .collect()
}

fn restricted() -> Vec<Line> {
    each_family(|words| vec![Statement::VerdictMap(words.from_in, words.restricted.name)])
}

/// A segment's bridge is nobody to talk to.
fn input() -> Vec<Line> {
    let mut lines = vec![vec![from_segment(), DROP]];
    lines.extend(restricted());
    lines
}

/// What goes into any network is judged before what goes out of one: otherwise one network's way out would be a way into
/// another. Before both stand the fences of internal networks. What comes from a segment without staying there was sent to the
/// Ethernet address of its bridge, which leads nowhere.
fn forward() -> Vec<Line> {
    const PAIR: &[Selector] = &[
        Selector::Family,
        Selector::InputInterface,
        Selector::OutputInterface,
    ];
    const INPUT: &[Selector] = &[Selector::Family, Selector::InputInterface];
    const OUTPUT: &[Selector] = &[Selector::Family, Selector::OutputInterface];
    let mut lines = vec![vec![Statement::Verdict(Verdict::Jump(USER_CHAIN.into()))]];
    lines.extend(restricted());
    lines.extend([
        vec![Statement::VerdictMap(PAIR, WITHIN.name)],
        vec![from_segment(), DROP],
        vec![member(INPUT, &INTERNAL), DROP],
        vec![member(OUTPUT, &INTERNAL), DROP],
        vec![Statement::VerdictMap(OUTPUT, INTO.name)],
        vec![member(INPUT, &OUT), ACCEPT],
    ]);
    lines
}

/// Replies of links have a rule of their own, bound to connection tracking, and nothing else lets replies through: so a link
/// that is taken away ends open connections as well.
fn icc_off() -> Vec<Line> {
    let mut lines = each_family(|words| vec![member(words.forth, &words.links), ACCEPT]);
    lines.extend(each_family(|words| {
        vec![REPLIES, member(words.back, &words.links), ACCEPT]
    }));
    // A refusal that a linked service sends (port unreachable) must reach the client, or it would wait for nothing.
    lines.extend([ICMP, ICMPV6].map(|protocol| vec![of_protocol(protocol), ERRORS, ACCEPT]));
    lines.extend(neighbour_discovery().map(|mut line| {
        line.push(ACCEPT);
        line
    }));
    lines.push(vec![DROP]);
    lines
}

/// Real neighbour solicitations and advertisements; without them nobody finds anybody. With `br_netfilter` those between ports
/// that are not isolated are judged like everything else.
pub(super) fn neighbour_discovery() -> [Line; 2] {
    NEIGHBOUR_DISCOVERY.map(|kind| {
        vec![
            Statement::Compare(
                Selector::Icmpv6Type,
                Operator::Equal,
                Value::Bytes(vec![kind]),
            ),
            Statement::Compare(
                Selector::HopLimit,
                Operator::Equal,
                Value::Bytes(vec![NOT_ROUTED]),
            ),
        ]
    })
}

fn into_nat() -> Vec<Line> {
    let mut lines = vec![vec![REPLIES, ACCEPT]];
    lines.extend(each_family(|words| {
        vec![
            Statement::Translated,
            member(words.to_port, &words.ways_in),
            ACCEPT,
        ]
    }));
    lines.push(vec![DROP]);
    lines
}

fn into_routed() -> Vec<Line> {
    let mut lines = vec![vec![REPLIES, ACCEPT]];
    lines.extend(each_family(|words| {
        vec![member(words.to_port, &words.openings), ACCEPT]
    }));
    lines.extend([ICMP, ICMPV6].map(|protocol| vec![of_protocol(protocol), ACCEPT]));
    lines.push(vec![DROP]);
    lines
}

/// What may not pass is refused at once rather than dropped, so that nobody waits for nothing.
fn refuse() -> Vec<Line> {
    vec![
        vec![of_protocol(TCP), Statement::Reject(Refusal::TcpReset)],
        vec![Statement::Reject(Refusal::Prohibited)],
    ]
}

/// What makes translated connections work. What a container sends to its own network by the host's address must come back by
/// the host, and what leaves a hidden network takes the host's address.
fn postrouting() -> Vec<Line> {
    const OUTPUT: &[Selector] = &[Selector::OutputInterface];
    let loopback = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0));
    let mut lines = vec![vec![
        Statement::InNetwork(
            Selector::Ipv4Source,
            Operator::Equal,
            address_value(loopback),
            8,
        ),
        member(OUTPUT, &TRANSLATING),
        Statement::Masquerade,
    ]];
    lines.extend(each_family(|words| {
        vec![
            Statement::Translated,
            member(OUTPUT, &TRANSLATING),
            member(words.out_from, &words.homes),
            member(words.out_to, &words.homes),
            Statement::Masquerade,
        ]
    }));
    lines.extend(each_family(|words| {
        vec![
            member(words.from, &words.hidden),
            no_member(words.out_from, &words.homes),
            Statement::Masquerade,
        ]
    }));
    lines
}

/// An address as rules have it.
pub(super) fn address_value(address: IpAddr) -> Value {
    match address {
        IpAddr::V4(address) => Value::Ipv4(address),
        IpAddr::V6(address) => Value::Ipv6(address),
    }
}
