//! The filters of commands that remove what is not used.

use super::filter::{Filter, FilterKey, all, has_label};
use super::until::parse_until;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What is to be removed can be filtered by this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PruneKey {
    /// A label that it has.
    Label,
    /// A label that it does not have.
    NoLabel,
    /// A moment before which it was made.
    Until,
}

impl PruneKey {
    /// Its word.
    pub fn word(self) -> &'static str {
        let mut words = Self::KEYS.iter();
        words
            .find(|(_, key)| *key == self)
            .map_or("", |(word, _)| word)
    }
}

impl FilterKey for PruneKey {
    const KEYS: &'static [(&'static str, Self)] = &[
        ("label", Self::Label),
        ("label!", Self::NoLabel),
        ("until", Self::Until),
    ];

    fn check(self, value: &str) -> Result<(), String> {
        match self {
            Self::Until => parse_until(value, Timestamp::now()).map(drop),
            Self::Label | Self::NoLabel => Ok(()),
        }
    }
}

/// Whether something with these labels that was made then is to be removed. What was made at a time that nobody knows is older than
/// nothing.
pub fn fits(
    filters: &[Filter<PruneKey>],
    labels: &BTreeMap<String, String>,
    created: Option<Timestamp>,
    now: Timestamp,
) -> bool {
    let is_older = |until: &str| match (created, parse_until(until, now)) {
        (Some(created), Ok(until)) => created < until,
        _ => false,
    };
    all(filters, PruneKey::Label, |label| has_label(labels, label))
        && all(filters, PruneKey::NoLabel, |label| {
            !has_label(labels, label)
        })
        && all(filters, PruneKey::Until, is_older)
}
