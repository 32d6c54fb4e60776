//! Transactions as the kernel takes them: rows of messages, each with its flags. Pure.

use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_netfilter::nftables::{
    ChainAttribute, ChainMessage, Hook as HookAttribute, HookNumber, InetHookNumber,
    NfTablesMessage, RuleAttribute, RuleMessage, SetElementMessage, TableAttribute, TableMessage,
};
use netlink_packet_netfilter::{NetfilterHeader, NetfilterMessage, NetfilterProtoFamily};

use super::chain::{Chain, ChainKind, Hook, Policy};
use super::expressions::{ACCEPT, DROP, of_rule};
use super::rule::Rule;
use super::transaction::{Change, Transaction};
use super::{Table, TableFamily, set_messages};

/// One message for each change, in order. Sets are numbered from `first_set` on, which no other set of the batch has.
pub(super) fn of(transaction: &Transaction, first_set: u32) -> Vec<(NetfilterMessage, u16)> {
    let table = transaction.table;
    let family = family(table.family);
    (first_set..)
        .zip(&transaction.changes)
        .map(|(id, change)| {
            let (message, flags) = message(table, change, id);
            let header = NetfilterHeader::new(family, 0, 0);
            (NetfilterMessage::new(header, message), flags)
        })
        .collect()
}

pub(super) fn family(family: TableFamily) -> NetfilterProtoFamily {
    match family {
        TableFamily::Ipv4 => NetfilterProtoFamily::IPv4,
        TableFamily::Ipv6 => NetfilterProtoFamily::IPv6,
        TableFamily::Inet => NetfilterProtoFamily::Inet,
        TableFamily::Bridge => NetfilterProtoFamily::Bridge,
    }
}

fn message(table: Table, change: &Change, id: u32) -> (NfTablesMessage, u16) {
    match change {
        Change::AddTable => (
            NfTablesMessage::NewTable(table_message(table)),
            NLM_F_CREATE,
        ),
        Change::CreateTable => (
            NfTablesMessage::NewTable(table_message(table)),
            NLM_F_CREATE | NLM_F_EXCL,
        ),
        Change::DeleteTable => (NfTablesMessage::DeleteTable(table_message(table)), 0),
        Change::AddChain(chain) => (
            NfTablesMessage::NewChain(chain_message(table, chain)),
            NLM_F_CREATE,
        ),
        Change::FlushChain(chain) => {
            let attributes = rules_of(table, chain);
            (NfTablesMessage::DeleteRule(RuleMessage { attributes }), 0)
        }
        Change::DeleteChain(chain) => {
            let attributes = chain_name(table, chain);
            (NfTablesMessage::DeleteChain(ChainMessage { attributes }), 0)
        }
        Change::AddSet(definition) => {
            let message = set_messages::set(table, definition, id);
            (NfTablesMessage::NewSet(message), NLM_F_CREATE)
        }
        Change::FlushSet(set) => {
            let attributes = set_messages::set_name(table, set);
            let message = SetElementMessage { attributes };
            (NfTablesMessage::DeleteSetElement(message), 0)
        }
        Change::AddRule(rule) => {
            let message = rule_message(table, rule);
            (
                NfTablesMessage::NewRule(message),
                NLM_F_CREATE | NLM_F_APPEND,
            )
        }
        Change::DeleteRule { chain, handle } => {
            let mut attributes = rules_of(table, chain);
            attributes.push(RuleAttribute::Handle(*handle));
            (NfTablesMessage::DeleteRule(RuleMessage { attributes }), 0)
        }
        Change::AddElement(element) => {
            let message = set_messages::element(table, element);
            (
                NfTablesMessage::NewSetElement(message),
                NLM_F_CREATE | NLM_F_EXCL,
            )
        }
        Change::DeleteElement(element) => {
            let message = set_messages::element(table, element);
            (NfTablesMessage::DeleteSetElement(message), 0)
        }
    }
}

fn table_message(table: Table) -> TableMessage {
    TableMessage {
        attributes: vec![TableAttribute::Name(table.name.into())],
    }
}

fn chain_name(table: Table, chain: &str) -> Vec<ChainAttribute> {
    vec![
        ChainAttribute::Table(table.name.into()),
        ChainAttribute::Name(chain.into()),
    ]
}

fn chain_message(table: Table, chain: &Chain) -> ChainMessage {
    let mut attributes = chain_name(table, &chain.name);
    if let Some(base) = chain.base {
        let hook = match base.hook {
            Hook::Prerouting => InetHookNumber::PreRouting,
            Hook::Input => InetHookNumber::LocalIn,
            Hook::Forward => InetHookNumber::Forward,
            Hook::Output => InetHookNumber::LocalOut,
            Hook::Postrouting => InetHookNumber::PostRouting,
        };
        let kind = match base.kind {
            ChainKind::Filter => "filter",
            ChainKind::Nat => "nat",
        };
        let policy = match base.policy {
            Policy::Accept => ACCEPT,
            Policy::Drop => DROP,
        };
        attributes.extend([
            ChainAttribute::Hook(vec![
                HookAttribute::Number(HookNumber::Inet(hook)),
                HookAttribute::Priority(base.priority.cast_unsigned()),
            ]),
            ChainAttribute::Policy(policy),
            ChainAttribute::Type(kind.into()),
        ]);
    }
    ChainMessage { attributes }
}

fn rules_of(table: Table, chain: &str) -> Vec<RuleAttribute> {
    vec![
        RuleAttribute::Table(table.name.into()),
        RuleAttribute::Chain(chain.into()),
    ]
}

fn rule_message(table: Table, rule: &Rule) -> RuleMessage {
    let expressions = of_rule(&rule.statements, table.family);
    let expressions = expressions.into_iter().map(Into::into).collect();
    let mut attributes = rules_of(table, &rule.chain);
    attributes.push(RuleAttribute::Expressions(expressions));
    RuleMessage { attributes }
}
