//! What iptables has made and cannot take away any more, because it is not installed now.
//!
//! The rules of the iptables that uses nf_tables are in tables like any other, so the kernel is told to delete what leads to
//! our chains, and the chains. Rules of the older iptables only that program can change; whether there may be some is asked only
//! where nf_tables had nothing of ours.

use super::FirewallError;
use super::connection::LazyRules;
use super::egress_rules::is_egress_chain;
use super::render::{OWN_CHAINS, USER_CHAIN};
use super::rule::{Table as IptablesTable, program};
use crate::network::Family;
use crate::small_file;
use minirun_netns::netfilter::nf_tables::{Change, Expectation, Table, TableFamily, Transaction};
use minirun_netns::netfilter::{
    Effect, FilterFamily, FilterRule, FilterTable, Scope, tables_called,
};
use std::borrow::Cow;
use std::path::Path;

/// How often it is tried while others change rules at the same time.
const TRIES: usize = 64;

/// Where the kernel lists the tables of the older iptables, of which ours may be in each.
const OLDER: [&str; 2] = ["/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"];

/// Takes everything of ours away; the administrator's chain stays, and nothing leads to it.
///
/// # Errors
/// [`FirewallError::ProgramMissing`] when nf_tables has nothing of ours, and it may be that the older iptables made the rules.
pub(super) fn take_away(rules: &LazyRules) -> Result<(), FirewallError> {
    let mut tries = 0;
    loop {
        // Read first: whatever somebody changes after this makes the kernel refuse.
        let generation = rules.generation()?;
        let removals = removals(&tables_called(
            &IptablesTable::ALL.map(IptablesTable::name),
        )?);
        let outcome = match removals.is_empty() {
            false => rules
                .commit(&removals, Expectation::Generation(generation))
                .map(drop),
            // Nothing is committed, so nobody but us compares.
            true if rules.generation()? != generation => Err(FirewallError::Changed),
            true => nothing_of_the_older(),
        };
        match outcome {
            Err(FirewallError::Changed) if tries < TRIES => tries += 1,
            outcome => return outcome,
        }
    }
}

fn nothing_of_the_older() -> Result<(), FirewallError> {
    match OLDER.iter().any(|list| names_a_table(list)) {
        true => Err(FirewallError::ProgramMissing {
            program: program(Family::Ipv4),
        }),
        false => Ok(()),
    }
}

fn names_a_table(list: &str) -> bool {
    small_file::read(Path::new(list)).is_ok_and(|names| !names.is_empty())
}

/// What takes our chains out of each table that has some.
fn removals(tables: &[FilterTable]) -> Vec<Transaction> {
    let removals = tables.iter().filter_map(removal);
    removals
        .filter(|removal| !removal.changes.is_empty())
        .collect()
}

fn removal(table: &FilterTable) -> Option<Transaction> {
    let family = match table.family {
        FilterFamily::Ipv4 => TableFamily::Ipv4,
        FilterFamily::Ipv6 => TableFamily::Ipv6,
        FilterFamily::Inet => return None,
    };
    let of = IptablesTable::ALL
        .into_iter()
        .find(|of| of.name() == table.name)?;
    let is_own = |chain: &str| {
        OWN_CHAINS.contains(&(of, chain)) || of == IptablesTable::Filter && is_egress_chain(chain)
    };
    let (own, others): (Vec<_>, Vec<_>) =
        table.chains.iter().partition(|chain| is_own(&chain.name));
    let leads_to_us = |chain: &str, rule: &FilterRule| match &rule.effect {
        Effect::Jump(target) | Effect::Goto(target) if is_own(target) => true,
        Effect::Jump(target) => {
            target == USER_CHAIN && chain == "FORWARD" && rule.scope == Scope::Every
        }
        _ => false,
    };
    let mut changes = Vec::new();
    for chain in others {
        let leading = chain
            .rules
            .iter()
            .filter(|rule| leads_to_us(&chain.name, rule));
        changes.extend(leading.map(|rule| Change::DeleteRule {
            chain: chain.name.clone().into(),
            handle: rule.handle,
        }));
    }
    let names = || own.iter().map(|chain| Cow::Owned(chain.name.clone()));
    // They lead to each other until all are empty.
    changes.extend(names().map(Change::FlushChain));
    changes.extend(names().map(Change::DeleteChain));
    let name = of.name();
    Some(Transaction {
        table: Table { family, name },
        changes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use minirun_netns::netfilter::FilterChain;

    fn table(name: &str, chains: &[(&str, &[&str])]) -> FilterTable {
        let mut handles = 1..;
        let mut jump = |target: &&str| FilterRule {
            handle: handles.next().unwrap(),
            scope: Scope::Some,
            effect: Effect::Jump((*target).into()),
            comment: None,
        };
        let mut chain = |(name, targets): &(&str, &[&str])| FilterChain {
            name: (*name).into(),
            forward_policy: None,
            rules: targets.iter().map(&mut jump).collect(),
        };
        FilterTable {
            family: FilterFamily::Ipv4,
            name: name.into(),
            chains: chains.iter().map(&mut chain).collect(),
        }
    }

    fn changes(table: FilterTable) -> Vec<Change> {
        let removals = removals(&[table]).into_iter();
        removals.flat_map(|removal| removal.changes).collect()
    }

    #[test]
    fn our_chains_go_with_what_leads_to_them() {
        let chains: [(&str, &[&str]); 3] = [
            ("INPUT", &["theirs", "MINIRUN-EGRESS"]),
            ("MINIRUN-EGRESS", &[]),
            ("theirs", &[]),
        ];
        assert_eq!(
            changes(table("filter", &chains)),
            [
                Change::DeleteRule {
                    chain: "INPUT".into(),
                    handle: 2
                },
                Change::FlushChain("MINIRUN-EGRESS".into()),
                Change::DeleteChain("MINIRUN-EGRESS".into()),
            ]
        );
    }

    #[test]
    fn a_chain_that_is_ours_in_another_table_only_stays() {
        let chains: [(&str, &[&str]); 3] = [
            ("PREROUTING", &["MINIRUN-EGRESS-theirs", "MINIRUN-REFUSE"]),
            ("MINIRUN-EGRESS-theirs", &[]),
            ("MINIRUN-REFUSE", &[]),
        ];
        assert_eq!(changes(table("nat", &chains)), []);
    }
}
