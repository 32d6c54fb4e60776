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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::fixture::{NOW, moment, stopped};

    #[test]
    fn only_what_fits_is_removed() {
        let mut config = stopped("web1").config;
        config.labels = [("keep".to_owned(), "no".to_owned())].into();
        for (filters, expected) in [
            (&[][..], true),
            (&["label=keep"], true),
            (&["label=keep", "label=other"], false),
            (&["label!=keep"], false),
            (&["label!=keep=yes"], true),
            (&["until=30s"], true),
            (&["until=2m"], false),
            (&["until=2m", "until=30s"], false),
        ] {
            let parsed: Vec<Filter<PruneKey>> =
                filters.iter().map(|text| text.parse().unwrap()).collect();
            assert_eq!(
                fits(&parsed, &config.labels, Some(config.created), moment(NOW)),
                expected,
                "{filters:?}"
            );
        }
    }

    #[test]
    fn a_filter_that_can_never_fit_is_refused() {
        assert!("until=soon".parse::<Filter<PruneKey>>().is_err());
        assert!("name=web1".parse::<Filter<PruneKey>>().is_err());
    }
}
