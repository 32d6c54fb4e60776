//! Rules as the kernel knows them: rows of expressions. Pure.
//!
//! A rule loads fields into registers, compares a register with a constant and is left where they differ, looks registers up in
//! a set, and at last gives a verdict or changes the packet. The numbers are those of `linux/netfilter/nf_tables.h`.

use netlink_packet_core::DefaultNla;
use netlink_packet_netfilter::nftables::{
    Bitwise, ChecksumType, Cmp, DataAttribute, Expressions, Immediate, Lookup,
    Operator as Comparison, Payload, Register, Verdict as VerdictCode, VerdictAttribute,
};

use super::TableFamily;
use super::dependency::Knowledge;
use super::encoding::registers;
use super::field::{Field, Header, STATE, STATUS, Source, number, other, register};
use super::rule::{CtState, Operator, Refusal, Side, Statement, Translation, Transport, Verdict};
use super::selector::Selector;
use super::value::PacketFamily;

/// `NF_DROP` and `NF_ACCEPT` of `linux/netfilter.h`.
pub(super) const DROP: u32 = 0;
pub(super) const ACCEPT: u32 = 1;
/// `IPS_DST_NAT` of `linux/netfilter/nf_conntrack_common.h`.
const DESTINATION_TRANSLATED: u32 = 1 << 5;
/// `NFT_LOOKUP_F_INV`
const NOT_MEMBER: u32 = 1;
/// `enum nft_nat_attributes`, and `NFT_NAT_DNAT` of `enum nft_nat_types`
const NAT_TYPE: u16 = 1;
const NAT_FAMILY: u16 = 2;
const NAT_ADDRESS: u16 = 3;
const NAT_PORT: u16 = 5;
const NAT_DESTINATION: u32 = 1;
/// `enum nft_reject_attributes`, `enum nft_reject_types` and `NFT_REJECT_ICMPX_ADMIN_PROHIBITED`
const REJECT_TYPE: u16 = 1;
const REJECT_CODE: u16 = 2;
const REJECT_WITH_RESET: u32 = 1;
const REJECT_WITH_ICMP: u32 = 2;
const PROHIBITED: u8 = 3;

/// The expressions of a rule of a table.
pub(super) fn of_rule(statements: &[Statement], family: TableFamily) -> Vec<Expressions> {
    let mut knowledge = Knowledge::of(family);
    let mut expressions = Vec::new();
    for statement in statements {
        for (selector, value) in knowledge.before(statement, family) {
            expressions.push(selector.field().load(register(0)));
            expressions.push(compare(Comparison::Equal, value.bytes()));
        }
        append(&mut expressions, statement);
        knowledge.learn(statement);
    }
    expressions
}

fn append(expressions: &mut Vec<Expressions>, statement: &Statement) {
    match statement {
        Statement::Compare(selector, operator, value) => expressions.extend([
            selector.field().load(register(0)),
            compare(comparison(*operator), value.bytes()),
        ]),
        Statement::InNetwork(selector, operator, network, prefix) => {
            in_network(expressions, *selector, *operator, &network.bytes(), *prefix);
        }
        Statement::InRange(selector, first, last) => expressions.extend([
            selector.field().load(register(0)),
            compare(Comparison::GreatherThanEqual, first.bytes()),
            compare(Comparison::LessThanEqual, last.bytes()),
        ]),
        Statement::State(states) => {
            let bits = states.iter().fold(0, |bits, state| bits | state.bit());
            expressions.extend(has_bit_of(STATE, bits));
        }
        Statement::Translated => expressions.extend(has_bit_of(STATUS, DESTINATION_TRANSLATED)),
        Statement::Member(selectors, operator, set) => {
            load_all(expressions, selectors);
            let flags = match operator {
                Operator::Equal => None,
                Operator::NotEqual => Some(Lookup::Flags(NOT_MEMBER)),
            };
            expressions.push(lookup(set, flags));
        }
        Statement::VerdictMap(selectors, map) => {
            load_all(expressions, selectors);
            let destination = Lookup::DestinationRegister(Register::Verdict);
            expressions.push(lookup(map, Some(destination)));
        }
        Statement::TranslateDestination(translation, selectors, map) => {
            load_all(expressions, selectors);
            let destination = Lookup::DestinationRegister(register(0));
            expressions.push(lookup(map, Some(destination)));
            expressions.push(translate(*translation));
        }
        Statement::Masquerade => expressions.push(other("masq", Vec::new())),
        Statement::Reject(refusal) => expressions.push(reject(*refusal)),
        Statement::WritePort(transport, side, port) => {
            expressions.extend(write_port(*transport, *side, *port));
        }
        Statement::Untracked => expressions.push(other("notrack", Vec::new())),
        Statement::Verdict(verdict) => expressions.push(Expressions::Immediate(vec![
            Immediate::DestinationRegister(Register::Verdict),
            Immediate::Data(verdict.data()),
        ])),
    }
}

fn load_all(expressions: &mut Vec<Expressions>, selectors: &[Selector]) {
    let mut next = 0;
    for selector in selectors {
        let field = selector.field();
        expressions.push(field.load(register(next)));
        next += registers(field.length);
    }
}

