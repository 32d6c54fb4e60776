//! What the messages about chains and rules mean for forwarded packets. Pure.
//!
//! The numbers are those of `linux/netfilter.h` and `linux/netfilter/nf_tables.h`, the names of expressions those of the
//! kernel's modules (`net/netfilter/nft_*.c`).

use netlink_packet_core::DefaultNla;
use netlink_packet_core::Nla;
use netlink_packet_netfilter::nftables::{
    ChainAttribute, ChainMessage, DataAttribute, ExpressionAttribute, Expressions, Hook,
    HookNumber, Immediate, InetHookNumber, ListAttribute, Lookup, NfTablesMessage, Register,
    RuleAttribute, RuleMessage, Verdict, VerdictAttribute,
};
use netlink_packet_netfilter::{
    NetfilterHeader, NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily,
};

use super::forward_filter::{Effect, FilterChain, FilterFamily, FilterRule, Scope};
use super::nf_tables::Policy;

/// `NF_DROP` and `NF_ACCEPT`.
const DROP: u32 = 0;
const ACCEPT: u32 = 1;
/// `NFTNL_UDATA_RULE_COMMENT` of libnftnl: what a maker notes beside a rule begins with type and length of a part.
const COMMENT: u8 = 0;
/// `NFTA_TARGET_NAME` and `NFTA_MATCH_NAME`, the names of iptables' own extensions.
const EXTENSION_NAME: u16 = 1;

/// A chain, and whose it is.
pub(super) struct ChainReply {
    pub(super) family: FilterFamily,
    pub(super) table: String,
    pub(super) chain: FilterChain,
}

/// A rule, and where it is.
pub(super) struct RuleReply {
    pub(super) family: FilterFamily,
    pub(super) table: String,
    pub(super) chain: String,
    pub(super) rule: FilterRule,
}

/// Asks for all chains there are.
pub(super) fn chain_question() -> NetfilterMessage {
    let attributes = Vec::new();
    NetfilterMessage::new(
        NetfilterHeader::new(NetfilterProtoFamily::Unspec, 0, 0),
        NfTablesMessage::GetChain(ChainMessage { attributes }),
    )
}

/// Asks for the rules of one table.
pub(super) fn rule_question(family: FilterFamily, table: &str) -> NetfilterMessage {
    let attributes = vec![RuleAttribute::Table(table.to_string())];
    NetfilterMessage::new(
        NetfilterHeader::new(family.number(), 0, 0),
        NfTablesMessage::GetRule(RuleMessage { attributes }),
    )
}

