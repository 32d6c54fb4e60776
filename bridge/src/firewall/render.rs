//! How the iptables driver renders policy: the chains, each network's block, and each endpoint's rules.
//!
//! Theory of operation, in the order a forwarded packet meets it
//!
//! 1. raw `MINIRUN`: packets for 127/8 that did not come from `lo`, and packets sent straight to a container's address
//!    from outside its bridge, are dropped before any translation.
//! 2. nat `MINIRUN`: a packet for a local address of the host on a published port is sent on to the container.
//! 3. filter `MINIRUN-USER`: the administrator's own rules; never written by us.
//! 4. filter `MINIRUN-FORWARD`: where a container is restricted, `MINIRUN-EGRESS` (see there); then the *fences* of internal networks, which nothing passes; then for each network what
//!    goes *into* it: the rules of links and published ports (`MINIRUN`), the one ICC rule, replies, and a final drop; then,
//!    after those of all networks, what goes *out*.
//! 5. nat `MINIRUN-POSTROUTING`: masquerade what leaves, and what comes back to the bridge through the host.
//!
//! The ICC rule stands before the one for replies, so that a link that is taken away, or ICC that is switched off, ends
//! connections that are open; the replies of a link have their own rule, bound to connection tracking.
//!
//! Every rule is made by one function for both families; what differs is the length of a host's prefix, the name of ICMP,
//! and that IPv6 has no way to send packets for the loopback address anywhere else (there is no `route_localnet`).

use super::rule::{Chain, Change, Rule, Table, Transaction};
use crate::network::{Family, Icc, Network, Reach};
use crate::policy::Contribution;

use super::egress_rules::{
    add_policies, change_policies, input_jump, rebuild_egress, remove_policies, require_foundation,
    require_policies,
};

pub use super::endpoint_rules::contribution_rules;
pub use super::network_rules::{NetworkRules, network_rules};

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
pub fn jumps(family: Family) -> Vec<Rule> {
    let jump =
        |table, chain, specification: &str| Rule::new(family, (table, chain), specification.into());
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
pub fn user_chain(family: Family) -> Change {
    Change::Create(Chain {
        family,
        table: Table::Filter,
        name: USER_CHAIN.into(),
    })
}

/// What holds for the host whatever networks there are. The kernel drops packets for `::1` that did not come from `lo` by
/// itself (`ip6_rcv_core`).
pub fn host_rules(family: Family) -> Vec<Rule> {
    match family {
        Family::Ipv4 => vec![Rule::ipv4(
            Table::Raw,
            MAIN_CHAIN,
            "-d 127.0.0.0/8 ! -i lo -j DROP".into(),
        )],
        Family::Ipv6 => Vec::new(),
    }
}

/// Adds a contribution; fails as a whole when the chains or the network's block are not as they should be. With ICC off,
/// that is asked even when there is nothing to add: closed means closed.
pub fn add(network: &Network, contribution: &Contribution) -> Transaction {
    let rules = contribution_rules(network, contribution);
    let nothing = rules.is_empty() && contribution.egress.is_empty();
    if nothing && network.icc == Icc::Enabled && network.reach == Reach::External {
        return Transaction::default();
    }
    let mut changes = require(network).changes;
    changes.extend(require_foundation(contribution));
    changes.extend(rules.into_iter().map(Change::Append));
    changes.extend(add_policies(network, contribution));
    Transaction { changes }
}

/// Removes a contribution; fails as a whole when a rule of it is not there.
pub fn remove(network: &Network, contribution: &Contribution) -> Transaction {
    let rules = contribution_rules(network, contribution).into_iter();
    let mut changes: Vec<Change> = rules.map(Change::Delete).collect();
    changes.extend(remove_policies(network, contribution));
    Transaction { changes }
}

/// Turns the rules of one contribution into those of another; what both have is not touched.
pub fn change(network: &Network, (from, to): (&Contribution, &Contribution)) -> Transaction {
    let before = contribution_rules(network, from);
    let after = contribution_rules(network, to);
    let gone = before.iter().filter(|rule| !after.contains(rule));
    let new = after.iter().filter(|rule| !before.contains(rule));
    let mut changes: Vec<Change> = gone.cloned().map(Change::Delete).collect();
    changes.extend(new.cloned().map(Change::Append));
    changes.extend(change_policies(network, (from, to)));
    if !changes.is_empty() {
        changes.splice(0..0, require_foundation(to));
        changes.splice(0..0, require(network).changes);
    }
    Transaction { changes }
}

/// Asks for everything that must be in place, so that our chains have an effect at all.
pub fn require(network: &Network) -> Transaction {
    let block = network_rules(network);
    let jumps = network
        .families()
        .flat_map(|(family, _)| jumps(family).into_iter().chain(host_rules(family)));
    Transaction {
        changes: jumps
            .chain(block.segments)
            .chain(block.fences)
            .chain(block.into)
            .chain(block.out)
            .map(Change::Require)
            .collect(),
    }
}

/// Asks for everything that must be in place, the rules of endpoints included.
pub fn require_all(network: &Network, contribution: &Contribution) -> Transaction {
    let mut transaction = require(network);
    let rules = contribution_rules(network, contribution);
    transaction
        .changes
        .extend(rules.into_iter().map(Change::Require));
    transaction.changes.extend(require_foundation(contribution));
    let policies = require_policies(network, contribution);
    transaction.changes.extend(policies);
    transaction
}

/// What a host has of ours, whatever it should have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Present {
    /// Those of [`jumps`] that it does not have now.
    pub missing_jumps: Vec<Rule>,
    /// The chains that were made for egress.
    pub egress_chains: Vec<Chain>,
    /// Whether `INPUT` leads to them.
    pub input_jumps: Vec<Family>,
}