/// A prefix of whole bytes of a packet is loaded alone; another one is masked.
fn in_network(
    expressions: &mut Vec<Expressions>,
    selector: Selector,
    operator: Operator,
    network: &[u8],
    prefix: u8,
) {
    let field = selector.field();
    let whole_bytes = usize::from(prefix / 8);
    let is_payload = matches!(field.source, Source::Payload(..));
    if whole_bytes == field.length || (is_payload && whole_bytes > 0 && prefix.is_multiple_of(8)) {
        let length = whole_bytes.min(field.length);
        let part = Field { length, ..field };
        expressions.push(part.load(register(0)));
        let value = network.get(..length).unwrap_or(network);
        expressions.push(compare(comparison(operator), value.into()));
        return;
    }
    let mask = mask(prefix, field.length);
    let value = network.iter().zip(&mask).map(|(byte, mask)| byte & mask);
    let value = value.collect();
    expressions.push(field.load(register(0)));
    expressions.push(and(mask));
    expressions.push(compare(comparison(operator), value));
}

/// So many ones, then zeros.
fn mask(prefix: u8, length: usize) -> Vec<u8> {
    let ones = (0..length).map(|index| usize::from(prefix).saturating_sub(8 * index).min(8));
    ones.map(|ones| !(0xff_u8.checked_shr(ones as u32).unwrap_or(0)))
        .collect()
}

fn has_bit_of(key: u32, bits: u32) -> [Expressions; 3] {
    let field = Field {
        source: Source::Connection(key, None),
        length: 4,
    };
    [
        field.load(register(0)),
        and(bits.to_ne_bytes().into()),
        compare(Comparison::NotEqual, vec![0; 4]),
    ]
}

fn and(mask: Vec<u8>) -> Expressions {
    let zero = vec![0; mask.len()];
    Expressions::Bitwise(vec![
        Bitwise::SourceRegister(register(0)),
        Bitwise::DestinationRegister(register(0)),
        // No field is longer than sixteen bytes.
        Bitwise::Length(u32::try_from(mask.len()).unwrap_or(u32::MAX)),
        Bitwise::Mask(DataAttribute::Value(mask)),
        Bitwise::Xor(DataAttribute::Value(zero)),
    ])
}

fn comparison(operator: Operator) -> Comparison {
    match operator {
        Operator::Equal => Comparison::Equal,
        Operator::NotEqual => Comparison::NotEqual,
    }
}

fn compare(comparison: Comparison, value: Vec<u8>) -> Expressions {
    Expressions::Cmp(vec![
        Cmp::SourceRegister(register(0)),
        Cmp::Op(comparison),
        Cmp::Data(DataAttribute::Value(value)),
    ])
}

fn lookup(set: &str, further: Option<Lookup>) -> Expressions {
    let mut attributes = vec![Lookup::Set(set.into()), Lookup::SourceRegister(register(0))];
    attributes.extend(further);
    Expressions::Lookup(attributes)
}

/// The map has put the address into the first registers, and a port behind it.
fn translate(translation: Translation) -> Expressions {
    let (family, port) = match translation {
        Translation::Ipv4 => (PacketFamily::Ipv4, None),
        Translation::Ipv4Port => (PacketFamily::Ipv4, Some(registers(4))),
        Translation::Ipv6 => (PacketFamily::Ipv6, None),
        Translation::Ipv6Port => (PacketFamily::Ipv6, Some(registers(16))),
    };
    let mut attributes = vec![
        number(NAT_TYPE, NAT_DESTINATION),
        number(NAT_FAMILY, family.number().into()),
        number(NAT_ADDRESS, register(0).into()),
    ];
    attributes.extend(port.map(|index| number(NAT_PORT, register(index).into())));
    other("nat", attributes)
}

fn reject(refusal: Refusal) -> Expressions {
    let (kind, code) = match refusal {
        Refusal::TcpReset => (REJECT_WITH_RESET, 0),
        Refusal::Prohibited => (REJECT_WITH_ICMP, PROHIBITED),
    };
    let code = DefaultNla::new(REJECT_CODE, vec![code]);
    other("reject", vec![number(REJECT_TYPE, kind), code])
}

fn write_port(transport: Transport, side: Side, port: u16) -> [Expressions; 2] {
    let value = Expressions::Immediate(vec![
        Immediate::DestinationRegister(register(0)),
        Immediate::Data(DataAttribute::Value(port.to_be_bytes().into())),
    ]);
    let offset = match side {
        Side::Source => 0,
        Side::Destination => 2,
    };
    let checksum = match transport {
        Transport::Udp => 6,
        Transport::Tcp => 16,
    };
    let write = Expressions::Payload(vec![
        Payload::SourceRegister(register(0)),
        Payload::Base(Header::Transport as u32),
        Payload::Offset(offset),
        Payload::Len(2),
        Payload::CsumType(ChecksumType::Inet),
        Payload::CsumOffset(checksum),
    ]);
    [value, write]
}

impl CtState {
    /// `NF_CT_STATE_BIT` of `linux/netfilter/nf_conntrack_common.h`
    fn bit(self) -> u32 {
        match self {
            CtState::Invalid => 1,
            CtState::Established => 1 << 1,
            CtState::Related => 1 << 2,
            CtState::Untracked => 1 << 6,
        }
    }
}

impl Verdict {
    /// It, as the data of a rule or of an element.
    pub(super) fn data(&self) -> DataAttribute {
        let (code, chain) = match self {
            Verdict::Accept => (VerdictCode::Other(ACCEPT), None),
            Verdict::Drop => (VerdictCode::Other(DROP), None),
            Verdict::Jump(chain) => (VerdictCode::Jump, Some(chain)),
            Verdict::Goto(chain) => (VerdictCode::Goto, Some(chain)),
            Verdict::Return => (VerdictCode::Return, None),
        };
        let mut attributes = vec![VerdictAttribute::Code(code)];
        attributes.extend(chain.map(|chain| VerdictAttribute::Chain(chain.to_string())));
        DataAttribute::Verdict(attributes)
    }
}
