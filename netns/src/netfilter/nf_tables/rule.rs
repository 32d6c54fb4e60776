//! Rules.

use std::borrow::Cow;

use super::selector::Selector;
use super::value::Value;

/// A rule of a chain: statements from left to right, each of which may end it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The chain.
    pub chain: Cow<'static, str>,
    /// What it says.
    pub statements: Vec<Statement>,
}

/// A part of a rule. What compares ends the rule, for this packet, where the comparison fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// Compares a field with a value.
    Compare(Selector, Operator, Value),
    /// Compares a field with a network: its first address and the length of the prefix.
    InNetwork(Selector, Operator, Value, u8),
    /// Compares a field with everything from one value to another, both included.
    InRange(Selector, Value, Value),
    /// `ct state …`: one of these.
    State(&'static [CtState]),
    /// `ct status dnat`: the destination of the connection was translated.
    Translated,
    /// `… @set`: fields, together, are in a set or are not.
    Member(&'static [Selector], Operator, &'static str),
    /// `… vmap @map`: goes on with the verdict found; where there is none, with the next rule.
    VerdictMap(&'static [Selector], &'static str),
    /// `dnat`: goes to what a map leads to; where it leads nowhere, on with the next rule.
    TranslateDestination(Translation, &'static [Selector], &'static str),
    /// `masquerade`
    Masquerade,
    /// `reject`
    Reject(Refusal),
    /// `… dport set …`: writes another port into a packet of this protocol, which has been compared before. The kernel corrects
    /// the checksum by the difference, and leaves a UDP checksum of zero, which means none, alone.
    WritePort(Transport, Side, u16),
    /// `notrack`: connection tracking, which comes later, leaves the packet alone.
    Untracked,
    /// Ends the rule with a verdict.
    Verdict(Verdict),
}

/// A protocol with ports and a checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
}

impl Transport {
    /// Its number (`IPPROTO_…`).
    pub fn number(self) -> u8 {
        match self {
            Transport::Udp => 17,
            Transport::Tcp => 6,
        }
    }
}

/// One of the two ports of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Where it comes from.
    Source,
    /// Where it goes.
    Destination,
}

/// How values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// The same.
    Equal,
    /// Another one.
    NotEqual,
}

/// What connection tracking says of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CtState {
    /// It belongs to no connection and begins none.
    Invalid,
    /// It belongs to a connection that has seen packets both ways.
    Established,
    /// It is an error about a connection, or belongs to a connection that another one announced.
    Related,
    /// Nobody tracked it.
    Untracked,
}

/// What a map of translations leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Translation {
    /// An IPv4 address; the port stays.
    Ipv4,
    /// An IPv4 address and a port.
    Ipv4Port,
    /// An IPv6 address; the port stays.
    Ipv6,
    /// An IPv6 address and a port.
    Ipv6Port,
}

/// How a packet is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// `reject with tcp reset`
    TcpReset,
    /// `reject with icmpx admin-prohibited`, in both families.
    Prohibited,
}

/// What becomes of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It passes this base chain.
    Accept,
    /// It is gone.
    Drop,
    /// It goes on in another chain, and comes back if nobody judges it there.
    Jump(Cow<'static, str>),
    /// It goes on in another chain, and does not come back here.
    Goto(Cow<'static, str>),
    /// It goes back to where this chain was called from.
    Return,
}