impl Present {
    /// Adds what another family has.
    pub fn extend(&mut self, other: Present) {
        self.missing_jumps.extend(other.missing_jumps);
        self.egress_chains.extend(other.egress_chains);
        self.input_jumps.extend(other.input_jumps);
    }
}

/// Takes away what leads to our chains of a family, and the chains; that of the administrator stays.
pub fn dismantle(family: Family, present: &Present) -> Vec<Change> {
    let mut leading = jumps(family);
    leading.retain(|jump| !present.missing_jumps.contains(jump));
    if present.input_jumps.contains(&family) {
        leading.push(input_jump(family));
    }
    let own = OWN_CHAINS.iter().map(|(table, name)| Chain {
        family,
        table: *table,
        name: (*name).into(),
    });
    let chains: Vec<Chain> = own.chain(present.egress_chains.iter().cloned()).collect();
    let empty = chains.iter().cloned().map(Change::Empty);
    // They lead to each other until all are empty.
    let leading = leading.into_iter().map(Change::Delete);
    let mut changes: Vec<Change> = leading.chain(empty).collect();
    changes.extend(chains.into_iter().map(Change::Remove));
    changes
}

/// Fills our chains of `families` afresh.
pub fn rebuild(
    state: &[(Network, Contribution)],
    families: &[Family],
    present: &Present,
) -> Transaction {
    let mut changes = Vec::new();
    for family in families {
        changes.extend(OWN_CHAINS.iter().map(|(table, name)| {
            Change::Empty(Chain {
                family: *family,
                table: *table,
                name: (*name).into(),
            })
        }));
        changes.extend(host_rules(*family).into_iter().map(Change::Append));
    }
    changes.extend(rebuild_egress(state, families, present));
    let blocks: Vec<NetworkRules> = state
        .iter()
        .map(|(network, _)| network_rules(network))
        .collect();
    // What goes out is judged after what goes in, for all networks: otherwise one network's way out would be a way
    // into another.
    let segments = blocks.iter().flat_map(|block| &block.segments);
    let fences = blocks.iter().flat_map(|block| &block.fences);
    let into = blocks.iter().flat_map(|block| &block.into);
    let out = blocks.iter().flat_map(|block| &block.out);
    let blocks = segments.chain(fences).chain(into).chain(out);
    changes.extend(blocks.cloned().map(Change::Append));
    for (network, contribution) in state {
        changes.extend(
            contribution_rules(network, contribution)
                .into_iter()
                .map(Change::Append),
        );
    }
    for family in families {
        changes.extend(restore_jumps(*family, &present.missing_jumps));
    }
    Transaction { changes }
}

/// Puts the missing jumps first in their chains. If one of several in a chain is missing, all of them are put there anew,
/// since their order matters.
fn restore_jumps(family: Family, missing: &[Rule]) -> Vec<Change> {
    let shares_chain = |rule: &Rule| {
        missing.iter().any(|other| {
            (other.family, other.table, &other.chain) == (rule.family, rule.table, &rule.chain)
        })
    };
    let affected: Vec<Rule> = jumps(family).into_iter().filter(shares_chain).collect();
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
