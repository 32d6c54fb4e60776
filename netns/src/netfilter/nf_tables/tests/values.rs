//! The values that rules are made of, in short words.

use crate::netfilter::nf_tables::*;

pub(super) fn set(name: &'static str, key: &'static [DataType]) -> Change {
    Change::AddSet(definition(name, key, SetContent::Members))
}

pub(super) fn verdicts(name: &'static str, key: &'static [DataType]) -> Change {
    Change::AddSet(definition(name, key, SetContent::Verdicts))
}

pub(super) fn map(
    name: &'static str,
    key: &'static [DataType],
    data: &'static [DataType],
) -> Change {
    Change::AddSet(definition(name, key, SetContent::Values(data)))
}

pub(super) fn intervals(
    name: &'static str,
    key: &'static [DataType],
    content: SetContent,
) -> Change {
    Change::AddSet(Definition {
        intervals: true,
        ..definition(name, key, content)
    })
}

fn definition(name: &'static str, key: &'static [DataType], content: SetContent) -> Definition {
    Definition {
        name,
        key,
        content,
        intervals: false,
    }
}

pub(super) fn member(set: &'static str, key: Vec<Value>) -> Change {
    leads(set, key, Vec::new())
}

pub(super) fn leads(set: &'static str, key: Vec<Value>, values: Vec<Value>) -> Change {
    ranges(set, key.into_iter().map(Key::One).collect(), values)
}

pub(super) fn ranges(set: &'static str, key: Vec<Key>, values: Vec<Value>) -> Change {
    Change::AddElement(Element {
        set,
        key,
        values,
        verdict: None,
    })
}

pub(super) fn judged(set: &'static str, key: Vec<Value>, verdict: Verdict) -> Change {
    Change::AddElement(Element {
        set,
        key: key.into_iter().map(Key::One).collect(),
        values: Vec::new(),
        verdict: Some(verdict),
    })
}

pub(super) fn chain(name: &'static str) -> Change {
    Change::AddChain(Chain {
        name: name.into(),
        base: None,
    })
}

pub(super) fn base(
    name: &'static str,
    kind: ChainKind,
    hook: Hook,
    priority: i32,
    policy: Policy,
) -> Change {
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

pub(super) fn rule(chain: &'static str, statements: Vec<Statement>) -> Change {
    Change::AddRule(Rule {
        chain: chain.into(),
        statements,
    })
}

pub(super) fn is(selector: Selector, value: Value) -> Statement {
    Statement::Compare(selector, Operator::Equal, value)
}

pub(super) fn ip(text: &str) -> Value {
    match text.parse().unwrap() {
        std::net::IpAddr::V4(address) => Value::Ipv4(address),
        std::net::IpAddr::V6(address) => Value::Ipv6(address),
    }
}

pub(super) fn target(text: &str) -> Value {
    Value::Bytes(text.parse::<std::net::Ipv6Addr>().unwrap().octets().into())
}

pub(super) fn interface(name: &str) -> Value {
    Value::Interface(name.into())
}

pub(super) fn ethernet(text: &str) -> Value {
    Value::Ethernet(text.parse().unwrap())
}

pub(super) const TCP: Value = Value::Protocol(6);
pub(super) const PASS: Statement = Statement::Verdict(Verdict::Accept);
pub(super) const STOP: Statement = Statement::Verdict(Verdict::Drop);
