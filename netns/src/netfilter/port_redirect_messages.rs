//! The nf_tables messages that make up a [`PortRedirect`]. Pure.
//!
//! The numbers are those of `linux/netfilter/nf_tables.h` and of the headers of IPv4, UDP and TCP. A rule is a row of
//! expressions: load a part of the packet into a register, compare the register with a constant and leave the rule if they
//! differ, and at last write a constant into the packet.

use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_netfilter::nftables::{
    ChainAttribute, ChainMessage, ChecksumType, Cmp, DataAttribute, Expressions, Hook, HookNumber,
    Immediate, InetHookNumber, Meta, MetaKey, NfTablesMessage, Operator, Payload, Register,
    RuleAttribute, RuleMessage, TableAttribute, TableMessage,
};

use super::port_redirect::{CHAIN, PortRedirect, REDIRECT_TABLE};

/// `NF_ACCEPT` of `linux/netfilter.h`.
const ACCEPT: u32 = 1;
/// `NF_IP_PRI_RAW` of `linux/netfilter_ipv4.h`: before connection tracking, if there should be any.
const PRIORITY_RAW: i32 = -300;
/// The one register that the rules use.
const REGISTER: Register = Register::Reg1;

/// The headers of a packet, as `enum nft_payload_bases` counts them.
#[derive(Clone, Copy)]
enum Header {
    Network = 1,
    Transport = 2,
}

/// A part of a packet, in bytes from the beginning of a header.
#[derive(Clone, Copy)]
struct Field {
    header: Header,
    offset: u32,
    length: u32,
}

const SOURCE_ADDRESS: Field = Field {
    header: Header::Network,
    offset: 12,
    length: 4,
};
const DESTINATION_ADDRESS: Field = Field {
    header: Header::Network,
    offset: 16,
    length: 4,
};
/// Where UDP and TCP both have it.
const SOURCE_PORT: Field = Field {
    header: Header::Transport,
    offset: 0,
    length: 2,
};
/// Where UDP and TCP both have it.
const DESTINATION_PORT: Field = Field {
    header: Header::Transport,
    offset: 2,
    length: 2,
};

/// A transport protocol and where it has its checksum.
#[derive(Clone, Copy)]
struct Transport {
    number: u8,
    checksum_offset: u32,
}

const UDP: Transport = Transport {
    number: 17,
    checksum_offset: 6,
};
const TCP: Transport = Transport {
    number: 6,
    checksum_offset: 16,
};

/// The messages of a transaction, each with its flags, that is refused with `EEXIST` if there is such a table.
pub(super) fn creation(redirect: &PortRedirect) -> Vec<(NfTablesMessage, u16)> {
    let create_table = (
        NfTablesMessage::NewTable(table()),
        NLM_F_CREATE | NLM_F_EXCL,
    );
    let create_chain = (NfTablesMessage::NewChain(chain()), NLM_F_CREATE);
    let rules = [
        request(redirect, UDP),
        request(redirect, TCP),
        answer(redirect, UDP),
        answer(redirect, TCP),
    ];
    let create_rules = rules.map(|expressions| {
        let message = NfTablesMessage::NewRule(rule(expressions));
        (message, NLM_F_CREATE | NLM_F_APPEND)
    });
    let mut messages = vec![create_table, create_chain];
    messages.extend(create_rules);
    messages
}

/// The messages of a transaction that makes the table anew. It is made first so that deleting it cannot fail.
pub(super) fn replacement(redirect: &PortRedirect) -> Vec<(NfTablesMessage, u16)> {
    let mut messages = vec![
        (NfTablesMessage::NewTable(table()), NLM_F_CREATE),
        (NfTablesMessage::DeleteTable(table()), 0),
    ];
    messages.extend(creation(redirect));
    messages
}

fn table() -> TableMessage {
    TableMessage {
        attributes: vec![TableAttribute::Name(REDIRECT_TABLE.to_string())],
    }
}

fn chain() -> ChainMessage {
    let hook = vec![
        Hook::Number(HookNumber::Inet(InetHookNumber::LocalOut)),
        Hook::Priority(PRIORITY_RAW.cast_unsigned()),
    ];
    ChainMessage {
        attributes: vec![
            ChainAttribute::Table(REDIRECT_TABLE.to_string()),
            ChainAttribute::Name(CHAIN.to_string()),
            ChainAttribute::Hook(hook),
            ChainAttribute::Policy(ACCEPT),
            ChainAttribute::Type("filter".to_string()),
        ],
    }
}

fn rule(expressions: Vec<Expressions>) -> RuleMessage {
    let expressions = expressions.into_iter().map(Into::into).collect();
    RuleMessage {
        attributes: vec![
            RuleAttribute::Table(REDIRECT_TABLE.to_string()),
            RuleAttribute::Chain(CHAIN.to_string()),
            RuleAttribute::Expressions(expressions),
        ],
    }
}

/// Rewrites what goes to the port that programs use.
fn request(redirect: &PortRedirect, transport: Transport) -> Vec<Expressions> {
    let mut expressions = Vec::new();
    expressions.extend(is(DESTINATION_ADDRESS, &redirect.address.octets()));
    expressions.extend(is_protocol(transport));
    expressions.extend(is(DESTINATION_PORT, &redirect.from.to_be_bytes()));
    expressions.extend(set_port(DESTINATION_PORT, redirect.to, transport));
    expressions
}

/// Rewrites what comes from the port on which somebody listens.
fn answer(redirect: &PortRedirect, transport: Transport) -> Vec<Expressions> {
    let mut expressions = Vec::new();
    expressions.extend(is(SOURCE_ADDRESS, &redirect.address.octets()));
    expressions.extend(is_protocol(transport));
    expressions.extend(is(SOURCE_PORT, &redirect.to.to_be_bytes()));
    expressions.extend(set_port(SOURCE_PORT, redirect.from, transport));
    expressions
}

fn is(field: Field, value: &[u8]) -> [Expressions; 2] {
    let load = Expressions::Payload(vec![
        Payload::DestinationRegister(REGISTER),
        Payload::Base(field.header as u32),
        Payload::Offset(field.offset),
        Payload::Len(field.length),
    ]);
    [load, equals(value)]
}

fn is_protocol(transport: Transport) -> [Expressions; 2] {
    let load = Expressions::Meta(vec![
        Meta::Key(MetaKey::L4Proto),
        Meta::DestinationRegister(REGISTER),
    ]);
    [load, equals(&[transport.number])]
}

fn equals(value: &[u8]) -> Expressions {
    Expressions::Cmp(vec![
        Cmp::SourceRegister(REGISTER),
        Cmp::Op(Operator::Equal),
        Cmp::Data(DataAttribute::Value(value.to_vec())),
    ])
}

/// The kernel corrects the checksum by the difference, and leaves a UDP checksum of zero, which means none, alone.
fn set_port(field: Field, port: u16, transport: Transport) -> [Expressions; 2] {
    let value = Expressions::Immediate(vec![
        Immediate::DestinationRegister(REGISTER),
        Immediate::Data(DataAttribute::Value(port.to_be_bytes().to_vec())),
    ]);
    let write = Expressions::Payload(vec![
        Payload::SourceRegister(REGISTER),
        Payload::Base(field.header as u32),
        Payload::Offset(field.offset),
        Payload::Len(field.length),
        Payload::CsumType(ChecksumType::Inet),
        Payload::CsumOffset(transport.checksum_offset),
    ]);
    [value, write]
}
