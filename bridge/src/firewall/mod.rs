//! Firewall drivers: they turn policy into rules and take it back, one transaction for each change.
//!
//! Policy is what [`crate::policy`] says it is; a driver adds nothing and leaves nothing out. Both are tested with the same tests.

mod abandoned_iptables;
mod connection;
mod egress_rules;
mod endpoint_rules;
mod error;
pub mod foreign;
mod iptables;
mod network_rules;
pub mod nftables;
pub mod render;
pub mod rule;
mod transaction;

pub use connection::LazyRules;
pub use error::FirewallError;
pub use transaction::Transaction;

use crate::network::{Family, Icc, Network, Reach};
use crate::policy::Contribution;
use crate::settings::FirewallChoice;
use crate::state::NetworkHost;
use minirun_netns::netfilter::nf_tables::{self, Expectation};
use minirun_netns::netfilter::ruleset_generation;
use render::Present;
use std::fmt;

/// The driver in use on this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Firewall {
    /// Rules through `iptables-restore`.
    Iptables,
    /// Rules of nf_tables, told to the kernel directly.
    Nftables,
    /// No rule is ever read or written.
    None,
}

impl fmt::Display for Firewall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Firewall::Iptables => "iptables",
            Firewall::Nftables => "nftables",
            Firewall::None => "none",
        })
    }
}

impl Firewall {
    /// The driver that the configuration asks for. `recorded` is the one that has made rules since the boot: where the choice is
    /// left to us it is kept, whatever is installed meanwhile.
    ///
    /// Whether the host has what the driver needs shows at first use, so that a container without a network needs neither.
    pub fn select(choice: FirewallChoice, recorded: impl FnOnce() -> Option<Firewall>) -> Firewall {
        match choice {
            FirewallChoice::Auto => recorded().unwrap_or_else(Firewall::of_host),
            FirewallChoice::Iptables => Firewall::Iptables,
            FirewallChoice::Nftables => Firewall::Nftables,
            FirewallChoice::None => Firewall::None,
        }
    }

    /// iptables where it is installed, else nftables where the kernel has it.
    fn of_host() -> Firewall {
        match iptables::is_installed() {
            false if matches!(ruleset_generation(), Ok(Some(_))) => Firewall::Nftables,
            _ => Firewall::Iptables,
        }
    }

    /// The transaction that adds a contribution; empty when there is nothing to render.
    pub fn addition(self, network: &Network, contribution: &Contribution) -> Transaction {
        match self {
            Firewall::Iptables => render::add(network, contribution).into(),
            Firewall::Nftables => nftables::add(network, contribution).into(),
            Firewall::None => Transaction::default(),
        }
    }

    /// The transaction that takes a contribution away.
    pub fn removal(self, network: &Network, contribution: &Contribution) -> Transaction {
        match self {
            Firewall::Iptables => render::remove(network, contribution).into(),
            Firewall::Nftables => nftables::remove(network, contribution).into(),
            Firewall::None => Transaction::default(),
        }
    }

    /// The transaction that turns one contribution into another; empty when their rules are the same.
    pub fn change(self, network: &Network, ends: (&Contribution, &Contribution)) -> Transaction {
        match self {
            Firewall::Iptables => render::change(network, ends).into(),
            Firewall::Nftables => nftables::change(network, ends).into(),
            Firewall::None => Transaction::default(),
        }
    }

    /// A change of rules together with one of what keeps containers to their addresses; none if the driver cannot make both at
    /// once.
    pub(crate) fn together(
        self,
        rules: &Transaction,
        checks: nf_tables::Transaction,
    ) -> Option<Transaction> {
        match (self, rules) {
            (Firewall::Nftables, Transaction::Nftables(tables)) => {
                let mut tables = tables.clone();
                tables.push(checks);
                Some(Transaction::Nftables(tables))
            }
            (Firewall::Nftables, Transaction::Nothing) => Some(checks.into()),
            _ => None,
        }
    }

    /// The transaction that changes nothing, and fails unless everything of the networks and their endpoints is in place. With
    /// nftables the generation says that nobody has changed anything, or all is made afresh, which costs no more than to ask.
    pub fn requirement(self, state: &[(Network, Contribution)]) -> Transaction {
        match self {
            Firewall::Iptables => {
                let of_networks = state
                    .iter()
                    .flat_map(|(network, whole)| render::require_all(network, whole).changes);
                Transaction::Iptables(rule::Transaction {
                    changes: of_networks.collect(),
                })
            }
            Firewall::Nftables | Firewall::None => Transaction::default(),
        }
    }

