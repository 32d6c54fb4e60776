//! Chains.

use std::borrow::Cow;

/// A chain of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Where packets come from, if not from another chain.
    pub base: Option<BaseChain>,
}

/// Where the kernel calls a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BaseChain {
    /// What it may do.
    pub kind: ChainKind,
    /// The point on a packet's way.
    pub hook: Hook,
    /// Its place among the chains of the same hook; lower is earlier.
    pub priority: i32,
    /// What becomes of packets that no rule judged.
    pub policy: Policy,
}

/// What the rules of a base chain may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainKind {
    /// Judge.
    Filter,
    /// Translate addresses, on the first packet of a connection.
    Nat,
}

/// A point on a packet's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// As it comes in.
    Prerouting,
    /// To the host itself.
    Input,
    /// Through the host.
    Forward,
    /// From the host itself.
    Output,
    /// As it goes out.
    Postrouting,
}

/// What becomes of packets that no rule judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// They pass.
    Accept,
    /// They do not.
    Drop,
}
