//! The nf_tables messages that make up a [`SourceGuard`]. Pure.
//!
//! The numbers are those of `linux/netfilter/nf_tables.h` and of the headers of Ethernet, ARP, IPv4, IPv6 and ICMPv6.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_netfilter::nftables::{
    ChainAttribute, ChainMessage, Cmp, DataAttribute, DevHookNumber, Expressions, Hook, HookNumber,
    Immediate, Meta, MetaKey, NfTablesMessage, Operator, Payload, Register, RuleAttribute,
    RuleMessage, TableAttribute, TableMessage, Verdict, VerdictAttribute,
};

use super::source_guard::{GUARD_TABLE, SourceGuard};

/// A message of a transaction, with its flags.
pub(super) type Message = (NfTablesMessage, u16);

/// `NF_DROP` and `NF_ACCEPT` of `linux/netfilter.h`.
const DROP: u32 = 0;
const ACCEPT: u32 = 1;
/// `NF_IP_PRI_FILTER` of `linux/netfilter_ipv4.h`, which `nft` uses for devices as well.
const PRIORITY_FILTER: u32 = 0;
/// The one register that the rules load into.
const REGISTER: Register = Register::Reg1;

/// Types of Ethernet frames.
const IPV4: u16 = 0x0800;
const ARP: u16 = 0x0806;
const IPV6: u16 = 0x86dd;
/// The protocol number of ICMPv6, and two of its types: a neighbour advertisement, and a report of the multicast groups that
/// somebody listens to, without which a bridge may not let them hear solicitations. Reports come from link-local addresses.
const ICMPV6: u8 = 58;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
const LISTENER_REPORT: u8 = 143;
/// The first half of a link-local address.
const LINK_LOCAL: [u8; 8] = [0xfe, 0x80, 0, 0, 0, 0, 0, 0];

/// The headers of a packet, as `enum nft_payload_bases` counts them, with the place of a field behind them.
const NETWORK: u32 = 1;
const TRANSPORT: u32 = 2;

/// Makes a guard; refused with `EEXIST` if there is one.
pub(super) fn creation(guard: &SourceGuard) -> Vec<Message> {
    let mut messages = vec![(NfTablesMessage::NewTable(table()), NLM_F_CREATE)];
    messages.extend(chain_with_rules(guard));
    messages
}

/// Makes a guard in place of the one there is.
pub(super) fn replacement(guard: &SourceGuard) -> Vec<Message> {
    let mut messages = deletion(&guard.interface);
    messages.extend(chain_with_rules(guard));
    messages
}

/// Takes a guard away, with its rules.
pub(super) fn deletion(interface: &str) -> Vec<Message> {
    vec![(NfTablesMessage::DeleteChain(chain_name(interface)), 0)]
}

/// Takes all guards away.
pub(super) fn table_deletion() -> Vec<Message> {
    vec![(NfTablesMessage::DeleteTable(table()), 0)]
}

/// Makes these the only guards. The table is made first so that deleting it cannot fail.
pub(super) fn whole(guards: &[SourceGuard]) -> Vec<Message> {
    let create = || (NfTablesMessage::NewTable(table()), NLM_F_CREATE);
    let mut messages = vec![create()];
    messages.extend(table_deletion());
    messages.push(create());
    messages.extend(guards.iter().flat_map(chain_with_rules));
    messages
}

fn chain_with_rules(guard: &SourceGuard) -> Vec<Message> {
    let chain = NfTablesMessage::NewChain(base_chain(&guard.interface));
    let mut messages = vec![(chain, NLM_F_CREATE | NLM_F_EXCL)];
    let rules = guard.addresses.iter().flat_map(|address| match address {
        IpAddr::V4(address) => ipv4_rules(*address),
        IpAddr::V6(address) => ipv6_rules(*address),
    });
    messages.extend(rules.map(|expressions| {
        let message = NfTablesMessage::NewRule(rule(&guard.interface, expressions));
        (message, NLM_F_CREATE | NLM_F_APPEND)
    }));
    messages
}

fn table() -> TableMessage {
    TableMessage {
        attributes: vec![TableAttribute::Name(GUARD_TABLE.to_string())],
    }
}