    /// Makes our chains of `families` what `state` says, whatever they hold now. Gives what was done, and what
    /// the next change may rely on.
    ///
    /// # Errors
    /// [`FirewallError`] when the host's rules cannot be read or changed.
    pub(crate) fn make_afresh(
        self,
        host: &NetworkHost,
        state: &[(Network, Contribution)],
        families: &[Family],
    ) -> Result<(Transaction, Expectation), FirewallError> {
        match self {
            Firewall::Iptables => {
                let transaction = iptables_reconstruction(state, families)?;
                iptables::restore(&transaction)?;
                Ok((transaction.into(), Expectation::Anything))
            }
            Firewall::Nftables => {
                let (transaction, after) = nftables::make_afresh(&host.rules, state)?;
                Ok((transaction.into(), after))
            }
            Firewall::None => Ok((Transaction::default(), Expectation::Anything)),
        }
    }

    /// Takes everything of the driver away, for another driver that has made its rules already. What belongs to the
    /// administrator goes with the table of nftables; iptables leaves its chain.
    ///
    /// # Errors
    /// [`FirewallError`] when the host's rules cannot be read or changed.
    pub(crate) fn dismantle(
        self,
        host: &NetworkHost,
        families: &[Family],
    ) -> Result<(), FirewallError> {
        match self {
            Firewall::Iptables if !iptables::is_installed() => {
                abandoned_iptables::take_away(&host.rules)
            }
            Firewall::Iptables => {
                let mut changes = Vec::new();
                for family in families {
                    let found = iptables::look(*family)?;
                    changes.extend(render::dismantle(*family, &found.present(*family)));
                }
                iptables::restore(&rule::Transaction { changes })
            }
            Firewall::Nftables => nftables::dismantle(&host.rules),
            Firewall::None => Ok(()),
        }
    }

    /// Applies a transaction that was made on rules of a known generation, or of any. Gives what the next one may rely on.
    ///
    /// # Errors
    /// [`FirewallError::Changed`] when somebody has changed rules since; [`FirewallError::Refused`] and
    /// [`FirewallError::Kernel`] when something that must be there is not, or must not be there is, or is not understood.
    pub(crate) fn commit(
        self,
        host: &NetworkHost,
        transaction: &Transaction,
        expectation: Expectation,
    ) -> Result<Expectation, FirewallError> {
        match (self, transaction) {
            (Firewall::Nftables, Transaction::Nftables(tables)) => {
                nftables::commit(&host.rules, tables, expectation)
            }
            (Firewall::Nftables, _) => nftables::commit(&host.rules, &[], expectation),
            (Firewall::Iptables, Transaction::Iptables(transaction)) if !transaction.is_empty() => {
                iptables::restore(transaction)?;
                Ok(transaction::after(expectation, transaction.generations()))
            }
            (Firewall::Iptables, _) => Ok(transaction::after(expectation, 0)),
            (Firewall::None, _) => Ok(Expectation::Anything),
        }
    }

    /// Whether the kernel counts the changes of the driver's rules: it does so for nf_tables alone.
    pub fn counts_generations(self) -> bool {
        match self {
            Firewall::Iptables => iptables::uses_nf_tables(),
            Firewall::Nftables => true,
            Firewall::None => false,
        }
    }

    /// Whether the driver can keep a network without a way out.
    pub fn encloses(self, reach: Reach) -> bool {
        self != Firewall::None || reach == Reach::External
    }

    /// Whether the driver can keep endpoints of one network apart.
    pub fn enforces(self, icc: Icc) -> bool {
        self != Firewall::None || icc == Icc::Enabled
    }
}

/// The transaction that makes the chains of iptables what the state says.
fn iptables_reconstruction(
    state: &[(Network, Contribution)],
    families: &[Family],
) -> Result<rule::Transaction, FirewallError> {
    let mut present = Present::default();
    let mut user_chains = Vec::new();
    for family in families {
        let found = iptables::look(*family)?;
        if !found.user_chain {
            user_chains.push(render::user_chain(*family));
        }
        present.extend(found.present(*family));
    }
    let mut transaction = render::rebuild(state, families, &present);
    transaction.changes.splice(0..0, user_chains);
    Ok(transaction)
}
