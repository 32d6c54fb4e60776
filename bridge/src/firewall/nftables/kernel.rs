//! The acting half of the nftables driver.

use super::super::FirewallError;
use super::super::connection::LazyRules;
use super::ruleset::TABLE;
use super::{egress_chains, rebuild};
use crate::network::Network;
use crate::policy::Contribution;
use minirun_netns::netfilter::nf_tables::{Change, CommitError, Expectation, Transaction};
use std::borrow::Cow;

/// How often all rules are made afresh while others change rules at the same time.
const TRIES: usize = 64;

/// Applies transactions, all together. Without changes it only sees whether the expectation is met.
pub(in super::super) fn commit(
    rules: &LazyRules,
    transactions: &[Transaction],
    expectation: Expectation,
) -> Result<Expectation, FirewallError> {
    if transactions.iter().all(|one| one.changes.is_empty()) {
        let generation = rules.generation()?;
        return match expectation {
            Expectation::Generation(expected) if expected != generation => {
                Err(FirewallError::Changed)
            }
            _ => Ok(Expectation::Generation(generation)),
        };
    }
    rules
        .commit(transactions, expectation)
        .map(Expectation::Generation)
}

/// Makes the table what the state says, whatever it holds and whether it is there.
pub(in super::super) fn make_afresh(
    rules: &LazyRules,
    state: &[(Network, Contribution)],
) -> Result<(Transaction, Expectation), FirewallError> {
    let mut tries = 0;
    loop {
        // Read first: whatever somebody changes after this makes the kernel refuse.
        let generation = rules.generation()?;
        let transaction = rebuild(state, container_chains(rules)?)?;
        match rules.commit(
            std::slice::from_ref(&transaction),
            Expectation::Generation(generation),
        ) {
            Err(FirewallError::Changed) if tries < TRIES => tries += 1,
            outcome => {
                return outcome.map(|after| (transaction, Expectation::Generation(after)));
            }
        }
    }
}

/// The chains of restricted containers that are there.
fn container_chains(rules: &LazyRules) -> Result<Vec<Cow<'static, str>>, FirewallError> {
    let chains = rules.chains(TABLE)?.into_iter();
    let of_containers = chains.filter(|name| egress_chains::is_container_chain(name));
    Ok(of_containers.map(Cow::Owned).collect())
}

/// Removes the table, with the administrator's chain, if it is there.
pub(in super::super) fn dismantle(rules: &LazyRules) -> Result<(), FirewallError> {
    let removal = Transaction {
        table: TABLE,
        changes: vec![Change::DeleteTable],
    };
    match rules.commit(&[removal], Expectation::Anything) {
        Err(FirewallError::Kernel(CommitError::Missing { .. })) => Ok(()),
        outcome => outcome.map(drop),
    }
}