fn chain_name(interface: &str) -> ChainMessage {
    ChainMessage {
        attributes: vec![
            ChainAttribute::Table(GUARD_TABLE.to_string()),
            ChainAttribute::Name(interface.to_string()),
        ],
    }
}

fn base_chain(interface: &str) -> ChainMessage {
    let hook = vec![
        Hook::Number(HookNumber::Dev(DevHookNumber::Ingress)),
        Hook::Priority(PRIORITY_FILTER),
        Hook::NetDeviceName(interface.to_string()),
    ];
    let mut chain = chain_name(interface);
    chain.attributes.extend([
        ChainAttribute::Hook(hook),
        ChainAttribute::Policy(DROP),
        ChainAttribute::Type("filter".to_string()),
    ]);
    chain
}

fn rule(interface: &str, expressions: Vec<Expressions>) -> RuleMessage {
    let expressions = expressions.into_iter().map(Into::into).collect();
    RuleMessage {
        attributes: vec![
            RuleAttribute::Table(GUARD_TABLE.to_string()),
            RuleAttribute::Chain(interface.to_string()),
            RuleAttribute::Expressions(expressions),
        ],
    }
}

fn ipv4_rules(address: Ipv4Addr) -> Vec<Vec<Expressions>> {
    let from = |frame, offset| {
        let mut rule = is_frame(frame);
        rule.extend(is((NETWORK, offset), &address.octets()));
        rule.push(verdict(Verdict::Other(ACCEPT)));
        rule
    };
    vec![from(IPV4, 12), from(ARP, 14)]
}

fn ipv6_rules(address: Ipv6Addr) -> Vec<Vec<Expressions>> {
    let own = || {
        let mut rule = is_frame(IPV6);
        rule.extend(is((NETWORK, 8), &address.octets()));
        rule
    };
    let mut foreign_advertisement = own();
    foreign_advertisement.extend(is_icmpv6(NEIGHBOUR_ADVERTISEMENT));
    foreign_advertisement.push(load((TRANSPORT, 8), 16));
    foreign_advertisement.push(compare(Operator::NotEqual, &address.octets()));
    foreign_advertisement.push(verdict(Verdict::Other(DROP)));
    let mut everything_else = own();
    everything_else.push(verdict(Verdict::Other(ACCEPT)));
    let mut report = is_frame(IPV6);
    report.extend(is((NETWORK, 8), &LINK_LOCAL));
    report.extend(is_icmpv6(LISTENER_REPORT));
    report.push(verdict(Verdict::Other(ACCEPT)));
    vec![foreign_advertisement, everything_else, report]
}

fn is_frame(kind: u16) -> Vec<Expressions> {
    vec![
        load_meta(MetaKey::EtherTypeProtocol),
        compare(Operator::Equal, &kind.to_be_bytes()),
    ]
}

fn is_icmpv6(kind: u8) -> Vec<Expressions> {
    let mut expressions = vec![
        load_meta(MetaKey::L4Proto),
        compare(Operator::Equal, &[ICMPV6]),
    ];
    expressions.extend(is((TRANSPORT, 0), &[kind]));
    expressions
}

/// Whether a field, found by its header and offset, has a value.
fn is(place: (u32, u32), value: &[u8]) -> [Expressions; 2] {
    // No field is longer than an IPv6 address.
    let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
    [load(place, length), compare(Operator::Equal, value)]
}

fn load((header, offset): (u32, u32), length: u32) -> Expressions {
    Expressions::Payload(vec![
        Payload::DestinationRegister(REGISTER),
        Payload::Base(header),
        Payload::Offset(offset),
        Payload::Len(length),
    ])
}

fn load_meta(key: MetaKey) -> Expressions {
    Expressions::Meta(vec![Meta::Key(key), Meta::DestinationRegister(REGISTER)])
}

fn compare(operator: Operator, value: &[u8]) -> Expressions {
    Expressions::Cmp(vec![
        Cmp::SourceRegister(REGISTER),
        Cmp::Op(operator),
        Cmp::Data(DataAttribute::Value(value.to_vec())),
    ])
}

fn verdict(code: Verdict) -> Expressions {
    Expressions::Immediate(vec![
        Immediate::DestinationRegister(Register::Verdict),
        Immediate::Data(DataAttribute::Verdict(vec![VerdictAttribute::Code(code)])),
    ])
}
