//! A change of rules, in the words of the driver that makes it.

use super::{nftables, rule};
use minirun_netns::netfilter::nf_tables::{self, Expectation};

/// Changes of rules that belong together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Transaction {
    /// None.
    #[default]
    Nothing,
    /// Those of the iptables driver.
    Iptables(rule::Transaction),
    /// Those of the nftables driver, table by table. They take effect together.
    Nftables(Vec<nf_tables::Transaction>),
}

impl Transaction {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        match self {
            Transaction::Nothing => true,
            Transaction::Iptables(transaction) => transaction.is_empty(),
            Transaction::Nftables(tables) => tables.iter().all(|table| table.changes.is_empty()),
        }
    }

    /// Whether it does more than ask.
    pub fn changes_anything(&self) -> bool {
        match self {
            Transaction::Iptables(transaction) => transaction.changes_anything(),
            Transaction::Nothing | Transaction::Nftables(_) => !self.is_empty(),
        }
    }

    /// The same as single commands, as a person would type them.
    pub fn commands(&self) -> String {
        match self {
            Transaction::Nothing => String::new(),
            Transaction::Iptables(transaction) => transaction.commands(),
            Transaction::Nftables(tables) => nftables::commands(tables),
        }
    }
}

impl From<rule::Transaction> for Transaction {
    fn from(transaction: rule::Transaction) -> Transaction {
        Transaction::Iptables(transaction)
    }
}

impl From<nf_tables::Transaction> for Transaction {
    fn from(transaction: nf_tables::Transaction) -> Transaction {
        Transaction::Nftables(vec![transaction])
    }
}

/// What later changes may rely on after a transaction of iptables that counts as `generations` changes. The kernel does not see to
/// the expectation here; but if somebody has changed rules in between, they are of a later generation than this.
pub(super) fn after(expectation: Expectation, generations: u32) -> Expectation {
    match expectation {
        Expectation::Generation(before) => {
            Expectation::Generation(before.wrapping_add(generations))
        }
        Expectation::Anything => Expectation::Anything,
    }
}
