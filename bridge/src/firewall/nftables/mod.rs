//! How the nftables driver renders policy: one table of rules that are the same on every host, and elements of its sets.
//!
//! Theory of operation, in the order a forwarded packet meets it
//!
//! 1. `raw`: packets for 127/8 that did not come from `lo`, and packets sent straight to a container's address from outside its
//!    bridge (`sealed`, `homes`), are dropped before any translation. Frames that cross a further bridge of a network
//!    (`segments`) are not tracked there.
//! 2. `translate`, from `prerouting` and `output`: a packet for a local address of the host on a published port is sent on to
//!    the container (`bound`, `any`, and the same for rows of ports).
//! 3. `user`: the administrator's own rules; never written by us.
//! 4. `forward`: where its sender is restricted (`restricted`), the chain of that container; then what stays behind one bridge
//!    (`within`), which is accepted or goes to `icc_off`, where links are looked up; what else comes from a segment is dropped;
//!    then the fences of internal networks (`internal`); then what goes into a network (`into`), which ends in `into_nat` or `into_routed`; last what goes out
//!    (`out`).
//! 5. `postrouting`: masquerade what leaves (`hidden`), and what comes back to the bridge through the host (`translating`).
//!
//! A network and an endpoint add elements and no rule, so a packet meets the same few rules however many there are. What is
//! judged in which order is that of the iptables driver ([`super::render`]), and so is what it means. The only chains that come
//! and go are those of restricted containers, in which order matters; a map leads to them.
//!
//! Sets that are about interfaces have the family of the packet in their keys: a bridge without IPv6 addresses of ours is no
//! business of ours for IPv6. A key that is taken cannot be taken again, so a stale entry never shadows a live one.
//!
//! The table of a host is made, and made afresh, in one transaction, which empties and fills everything except `user`. Chains of
//! other tables judge a packet as well: accepting it here does not save it from being dropped there.

mod egress_chains;
mod endpoint_elements;
mod kernel;
mod network_elements;
mod ruleset;
mod words;

use super::FirewallError;
use crate::network::Network;
use crate::policy::Contribution;
use crate::publication::Publication;
use endpoint_elements::endpoint_elements;
use minirun_netns::netfilter::nf_tables::{Change, Element, Transaction};
use network_elements::network_elements;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

pub(super) use kernel::{commit, dismantle, make_afresh};
pub use ruleset::{TABLE, USER_CHAIN};

fn transaction(changes: Vec<Change>) -> Transaction {
    Transaction {
        table: TABLE,
        changes,
    }
}

/// Transactions as commands.
pub(super) fn commands(transactions: &[Transaction]) -> String {
    let commands = transactions.iter().flat_map(Transaction::commands);
    commands.collect::<Vec<_>>().join("\n")
}

/// Adds a contribution. The network's own elements are there since the network is.
pub(super) fn add(network: &Network, contribution: &Contribution) -> Transaction {
    let elements = endpoint_elements(contribution).into_iter();
    let mut changes: Vec<Change> = elements.map(Change::AddElement).collect();
    let policies = contribution.egress.iter();
    changes.extend(policies.flat_map(|policy| egress_chains::add(network, policy)));
    transaction(changes)
}

/// Removes a contribution.
pub(super) fn remove(network: &Network, contribution: &Contribution) -> Transaction {
    let elements = endpoint_elements(contribution).into_iter();
    let mut changes: Vec<Change> = elements.map(Change::DeleteElement).collect();
    let policies = contribution.egress.iter();
    changes.extend(policies.flat_map(|policy| egress_chains::remove(network, policy)));
    transaction(changes)
}

/// Turns one contribution into another; what both have is not touched.
pub(super) fn change(network: &Network, (from, to): (&Contribution, &Contribution)) -> Transaction {
    let (before, after) = (endpoint_elements(from), endpoint_elements(to));
    let missing = |these: &[Element], those: &[Element]| {
        let mut missing = these.to_vec();
        missing.retain(|element| !those.contains(element));
        missing
    };
    let gone = missing(&before, &after).into_iter();
    let new = missing(&after, &before).into_iter();
    let mut changes: Vec<Change> = gone.map(Change::DeleteElement).collect();
    changes.extend(new.map(Change::AddElement));
    changes.extend(egress_chains::change(network, (from, to)));
    transaction(changes)
}

/// Makes the table, or makes it what the state says, whatever it holds. `present` are the chains of containers that it has.
///
/// # Errors
/// [`FirewallError::ClaimedTwice`] when the state says that one port of the host leads to two places.
pub(super) fn rebuild(
    state: &[(Network, Contribution)],
    present: Vec<Cow<'static, str>>,
) -> Result<Transaction, FirewallError> {
    check_claims(state)?;
    let mut changes = vec![Change::AddTable, Change::AddChain(ruleset::user_chain())];
    let chains = ruleset::own_chains();
    changes.extend(chains.iter().cloned().map(Change::AddChain));
    let names = chains.into_iter().map(|chain| chain.name);
    changes.extend(names.map(Change::FlushChain));
    for set in ruleset::sets() {
        changes.push(Change::AddSet(set.clone()));
        changes.push(Change::FlushSet(set.name));
    }
    changes.extend(ruleset::rules().into_iter().map(Change::AddRule));
    // Nothing leads to them any more.
    changes.extend(present.into_iter().flat_map(egress_chains::remove_chain));
    let mut elements: Vec<Element> = Vec::new();
    for (network, contribution) in state {
        elements.extend(network_elements(network));
        elements.extend(endpoint_elements(contribution));
    }
    endpoint_elements::sort(&mut elements);
    changes.extend(elements.into_iter().map(Change::AddElement));
    for (network, contribution) in state {
        let policies = contribution.egress.iter();
        changes.extend(policies.flat_map(|policy| egress_chains::add(network, policy)));
    }
    Ok(transaction(changes))
}

/// Whether every port of the host leads to one place only.
fn check_claims(state: &[(Network, Contribution)]) -> Result<(), FirewallError> {
    let mut claims: BTreeMap<_, (Publication, IpAddr)> = BTreeMap::new();
    let translations = state.iter().flat_map(|(_, whole)| &whole.translations);
    for translation in translations {
        let publication = translation.publication;
        let place = (
            publication.host_address,
            publication.host_port,
            publication.container.protocol,
        );
        let claim = (publication, translation.target);
        if let Some((_, first)) = claims.insert(place, claim).filter(|other| *other != claim) {
            return Err(FirewallError::ClaimedTwice {
                publication,
                first,
                second: translation.target,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
