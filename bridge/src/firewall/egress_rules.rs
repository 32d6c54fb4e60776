//! The rules of what a container may open connections to beyond its networks.
//!
//! Theory of operation
//!
//! 1. Everything a container sends beyond its network comes by the host's `INPUT` or `FORWARD`. Both lead to `MINIRUN-EGRESS`
//!    first, which leads the packets of each address that is restricted to a chain of its own.
//! 2. There, what goes to peers is left to ICC and links, and replies pass. Everything else is judged, packet by packet, by
//!    where the container sent it: connection tracking knows the address before any translation. So what a host port leads to
//!    is judged as the host port, and an open connection ends when it is not allowed any more.
//! 3. What is denied stands before what is allowed. What may pass only returns to the chains that would judge it anyway.
//! 4. What may not pass is refused at once rather than dropped, so that nobody waits for nothing.
//!
//! That an address is the container's is seen to by [`minirun_netns::netfilter::SourceCheck`], and [`crate::source_check`] has it
//! speak from the addresses of a network on that network alone.

use super::endpoint_rules::host;
use super::network_rules::icmp;
use super::render::{FORWARD_CHAIN, Present};
use super::rule::{Chain, Change, Rule, Table};
use crate::egress::Destination;
use crate::network::{Family, Network};
use crate::policy::{Contribution, EgressPolicy};
use crate::segment::SegmentDevices;
use std::net::IpAddr;

/// The chain that leads to those of single containers.
pub const EGRESS_CHAIN: &str = "MINIRUN-EGRESS";
/// The chain that refuses.
pub const REFUSE_CHAIN: &str = "MINIRUN-REFUSE";

/// What stands before the name of the interface in the name of a container's chain.
const CHAIN_PREFIX: &str = "MINIRUN-EGRESS-";

/// Whether a chain of the table filter is made for egress.
pub fn is_egress_chain(name: &str) -> bool {
    name == EGRESS_CHAIN || name == REFUSE_CHAIN || is_container_chain(name)
}

/// Whether it belongs to one container.
pub fn is_container_chain(name: &str) -> bool {
    name.starts_with(CHAIN_PREFIX)
}

/// The rule in a chain of others that leads here.
pub fn input_jump(family: Family) -> Rule {
    filter(family, "INPUT", format!("-j {EGRESS_CHAIN}"))
}

/// What all restricted containers need.
pub fn foundation(family: Family) -> Vec<Rule> {
    let refuse = match family {
        Family::Ipv4 => "icmp-admin-prohibited",
        Family::Ipv6 => "icmp6-adm-prohibited",
    };
    vec![
        filter(family, FORWARD_CHAIN, format!("-j {EGRESS_CHAIN}")),
        filter(
            family,
            REFUSE_CHAIN,
            "-p tcp -j REJECT --reject-with tcp-reset".into(),
        ),
        filter(
            family,
            REFUSE_CHAIN,
            format!("-j REJECT --reject-with {refuse}"),
        ),
    ]
}

/// Asks for everything that must be in place before a contribution's own rules have an effect.
pub fn require_foundation(contribution: &Contribution) -> Vec<Change> {
    let families = Family::BOTH.into_iter().filter(|family| {
        let mut policies = contribution.egress.iter();
        policies.any(|policy| policy.family() == *family)
    });
    families
        .flat_map(|family| [vec![input_jump(family)], foundation(family)].concat())
        .map(Change::Require)
        .collect()
}

/// Asks for the rules of a contribution.
pub fn require_policies(network: &Network, contribution: &Contribution) -> Vec<Change> {
    let policies = contribution.egress.iter();
    policies
        .flat_map(|policy| [policy_rules(network, policy), jumps(network, policy)].concat())
        .map(Change::Require)
        .collect()
}

/// Adds the rules of a contribution.
pub fn add_policies(network: &Network, contribution: &Contribution) -> Vec<Change> {
    let policies = contribution.egress.iter();
    policies
        .flat_map(|policy| add_policy(network, policy))
        .collect()
}

/// Takes them away.
pub fn remove_policies(network: &Network, contribution: &Contribution) -> Vec<Change> {
    let policies = contribution.egress.iter();
    policies
        .flat_map(|policy| remove_policy(network, policy))
        .collect()
}

/// Turns the rules of one contribution into those of another. A chain that stays is filled afresh, since order matters in it;
/// as all of it is one transaction, it is never seen empty.
pub fn change_policies(
    network: &Network,
    (from, to): (&Contribution, &Contribution),
) -> Vec<Change> {
    let stays = |policy: &EgressPolicy, there: &Contribution| {
        let mut others = there.egress.iter();
        others.any(|other| (&other.interface, other.source) == (&policy.interface, policy.source))
    };
    let gone = from.egress.iter().filter(|policy| !stays(policy, to));
    let mut changes: Vec<Change> = gone
        .flat_map(|policy| remove_policy(network, policy))
        .collect();
    for policy in to.egress.difference(&from.egress) {
        changes.extend(match stays(policy, from) {
            true => fill(network, policy),
            false => add_policy(network, policy),
        });
    }
    changes
}

fn add_policy(network: &Network, policy: &EgressPolicy) -> Vec<Change> {
    let mut changes = fill(network, policy);
    changes.extend(jumps(network, policy).into_iter().map(Change::Append));
    changes
}

fn fill(network: &Network, policy: &EgressPolicy) -> Vec<Change> {
    let rules = policy_rules(network, policy).into_iter();
    [Change::Empty(chain(policy))]
        .into_iter()
        .chain(rules.map(Change::Append))
        .collect()
}

