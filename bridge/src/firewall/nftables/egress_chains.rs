//! The chains of containers that may not reach everything.
//!
//! Theory of operation: as that of the iptables driver's ([`super::super::egress_rules`]), except that one look into a map leads
//! a packet to the chain of its container, however many there are.

use super::network_elements::verdict;
use super::ruleset::{ICMP, ICMPV6, REFUSE_CHAIN, address_value, neighbour_discovery, of_protocol};
use super::words::Words;
use crate::egress::Destination;
use crate::network::{Family, Network};
use crate::policy::{Contribution, EgressPolicy};
use ipnet::IpNet;
use minirun_netns::netfilter::nf_tables::{
    Chain, Change, CtState, Element, Key, Operator, Rule, Selector, Statement, Value, Verdict,
};
use std::borrow::Cow;

/// Whether a chain belongs to a container.
pub(super) fn is_container_chain(name: &str) -> bool {
    Family::BOTH
        .into_iter()
        .any(|family| name.starts_with(prefix(family)))
}

/// What stands before the name of the interface in the name of a container's chain.
fn prefix(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "egress4-",
        Family::Ipv6 => "egress6-",
    }
}

/// The name of the chain of one address.
pub(super) fn chain_name(policy: &EgressPolicy) -> Cow<'static, str> {
    format!("{}{}", prefix(policy.family()), policy.interface).into()
}

/// Makes the chain of an address and leads its packets there.
pub(super) fn add(network: &Network, policy: &EgressPolicy) -> Vec<Change> {
    let mut changes = fill(network, policy);
    changes.extend(ways(network, policy).map(Change::AddElement));
    changes
}

/// Makes the chain of an address what it has to be, whatever it holds.
fn fill(network: &Network, policy: &EgressPolicy) -> Vec<Change> {
    let name = chain_name(policy);
    let chain = Chain {
        name: name.clone(),
        base: None,
    };
    [Change::AddChain(chain), Change::FlushChain(name)]
        .into_iter()
        .chain(rules(network, policy).into_iter().map(Change::AddRule))
        .collect()
}

/// Leads the packets of an address nowhere any more, and removes its chain.
pub(super) fn remove(network: &Network, policy: &EgressPolicy) -> Vec<Change> {
    let mut changes: Vec<Change> = ways(network, policy).map(Change::DeleteElement).collect();
    changes.extend(remove_chain(chain_name(policy)));
    changes
}

/// Removes a chain that nothing leads to.
pub(super) fn remove_chain(name: Cow<'static, str>) -> [Change; 2] {
    [Change::FlushChain(name.clone()), Change::DeleteChain(name)]
}

/// Turns the chains of one contribution into those of another. A chain that stays is filled afresh, since order matters in it;
/// as all of it is one transaction, it is never seen empty.
pub(super) fn change(network: &Network, (from, to): (&Contribution, &Contribution)) -> Vec<Change> {
    let stays = |policy: &EgressPolicy, there: &Contribution| {
        let mut others = there.egress.iter();
        others.any(|other| (&other.interface, other.source) == (&policy.interface, policy.source))
    };
    let gone = from.egress.iter().filter(|policy| !stays(policy, to));
    let mut changes: Vec<Change> = gone.flat_map(|policy| remove(network, policy)).collect();
    for policy in to.egress.difference(&from.egress) {
        changes.extend(match stays(policy, from) {
            true => fill(network, policy),
            false => add(network, policy),
        });
    }
    changes
}

/// What leads the packets of an address to its chain.
fn ways(network: &Network, policy: &EgressPolicy) -> impl Iterator<Item = Element> {
    let words = Words::of(policy.family());
    policy.sources().map(move |source| {
        let key = vec![
            Key::One(address_value(source)),
            Key::One(Value::Interface(network.bridge.clone())),
        ];
        verdict(&words.restricted, key, Verdict::Jump(chain_name(policy)))
    })
}

const RETURN: Statement = Statement::Verdict(Verdict::Return);

fn refuse() -> Statement {
    Statement::Verdict(Verdict::Jump(REFUSE_CHAIN.into()))
}

/// The rules of a container's chain, in the order of evaluation.
fn rules(network: &Network, policy: &EgressPolicy) -> Vec<Rule> {
    let family = policy.family();
    let words = Words::of(family);
    let equal = |selector, value| Statement::Compare(selector, Operator::Equal, value);
    let mut lines = vec![vec![
        equal(
            Selector::OutputInterface,
            Value::Interface(network.bridge.clone()),
        ),
        RETURN,
    ]];
    let icmp = match family {
        Family::Ipv4 => ICMP,
        Family::Ipv6 => {
            // Without these, container and host do not find each other.
            lines.extend(neighbour_discovery().map(|line| [line, vec![RETURN]].concat()));
            ICMPV6
        }
    };
    lines.extend([
        // What is not tracked could be compared with nothing below.
        vec![
            Statement::State(&[CtState::Invalid, CtState::Untracked]),
            Statement::Verdict(Verdict::Drop),
        ],
        vec![
            equal(Selector::Direction, Value::Bytes(vec![REPLY])),
            RETURN,
        ],
        vec![
            of_protocol(icmp),
            Statement::State(&[CtState::Related]),
            RETURN,
        ],
    ]);
    lines.extend(
        policy
            .denied()
            .map(|network| vec![sent_to(words, network), refuse()]),
    );
    if let Some(destinations) = policy.only_allowed() {
        lines.extend(destinations.map(|destination| allow(words, destination)));
        lines.push(vec![refuse()]);
    }
    let chain = chain_name(policy);
    lines
        .into_iter()
        .map(|statements| Rule {
            chain: chain.clone(),
            statements,
        })
        .collect()
}

/// `IP_CT_DIR_REPLY` of `linux/netfilter/nf_conntrack_tuple_common.h`.
const REPLY: u8 = 1;

/// Where the container sent it, before any translation.
fn sent_to(words: &Words, network: IpNet) -> Statement {
    Statement::InNetwork(
        words.original_destination,
        Operator::Equal,
        address_value(network.network()),
        network.prefix_len(),
    )
}

fn allow(words: &Words, destination: &Destination) -> Vec<Statement> {
    let Some(ports) = destination.ports else {
        return vec![sent_to(words, destination.network), RETURN];
    };
    let [first, last] = [ports.first, ports.last].map(|port| Value::Port(port.get()));
    let port = match first == last {
        true => Statement::Compare(Selector::OriginalDestinationPort, Operator::Equal, first),
        false => Statement::InRange(Selector::OriginalDestinationPort, first, last),
    };
    vec![
        of_protocol(ports.protocol.number()),
        sent_to(words, destination.network),
        port,
        RETURN,
    ]
}
