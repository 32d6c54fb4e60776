//! The nf_tables messages that make up a [`Passage`]. Pure.

use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE};
use netlink_packet_netfilter::nftables::{
    ChainAttribute, ChainMessage, Cmp, DataAttribute, Expressions, Immediate, Meta, MetaKey,
    NfTablesMessage, Operator, Register, RuleAttribute, RuleMessage, Verdict, VerdictAttribute,
};

use super::forward_filter_messages::with_comment;
use super::nf_tables::Value;
use super::passage::{Entrance, PASSAGE_CHAIN, Passage, Present, Way};

/// A message of a transaction, with its flags.
type Message = (NfTablesMessage, u16);

/// `NF_ACCEPT` of `linux/netfilter.h`.
const ACCEPT: u32 = 1;
/// The one register that the rules load into.
const REGISTER: Register = Register::Reg1;

/// What is there goes first, so that nothing is doubled.
pub(super) fn messages(passage: &Passage) -> Vec<Message> {
    let delete = |attributes| NfTablesMessage::DeleteRule(RuleMessage { attributes });
    let former = passage.former.iter().map(|place| {
        let mut attributes = names(passage, &place.chain);
        attributes.push(RuleAttribute::Handle(place.handle));
        (delete(attributes), 0)
    });
    let mut messages: Vec<Message> = former.collect();
    if passage.present == Present::Yes {
        messages.push((delete(names(passage, PASSAGE_CHAIN)), 0));
    }
    if passage.ways.is_empty() {
        let chain = NfTablesMessage::DeleteChain(our_chain(passage));
        messages.extend((passage.present == Present::Yes).then_some((chain, 0)));
        return messages;
    }
    messages.push((NfTablesMessage::NewChain(our_chain(passage)), NLM_F_CREATE));
    messages.extend(passage.ways.iter().map(|way| accept(passage, way)));
    let entrances = passage.entrances.iter();
    messages.extend(entrances.map(|entrance| jump(passage, entrance)));
    messages
}

fn our_chain(passage: &Passage) -> ChainMessage {
    ChainMessage {
        attributes: vec![
            ChainAttribute::Table(passage.table.clone()),
            ChainAttribute::Name(PASSAGE_CHAIN.to_string()),
        ],
    }
}

fn names(passage: &Passage, chain: &str) -> Vec<RuleAttribute> {
    vec![
        RuleAttribute::Table(passage.table.clone()),
        RuleAttribute::Chain(chain.to_string()),
    ]
}

fn accept(passage: &Passage, way: &Way) -> Message {
    let mut expressions = Vec::new();
    if let Some(family) = way.family {
        expressions.extend(is(MetaKey::Nfproto, &Value::Family(family)));
    }
    for (key, name) in [
        (MetaKey::Iifname, &way.input),
        (MetaKey::Oifname, &way.output),
    ] {
        if let Some(name) = name {
            expressions.extend(is(key, &Value::Interface(name.clone())));
        }
    }
    expressions.push(verdict(vec![VerdictAttribute::Code(Verdict::Other(
        ACCEPT,
    ))]));
    let attributes = rule(names(passage, PASSAGE_CHAIN), (expressions, &way.comment()));
    let message = NfTablesMessage::NewRule(RuleMessage { attributes });
    (message, NLM_F_CREATE | NLM_F_APPEND)
}

fn jump(passage: &Passage, entrance: &Entrance) -> Message {
    let verdict = verdict(vec![
        VerdictAttribute::Code(Verdict::Jump),
        VerdictAttribute::Chain(PASSAGE_CHAIN.to_string()),
    ]);
    let mut attributes = rule(
        names(passage, &entrance.chain),
        (vec![verdict], PASSAGE_CHAIN),
    );
    attributes.extend(entrance.before.map(RuleAttribute::Position));
    let message = NfTablesMessage::NewRule(RuleMessage { attributes });
    // Without the flag to append, a rule goes before the one whose position is given.
    let flags = match entrance.before {
        Some(_) => NLM_F_CREATE,
        None => NLM_F_CREATE | NLM_F_APPEND,
    };
    (message, flags)
}

fn rule(
    mut attributes: Vec<RuleAttribute>,
    (expressions, comment): (Vec<Expressions>, &str),
) -> Vec<RuleAttribute> {
    let expressions = expressions.into_iter().map(Into::into).collect();
    attributes.push(RuleAttribute::Expressions(expressions));
    attributes.push(RuleAttribute::UserData(with_comment(comment)));
    attributes
}

/// Whether what the kernel knows of a packet has a value.
fn is(key: MetaKey, value: &Value) -> [Expressions; 2] {
    [
        Expressions::Meta(vec![Meta::Key(key), Meta::DestinationRegister(REGISTER)]),
        Expressions::Cmp(vec![
            Cmp::SourceRegister(REGISTER),
            Cmp::Op(Operator::Equal),
            Cmp::Data(DataAttribute::Value(value.bytes())),
        ]),
    ]
}

fn verdict(attributes: Vec<VerdictAttribute>) -> Expressions {
    Expressions::Immediate(vec![
        Immediate::DestinationRegister(Register::Verdict),
        Immediate::Data(DataAttribute::Verdict(attributes)),
    ])
}