fn remove_policy(network: &Network, policy: &EgressPolicy) -> Vec<Change> {
    let mut changes: Vec<Change> = jumps(network, policy)
        .into_iter()
        .map(Change::Delete)
        .collect();
    changes.extend([Change::Empty(chain(policy)), Change::Remove(chain(policy))]);
    changes
}

fn chain_name(policy: &EgressPolicy) -> String {
    format!("{CHAIN_PREFIX}{}", policy.interface)
}

fn chain(policy: &EgressPolicy) -> Chain {
    Chain {
        family: policy.family(),
        table: Table::Filter,
        name: chain_name(policy).into(),
    }
}

fn filter(family: Family, chain: &'static str, specification: String) -> Rule {
    Rule::new(family, (Table::Filter, chain), specification)
}

/// Leads the packets of a container's address to its chain. What it sends to the Ethernet address of a segment's bridge comes
/// from there; what only crosses that bridge is judged when it comes from the main one.
fn jumps(network: &Network, policy: &EgressPolicy) -> Vec<Rule> {
    let mut conditions = vec![format!("-i {}", network.bridge)];
    let segments = network.segments();
    conditions.extend(
        segments.map(|(_, SegmentDevices { bridge, .. })| format!("-i {bridge} ! -o {bridge}")),
    );
    let chain = chain_name(policy);
    let lead = |source: IpAddr, condition: &String| {
        let specification = format!("-s {} {condition} -j {chain}", host(source));
        filter(policy.family(), EGRESS_CHAIN, specification)
    };
    let (conditions, lead) = (&conditions, &lead);
    policy
        .sources()
        .flat_map(|source| {
            conditions
                .iter()
                .map(move |condition| lead(source, condition))
        })
        .collect()
}

/// The rules of a container's chain, in the order of evaluation.
fn policy_rules(network: &Network, policy: &EgressPolicy) -> Vec<Rule> {
    let family = policy.family();
    let icmp = icmp(family);
    let mut lines = vec![format!("-o {} -j RETURN", network.bridge)];
    if family == Family::Ipv6 {
        // Without these, container and host do not find each other; real ones come with the hop limit 255 (RFC 4861).
        lines.extend([135, 136].map(|kind| {
            format!("-p {icmp} -m hl --hl-eq 255 -m icmp6 --icmpv6-type {kind} -j RETURN")
        }));
    }
    lines.extend([
        // What is not tracked could be compared with nothing below.
        "-m conntrack --ctstate INVALID,UNTRACKED -j DROP".to_string(),
        "-m conntrack --ctdir REPLY -j RETURN".to_string(),
        format!("-p {icmp} -m conntrack --ctstate RELATED -j RETURN"),
    ]);
    lines.extend(
        policy
            .denied()
            .map(|network| format!("-m conntrack --ctorigdst {network} -j {REFUSE_CHAIN}")),
    );
    if let Some(destinations) = policy.only_allowed() {
        lines.extend(destinations.map(allow));
        lines.push(format!("-j {REFUSE_CHAIN}"));
    }
    let place = |line| {
        let name = chain_name(policy);
        Rule::new(family, (Table::Filter, name), line)
    };
    lines.into_iter().map(place).collect()
}

fn allow(destination: &Destination) -> String {
    let network = destination.network;
    match destination.ports {
        None => format!("-m conntrack --ctorigdst {network} -j RETURN"),
        Some(ports) => {
            let range = match ports.first == ports.last {
                true => ports.first.to_string(),
                false => format!("{}:{}", ports.first, ports.last),
            };
            format!(
                "-p {} -m conntrack --ctorigdst {network} --ctorigdstport {range} -j RETURN",
                ports.protocol
            )
        }
    }
}

/// Fills the chains of all restricted containers afresh, and removes those of others. Where nobody is restricted and never
/// was, there is nothing to do.
pub fn rebuild_egress(
    state: &[(Network, Contribution)],
    families: &[Family],
    present: &Present,
) -> Vec<Change> {
    families
        .iter()
        .flat_map(|family| rebuild_family(state, *family, present))
        .collect()
}

fn rebuild_family(
    state: &[(Network, Contribution)],
    family: Family,
    present: &Present,
) -> Vec<Change> {
    let policies: Vec<(&Network, &EgressPolicy)> = state
        .iter()
        .flat_map(|(network, whole)| whole.egress.iter().map(move |policy| (network, policy)))
        .filter(|(_, policy)| policy.family() == family)
        .collect();
    let chains = present.egress_chains.iter();
    let chains: Vec<&Chain> = chains.filter(|chain| chain.family == family).collect();
    if policies.is_empty() && chains.is_empty() {
        return Vec::new();
    }
    let fixed = [EGRESS_CHAIN, REFUSE_CHAIN].map(|name| Chain {
        family,
        table: Table::Filter,
        name: name.into(),
    });
    // The chains of containers are removed when nothing leads to them any more.
    let stale: Vec<Chain> = chains
        .into_iter()
        .filter(|chain| is_container_chain(&chain.name))
        .filter(|chain| {
            !policies
                .iter()
                .any(|(_, policy)| chain_name(policy) == chain.name)
        })
        .cloned()
        .collect();
    let mut changes: Vec<Change> = fixed.into_iter().map(Change::Empty).collect();
    changes.extend(stale.iter().cloned().map(Change::Empty));
    changes.extend(stale.into_iter().map(Change::Remove));
    changes.extend(foundation(family).into_iter().map(Change::Append));
    for (network, policy) in policies {
        changes.extend(add_policy(network, policy));
    }
    if !present.input_jumps.contains(&family) {
        changes.push(Change::Prepend(input_jump(family)));
    }
    changes
}

#[cfg(test)]
#[path = "egress_rules_tests.rs"]
mod tests;
