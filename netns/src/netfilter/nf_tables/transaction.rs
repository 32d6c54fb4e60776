//! One change of everything together.

use std::borrow::Cow;

use super::Table;
use super::chain::Chain;
use super::rule::Rule;
use super::set::{Definition, Element};

/// What a transaction does with one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Makes the table, or leaves the one there is.
    AddTable,
    /// Makes the table; the transaction fails if there is one.
    CreateTable,
    /// Deletes the table with everything in it; the transaction fails if there is none.
    DeleteTable,
    /// Makes a chain, or leaves the one there is.
    AddChain(Chain),
    /// Empties a chain.
    FlushChain(Cow<'static, str>),
    /// Deletes an empty chain that nothing leads to.
    DeleteChain(Cow<'static, str>),
    /// Makes a set or map, or leaves the one there is.
    AddSet(Definition),
    /// Empties a set or map.
    FlushSet(&'static str),
    /// Appends a rule.
    AddRule(Rule),
    /// Deletes one rule of a chain, by the number that the kernel gave it.
    DeleteRule {
        /// The chain.
        chain: Cow<'static, str>,
        /// The number.
        handle: u64,
    },
    /// Puts in an element; the transaction fails if its key is taken.
    AddElement(Element),
    /// Takes out an element; the transaction fails if it is not there.
    DeleteElement(Element),
}

/// Changes of one table that take effect together or not at all, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The table.
    pub table: Table,
    /// The changes.
    pub changes: Vec<Change>,
}

/// What a transaction relies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// Nothing.
    Anything,
    /// Nobody has changed a rule since the rules were of this generation.
    Generation(u32),
}

impl Expectation {
    /// What holds after one change more, if nobody else changes anything.
    pub fn next(self) -> Option<Expectation> {
        match self {
            Expectation::Anything => None,
            // The kernel leaves zero out (`nf_tables_commit` in net/netfilter/nf_tables_api.c).
            Expectation::Generation(number) => {
                Some(Expectation::Generation(number.wrapping_add(1).max(1)))
            }
        }
    }
}