/// The tables that have a chain which is wanted, each once, in the order of the list.
pub(super) fn table_names(
    chains: &[ChainReply],
    is_wanted: impl Fn(&ChainReply) -> bool,
) -> Vec<(FilterFamily, String)> {
    let mut names = Vec::new();
    for reply in chains {
        let name = (reply.family, reply.table.clone());
        if is_wanted(reply) && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// A chain, if it is of a family that forwards packets.
pub(super) fn chain_reply(reply: &NetfilterMessage) -> Option<ChainReply> {
    let NetfilterMessageInner::NfTables(NfTablesMessage::NewChain(message)) = &reply.inner else {
        return None;
    };
    let (mut table, mut name, mut is_forward, mut kind, mut policy) =
        (None, None, false, None, Policy::Accept);
    for attribute in &message.attributes {
        match attribute {
            ChainAttribute::Table(text) => table = Some(text.clone()),
            ChainAttribute::Name(text) => name = Some(text.clone()),
            ChainAttribute::Hook(hook) => is_forward = hook.contains(&FORWARD),
            ChainAttribute::Type(text) => kind = Some(text.as_str()),
            ChainAttribute::Policy(DROP) => policy = Policy::Drop,
            _ => {}
        }
    }
    Some(ChainReply {
        family: FilterFamily::of(reply.header.family)?,
        table: table?,
        chain: FilterChain {
            name: name?,
            forward_policy: (is_forward && kind == Some("filter")).then_some(policy),
            rules: Vec::new(),
        },
    })
}

const FORWARD: Hook = Hook::Number(HookNumber::Inet(InetHookNumber::Forward));

/// A rule, if it is of a family that forwards packets.
pub(super) fn rule_reply(reply: &NetfilterMessage) -> Option<RuleReply> {
    let NetfilterMessageInner::NfTables(NfTablesMessage::NewRule(message)) = &reply.inner else {
        return None;
    };
    let (mut table, mut chain, mut handle, mut comment) = (None, None, None, None);
    let (mut scope, mut effect) = (Scope::Every, Effect::None);
    for attribute in &message.attributes {
        match attribute {
            RuleAttribute::Table(text) => table = Some(text.clone()),
            RuleAttribute::Chain(text) => chain = Some(text.clone()),
            RuleAttribute::Handle(number) => handle = Some(*number),
            RuleAttribute::UserData(bytes) => comment = comment_in(bytes),
            RuleAttribute::Expressions(list) => (scope, effect) = meaning(list),
            _ => {}
        }
    }
    Some(RuleReply {
        family: FilterFamily::of(reply.header.family)?,
        table: table?,
        chain: chain?,
        rule: FilterRule {
            handle: handle?,
            scope,
            effect,
            comment,
        },
    })
}

/// What a maker noted for readers: parts of one byte for the type, one for the length, and so many bytes.
pub(super) fn comment_in(mut parts: &[u8]) -> Option<String> {
    while let [kind, length, rest @ ..] = parts {
        let value = rest.get(..usize::from(*length))?;
        if *kind == COMMENT {
            let text = String::from_utf8_lossy(value);
            return Some(text.trim_end_matches('\0').to_string());
        }
        parts = rest.get(usize::from(*length)..)?;
    }
    None
}

/// What is noted, in the same form. A length is one byte, so longer text is cut.
pub(super) fn with_comment(text: &str) -> Vec<u8> {
    let text = &text.as_bytes()[..text.len().min(usize::from(u8::MAX) - 1)];
    let length = u8::try_from(text.len() + 1).unwrap_or(u8::MAX);
    [&[COMMENT, length], text, &[0]].concat()
}

/// Which packets a rule holds for, and what it does with them.
fn meaning(list: &[ListAttribute<ExpressionAttribute>]) -> (Scope, Effect) {
    let (mut scope, mut effect) = (Scope::Every, Effect::None);
    for element in list {
        let ListAttribute::Element(attributes) = element else {
            continue;
        };
        for attribute in attributes {
            match attribute {
                ExpressionAttribute::Name(name) if !holds_always(name) => scope = Scope::Some,
                ExpressionAttribute::Name(name) if name == "reject" => effect = Effect::Refuse,
                ExpressionAttribute::Name(name) if name == "queue" => effect = Effect::Unknown,
                ExpressionAttribute::Data(Expressions::Immediate(parts)) => {
                    effect = verdict_of(parts).unwrap_or(effect);
                }
                ExpressionAttribute::Data(Expressions::Lookup(parts)) if leads_on(parts) => {
                    effect = Effect::Unknown;
                }
                ExpressionAttribute::Data(Expressions::Other {
                    expression_type,
                    attributes,
                }) => {
                    let extension = extension_name(attributes);
                    match (expression_type.as_str(), extension.as_deref()) {
                        ("match", Some("comment")) | ("target", None) => {}
                        ("match", _) => scope = Scope::Some,
                        ("target", Some("REJECT")) => effect = Effect::Refuse,
                        ("target", Some("NFQUEUE")) => effect = Effect::Unknown,
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }
    (scope, effect)
}

/// Whether an expression never ends a rule. Of iptables' matches each speaks for itself.
fn holds_always(expression: &str) -> bool {
    [
        "counter",
        "immediate",
        "last",
        "log",
        "match",
        "notrack",
        "queue",
        "reject",
        "target",
    ]
    .contains(&expression)
}

/// A lookup in a map of verdicts.
fn leads_on(parts: &[Lookup]) -> bool {
    parts.contains(&Lookup::DestinationRegister(Register::Verdict))
}

/// The name of one of iptables' extensions.
fn extension_name(attributes: &[DefaultNla]) -> Option<String> {
    let name = attributes
        .iter()
        .find(|attribute| attribute.kind() == EXTENSION_NAME)?;
    let mut bytes = vec![0; name.value_len()];
    name.emit_value(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    Some(text.trim_end_matches('\0').to_string())
}

/// The verdict that is loaded, if it is one.
fn verdict_of(parts: &[Immediate]) -> Option<Effect> {
    let attributes = parts.iter().find_map(|part| match part {
        Immediate::Data(DataAttribute::Verdict(attributes)) => Some(attributes),
        _ => None,
    })?;
    let chain = attributes.iter().find_map(|attribute| match attribute {
        VerdictAttribute::Chain(name) => Some(name.clone()),
        _ => None,
    });
    let code = attributes.iter().find_map(|attribute| match attribute {
        VerdictAttribute::Code(code) => Some(code),
        _ => None,
    })?;
    Some(match (code, chain) {
        (Verdict::Other(ACCEPT), _) => Effect::Accept,
        (Verdict::Other(DROP), _) => Effect::Refuse,
        (Verdict::Jump, Some(chain)) => Effect::Jump(chain),
        (Verdict::Goto, Some(chain)) => Effect::Goto(chain),
        (Verdict::Return, _) => Effect::Return,
        (Verdict::Continue, _) => Effect::None,
        _ => Effect::Unknown,
    })
}
