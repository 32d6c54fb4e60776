//! Rules of nf_tables as values: tables, chains, sets and elements, and one transaction that changes them.
//!
//! # Theory of operation
//!
//! 1. What a person would write in the language of `nft(8)` is a value here: a [`Rule`] is a row of [`Statement`]s, a
//!    [`Definition`] of a set says the types of its keys and data, an [`Element`] is one entry.
//! 2. Such values are rendered twice, by pure functions: into messages for the kernel, and into the text that `nft` takes and
//!    prints. Tests hold the two against each other with the program itself.
//! 3. A [`Transaction`] is applied as a whole or not at all. It may name the generation of the rules that it was decided on;
//!    then the kernel refuses it if somebody else has changed a rule since, and the generation afterwards is known without
//!    asking.
//! 4. What `nft` adds to a rule without being told, and does not print, is added here as well (`dependency`), so that what it lists
//!    is our text, and what it makes of our text is what our messages say.
//! 5. An element that is added must not exist yet: a second claim of a key is an error, never a silent replacement.

mod chain;
mod connection;
mod dependency;
mod encoding;
mod expressions;
mod field;
mod listing;
mod messages;
mod rule;
mod rule_text;
mod selector;
mod set;
mod set_messages;
#[cfg(test)]
mod tests;
mod text;
mod transaction;
mod value;
mod value_text;

pub use chain::{BaseChain, Chain, ChainKind, Hook, Policy};
pub use connection::{CommitError, RulesConnection};
pub use rule::{
    CtState, Operator, Refusal, Rule, Side, Statement, Translation, Transport, Verdict,
};
pub use selector::Selector;
pub use set::{Definition, Element, Key, SetContent};
pub use transaction::{Change, Expectation, Transaction};
pub use value::{DataType, PacketFamily, Value};

/// A table of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Which packets it sees.
    pub family: TableFamily,
    /// Its name.
    pub name: &'static str,
}

/// Which packets a table sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFamily {
    /// IPv4 alone (`ip`).
    Ipv4,
    /// IPv6 alone (`ip6`).
    Ipv6,
    /// IPv4 and IPv6 (`inet`).
    Inet,
    /// Frames that a bridge forwards (`bridge`).
    Bridge,
}
