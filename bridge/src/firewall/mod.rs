//! Firewall drivers: they turn policy into rules and take it back, one transaction for each change.

mod egress_rules;
mod endpoint_rules;
pub mod foreign;
mod iptables;
mod network_rules;
pub mod render;
pub mod rule;

use crate::network::{Family, Icc, Network, Reach};
use crate::policy::Contribution;
use crate::settings::FirewallChoice;
use render::Present;
use rule::Transaction;
use std::fmt;
use thiserror::Error;

/// What can go wrong when rules are changed.
#[derive(Debug, Error)]
pub enum FirewallError {
    /// The driver that the configuration names is not part of this version.
    #[error("the firewall driver `nftables` is not part of this version")]
    DriverUnavailable,
    /// A program of iptables is not installed.
    #[error("cannot find `{program}`, which publishes ports and enforces links")]
    ProgramMissing {
        /// The program.
        program: &'static str,
    },
    /// The program could not be started.
    #[error("cannot run `{program}`: {error}")]
    Spawn {
        /// The program.
        program: &'static str,
        /// The kernel's answer.
        error: std::io::Error,
    },
    /// The program refused the transaction.
    #[error("`{program}` refused the rules: {message}")]
    Refused {
        /// The program.
        program: &'static str,
        /// What it said, with the line of the transaction that it said it about.
        message: String,
    },
    /// The chains could not be read.
    #[error("cannot read the rules of the host with `iptables`: {message}")]
    Read {
        /// What it said.
        message: String,
    },
}

impl FirewallError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            FirewallError::ProgramMissing { .. } => Some(
                "install the Debian package `iptables`, or set `firewall = \"none\"` in minirun.toml to do without rules"
                    .into(),
            ),
            FirewallError::DriverUnavailable => Some(
                "set `firewall = \"iptables\"` or `firewall = \"auto\"` in minirun.toml".into(),
            ),
            _ => None,
        }
    }
}

/// The driver in use on this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Firewall {
    /// Rules through `iptables-restore`.
    Iptables,
    /// No rule is ever read or written.
    None,
}

impl fmt::Display for Firewall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Firewall::Iptables => "iptables",
            Firewall::None => "none",
        })
    }
}

impl Firewall {
    /// The driver that the configuration asks for.
    ///
    /// # Errors
    /// [`FirewallError::DriverUnavailable`] for `nftables`. Whether `iptables` is installed shows at first use, so
    /// that a container without a network needs no such program.
    pub fn select(choice: FirewallChoice) -> Result<Firewall, FirewallError> {
        match choice {
            FirewallChoice::Auto | FirewallChoice::Iptables => Ok(Firewall::Iptables),
            FirewallChoice::Nftables => Err(FirewallError::DriverUnavailable),
            FirewallChoice::None => Ok(Firewall::None),
        }
    }

    /// The transaction that adds a contribution; empty when there is nothing to render.
    pub fn addition(self, network: &Network, contribution: &Contribution) -> Transaction {
        match self {
            Firewall::Iptables => render::add(network, contribution),
            Firewall::None => Transaction::default(),
        }
    }

    /// The transaction that takes a contribution away.
    pub fn removal(self, network: &Network, contribution: &Contribution) -> Transaction {
        match self {
            Firewall::Iptables => render::remove(network, contribution),
            Firewall::None => Transaction::default(),
        }
    }

    /// The transaction that turns one contribution into another; empty when their rules are the same.
    pub fn change(self, network: &Network, ends: (&Contribution, &Contribution)) -> Transaction {
        match self {
            Firewall::Iptables => render::change(network, ends),
            Firewall::None => Transaction::default(),
        }
    }

    /// The transaction that changes nothing, and fails unless everything of a network and its endpoints is in place.
    pub fn requirement(self, network: &Network, contribution: &Contribution) -> Transaction {
        match self {
            Firewall::Iptables => render::require_all(network, contribution),
            Firewall::None => Transaction::default(),
        }
    }

    /// The transaction that makes our chains of `families` what `state` says, whatever they hold now.
    ///
    /// # Errors
    /// [`FirewallError`] when the host's rules cannot be read.
    pub fn reconstruction(
        self,
        state: &[(Network, Contribution)],
        families: &[Family],
    ) -> Result<Transaction, FirewallError> {
        match self {
            Firewall::Iptables => {
                let mut present = Present::default();
                let mut user_chains = Vec::new();
                for family in families {
                    let found = iptables::look(*family)?;
                    present.missing_jumps.extend(found.missing_jumps);
                    present.egress_chains.extend(found.egress_chains);
                    present
                        .input_jumps
                        .extend(found.input_jump.then_some(*family));
                    if !found.user_chain {
                        user_chains.push(render::user_chain(*family));
                    }
                }
                let mut transaction = render::rebuild(state, families, &present);
                transaction.changes.splice(0..0, user_chains);
                Ok(transaction)
            }
            Firewall::None => Ok(Transaction::default()),
        }
    }

    /// Applies a transaction.
    ///
    /// # Errors
    /// [`FirewallError::Refused`] when a rule that must be there is not, or a rule is not understood.
    pub fn commit(self, transaction: &Transaction) -> Result<(), FirewallError> {
        match self {
            Firewall::Iptables if !transaction.is_empty() => iptables::restore(transaction),
            Firewall::Iptables | Firewall::None => Ok(()),
        }
    }

    /// Whether the kernel counts the changes of the driver's rules: it does so for nf_tables alone.
    pub fn counts_generations(self) -> bool {
        match self {
            Firewall::Iptables => iptables::uses_nf_tables(),
            Firewall::None => false,
        }
    }

    /// Whether the driver can keep a network without a way out.
    pub fn encloses(self, reach: Reach) -> bool {
        self == Firewall::Iptables || reach == Reach::External
    }

    /// Whether the driver can keep endpoints of one network apart.
    pub fn enforces(self, icc: Icc) -> bool {
        self == Firewall::Iptables || icc == Icc::Enabled
    }
}
