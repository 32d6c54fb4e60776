//! How the iptables driver renders policy: the chains, each network's block, and each endpoint's rules.
//!
//! Theory of operation, in the order a forwarded packet meets it
//!
//! 1. raw `MINIRUN`: packets for 127/8 that did not come from `lo`, and packets sent straight to a container's address
//!    from outside its bridge, are dropped before any translation.
//! 2. nat `MINIRUN`: a packet for a local address of the host on a published port is sent on to the container.
//! 3. filter `MINIRUN-USER`: the administrator's own rules; never written by us.
//! 4. filter `MINIRUN-FORWARD`: for each network first what goes *into* it: the rules of links and published ports
//!    (`MINIRUN`), the one ICC rule, replies, and a final drop; then, after those of all networks, what goes *out*.
//! 5. nat `MINIRUN-POSTROUTING`: masquerade what leaves, and what comes back to the bridge through the host.
//!
//! The ICC rule stands before the one for replies, so that a link that is taken away, or ICC that is switched off, ends
//! connections that are open; the replies of a link have their own rule, bound to connection tracking.

use super::rule::{Change, Rule, Table, Transaction};
use crate::network::{Icc, Masquerade, Network};
use crate::policy::{Contribution, Permit, Translation};

/// The chain that belongs to the administrator.
pub const USER_CHAIN: &str = "MINIRUN-USER";
/// The chain with each network's block.
pub const FORWARD_CHAIN: &str = "MINIRUN-FORWARD";
/// In filter: links and published ports. In nat: translations. In raw: what is dropped early.
pub const MAIN_CHAIN: &str = "MINIRUN";
/// Source address translation.
pub const POSTROUTING_CHAIN: &str = "MINIRUN-POSTROUTING";

/// The chains that are ours alone and may be emptied and filled again.
pub const OWN_CHAINS: [(Table, &str); 5] = [
    (Table::Raw, MAIN_CHAIN),
    (Table::Nat, MAIN_CHAIN),
    (Table::Nat, POSTROUTING_CHAIN),
    (Table::Filter, FORWARD_CHAIN),
    (Table::Filter, MAIN_CHAIN),
];

/// The rules in chains of others that lead into ours. The first in the list must come first in its chain.
pub fn jumps() -> Vec<Rule> {
    let jump = |table, chain, specification: &str| Rule::new(table, chain, specification.into());
    vec![
        jump(Table::Raw, "PREROUTING", "-j MINIRUN"),
        jump(
            Table::Nat,
            "PREROUTING",
            "-m addrtype --dst-type LOCAL -j MINIRUN",
        ),
        jump(
            Table::Nat,
            "OUTPUT",
            "-m addrtype --dst-type LOCAL -j MINIRUN",
        ),
        jump(Table::Nat, "POSTROUTING", "-j MINIRUN-POSTROUTING"),
        jump(Table::Filter, "FORWARD", "-j MINIRUN-USER"),
        jump(Table::Filter, "FORWARD", "-j MINIRUN-FORWARD"),
    ]
}

/// Makes the administrator's chain. It is never emptied, since its rules are theirs.
pub fn user_chain() -> Change {
    Change::Create(Table::Filter, USER_CHAIN)
}

/// What holds for the host whatever networks there are.
pub fn host_rules() -> Vec<Rule> {
    vec![Rule::new(
        Table::Raw,
        MAIN_CHAIN,
        "-d 127.0.0.0/8 ! -i lo -j DROP".into(),
    )]
}

/// The one rule that says whether endpoints of a network reach each other.
pub fn icc_rule(network: &Network, icc: Icc) -> Rule {
    let verdict = match icc {
        Icc::Enabled => "ACCEPT",
        Icc::Disabled => "DROP",
    };
    let bridge = &network.bridge;
    Rule::new(
        Table::Filter,
        FORWARD_CHAIN,
        format!("-i {bridge} -o {bridge} -j {verdict}"),
    )
}

/// What a network needs before its first endpoint, in the order of evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkRules {
    /// What is judged on its way into the network, and everything that is no judgement.
    pub into: Vec<Rule>,
    /// What is judged on its way out.
    pub out: Vec<Rule>,
}

/// The rules of a network.
pub fn network_rules(network: &Network) -> NetworkRules {
    let bridge = &network.bridge;
    let filter = |specification| Rule::new(Table::Filter, FORWARD_CHAIN, specification);
    let mut into = vec![
        filter(format!("-o {bridge} -j MINIRUN")),
        // A refusal that a linked service sends (port unreachable) must reach the client, or it would wait for nothing.
        filter(format!(
            "-i {bridge} -o {bridge} -p icmp -m conntrack --ctstate RELATED -j ACCEPT"
        )),
        icc_rule(network, network.icc),
        filter(format!(
            "-o {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
        )),
        filter(format!("-o {bridge} -j DROP")),
    ];
    into.extend(translation_helpers(network));
    NetworkRules {
        into,
        out: vec![filter(format!("-i {bridge} ! -o {bridge} -j ACCEPT"))],
    }
}

/// What makes translated connections work, and keeps untranslated ones from taking their place.
fn translation_helpers(network: &Network) -> Vec<Rule> {
    let bridge = &network.bridge;
    let subnet = network.subnet;
    let postrouting = |specification| Rule::new(Table::Nat, POSTROUTING_CHAIN, specification);
    let mut rules = vec![
        postrouting(format!("-s 127.0.0.0/8 -o {bridge} -j MASQUERADE")),
        postrouting(format!(
            "-s {subnet} -d {subnet} -o {bridge} -m conntrack --ctstate DNAT -j MASQUERADE"
        )),
    ];
    if network.masquerade == Masquerade::Enabled {
        rules.push(postrouting(format!(
            "-s {subnet} ! -o {bridge} -j MASQUERADE"
        )));
        rules.push(Rule::new(
            Table::Raw,
            MAIN_CHAIN,
            format!("-d {subnet} ! -i {bridge} -m addrtype ! --dst-type LOCAL -j DROP"),
        ));
    }
    rules
}

