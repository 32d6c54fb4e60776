//! Sets and maps, and their elements.

use super::rule::Verdict;
use super::value::{DataType, Value};

/// A named set or map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Its name.
    pub name: &'static str,
    /// The types of the parts of a key, in order.
    pub key: &'static [DataType],
    /// What a key leads to.
    pub content: SetContent,
    /// Whether keys may be intervals (`flags interval`).
    pub intervals: bool,
}

/// What a key of a set leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetContent {
    /// Nothing: it is a member or it is not.
    Members,
    /// A verdict.
    Verdicts,
    /// Values, of these types.
    Values(&'static [DataType]),
}

/// A part of a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// This value.
    One(Value),
    /// Everything from the first to the last, both included. The set must have intervals; and where it has, and its keys are of
    /// one part, a single value is an interval as well, from itself to itself.
    ///
    /// The kernel refuses an interval of which an end lies in another one. Where keys have several parts, it does not see one
    /// that encloses another: whoever adds such intervals knows that there is none inside.
    Range(Value, Value),
}

/// One element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The set it is in.
    pub set: &'static str,
    /// Its key, part by part.
    pub key: Vec<Key>,
    /// The values it leads to; empty in other sets than maps of values.
    pub values: Vec<Value>,
    /// The verdict it leads to, in a verdict map.
    pub verdict: Option<Verdict>,
}