/// What an endpoint's contribution looks like as rules.
pub fn contribution_rules(network: &Network, contribution: &Contribution) -> Vec<Rule> {
    let permits = contribution
        .permits
        .iter()
        .flat_map(|permit| permit_rules(network, permit));
    let translations = contribution
        .translations
        .iter()
        .flat_map(|translation| translation_rules(network, translation));
    permits.chain(translations).collect()
}

/// A link's pair: the way there, and the replies.
fn permit_rules(network: &Network, permit: &Permit) -> [Rule; 2] {
    let bridge = &network.bridge;
    let Permit {
        source,
        target,
        port,
    } = permit;
    let (protocol, number) = (port.protocol, port.port);
    [
        Rule::new(
            Table::Filter,
            MAIN_CHAIN,
            format!(
                "-s {source}/32 -d {target}/32 -i {bridge} -o {bridge} -p {protocol} -m {protocol} --dport {number} -j ACCEPT"
            ),
        ),
        Rule::new(
            Table::Filter,
            MAIN_CHAIN,
            format!(
                "-s {target}/32 -d {source}/32 -i {bridge} -o {bridge} -p {protocol} -m {protocol} --sport {number} \
                 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
            ),
        ),
    ]
}

/// A published port's pair: the translation, and the way in from outside the bridge.
fn translation_rules(network: &Network, translation: &Translation) -> [Rule; 2] {
    let bridge = &network.bridge;
    let Translation {
        publication,
        target,
    } = translation;
    let protocol = publication.container.protocol;
    let destination = if publication.host_address.is_unspecified() {
        String::new()
    } else {
        format!("-d {}/32 ", publication.host_address)
    };
    [
        Rule::new(
            Table::Nat,
            MAIN_CHAIN,
            format!(
                "{destination}-p {protocol} -m {protocol} --dport {} -j DNAT --to-destination {target}:{}",
                publication.host_port, publication.container.port
            ),
        ),
        Rule::new(
            Table::Filter,
            MAIN_CHAIN,
            format!(
                "-d {target}/32 ! -i {bridge} -o {bridge} -p {protocol} -m {protocol} --dport {} -j ACCEPT",
                publication.container.port
            ),
        ),
    ]
}

/// Adds a contribution; fails as a whole when the chains or the network's block are not as they should be. With ICC off,
/// that is asked even when there is nothing to add: closed means closed.
pub fn add(network: &Network, contribution: &Contribution) -> Transaction {
    let rules = contribution_rules(network, contribution);
    if rules.is_empty() && network.icc == Icc::Enabled {
        return Transaction::default();
    }
    let mut changes: Vec<Change> = requirements(network).map(Change::Require).collect();
    changes.extend(rules.into_iter().map(Change::Append));
    Transaction { changes }
}

/// Removes a contribution; fails as a whole when a rule of it is not there.
pub fn remove(network: &Network, contribution: &Contribution) -> Transaction {
    Transaction {
        changes: contribution_rules(network, contribution)
            .into_iter()
            .map(Change::Delete)
            .collect(),
    }
}

/// What must be in place, so that our chains have an effect at all.
fn requirements(network: &Network) -> impl Iterator<Item = Rule> {
    let block = network_rules(network);
    jumps()
        .into_iter()
        .chain(host_rules())
        .chain(block.into)
        .chain(block.out)
}

/// Fills our chains afresh. `missing_jumps` are those of [`jumps`] that the host does not have now.
pub fn rebuild(state: &[(Network, Contribution)], missing_jumps: &[Rule]) -> Transaction {
    let mut changes: Vec<Change> = OWN_CHAINS
        .iter()
        .map(|(table, chain)| Change::Empty(*table, chain))
        .collect();
    changes.extend(host_rules().into_iter().map(Change::Append));
    let blocks: Vec<NetworkRules> = state
        .iter()
        .map(|(network, _)| network_rules(network))
        .collect();
    // What goes out is judged after what goes in, for all networks: otherwise one network's way out would be a way
    // into another.
    let into = blocks.iter().flat_map(|block| &block.into);
    let out = blocks.iter().flat_map(|block| &block.out);
    changes.extend(into.chain(out).cloned().map(Change::Append));
    for (network, contribution) in state {
        changes.extend(
            contribution_rules(network, contribution)
                .into_iter()
                .map(Change::Append),
        );
    }
    changes.extend(restore_jumps(missing_jumps));
    Transaction { changes }
}

/// Puts the missing jumps first in their chains. If one of several in a chain is missing, all of them are put there anew,
/// since their order matters.
fn restore_jumps(missing: &[Rule]) -> Vec<Change> {
    let shares_chain = |rule: &Rule| {
        missing
            .iter()
            .any(|other| (other.table, other.chain) == (rule.table, rule.chain))
    };
    let affected: Vec<Rule> = jumps().into_iter().filter(shares_chain).collect();
    let misplaced = affected
        .iter()
        .filter(|rule| !missing.contains(rule))
        .cloned()
        .map(Change::Delete);
    // Prepended in reverse, so that they end in the order of the list.
    let prepended = affected.iter().rev().cloned().map(Change::Prepend);
    misplaced.chain(prepended).collect()
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
