//! `--filter KEY=VALUE` of listings. As with Docker, several values of one key are alternatives, several keys must all fit,
//! and several labels must all be there.

use std::collections::BTreeMap;
use std::str::FromStr;

/// What a listing can be filtered by.
pub trait FilterKey: Copy + PartialEq + Sized + 'static {
    /// The words that stand for the keys.
    const KEYS: &'static [(&'static str, Self)];

    /// Refuses values that can never fit.
    ///
    /// # Errors
    /// What is wrong with the value, and what to write instead.
    fn check(self, value: &str) -> Result<(), String>;
}

/// One `--filter`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter<K> {
    /// What is looked at.
    pub key: K,
    /// What it must be.
    pub value: String,
}

impl<K: FilterKey> FromStr for Filter<K> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known: Vec<String> = K::KEYS
            .iter()
            .map(|(word, _)| format!("`{word}`"))
            .collect();
        let known = known.join(", ");
        let Some((word, value)) = text.split_once('=') else {
            return Err(format!(
                "`{text}` is not a filter: write KEY=VALUE with one of the keys {known}"
            ));
        };
        let key = K::KEYS.iter().find(|(key, _)| *key == word);
        let Some((_, key)) = key else {
            return Err(format!("unknown filter `{word}`: use one of {known}"));
        };
        key.check(value)?;
        Ok(Filter {
            key: *key,
            value: value.into(),
        })
    }
}

/// Whether one of the values of a key fits; so does everything where the key is not asked for.
pub fn any<K: FilterKey>(filters: &[Filter<K>], key: K, fits: impl Fn(&str) -> bool) -> bool {
    let mut values = filters.iter().filter(|filter| filter.key == key).peekable();
    values.peek().is_none() || values.any(|filter| fits(&filter.value))
}

/// Whether all values of a key fit.
pub fn all<K: FilterKey>(filters: &[Filter<K>], key: K, fits: impl Fn(&str) -> bool) -> bool {
    filters
        .iter()
        .filter(|filter| filter.key == key)
        .all(|filter| fits(&filter.value))
}

/// Whether labels fit `KEY` or `KEY=VALUE`.
pub fn has_label(labels: &BTreeMap<String, String>, wanted: &str) -> bool {
    match wanted.split_once('=') {
        None => labels.contains_key(wanted),
        Some((key, value)) => labels.get(key).is_some_and(|present| present == value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Key {
        Name,
        Label,
    }

    impl FilterKey for Key {
        const KEYS: &'static [(&'static str, Self)] = &[("name", Key::Name), ("label", Key::Label)];

        fn check(self, value: &str) -> Result<(), String> {
            match value {
                "" => Err("nothing is empty".into()),
                _ => Ok(()),
            }
        }
    }

    fn filters(texts: &[&str]) -> Vec<Filter<Key>> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn values_of_one_key_are_alternatives() {
        let filters = filters(&["name=a", "name=b"]);
        assert!(any(&filters, Key::Name, |value| value == "b"));
        assert!(!any(&filters, Key::Name, |value| value == "c"));
        assert!(
            any(&filters, Key::Label, |_| false),
            "no label is asked for"
        );
    }

    #[test]
    fn all_labels_must_be_there() {
        let labels = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
        let fits = |texts: &[&str]| {
            all(&filters(texts), Key::Label, |value| {
                has_label(&labels, value)
            })
        };
        assert!(fits(&["label=a", "label=a=1"]));
        assert!(!fits(&["label=a", "label=b"]));
        assert!(!fits(&["label=a=2"]));
    }

    #[test]
    fn a_filter_that_is_unknown_is_refused_with_those_there_are() {
        for (text, problem) in [
            (
                "colour=red",
                "unknown filter `colour`: use one of `name`, `label`",
            ),
            (
                "name",
                "`name` is not a filter: write KEY=VALUE with one of the keys `name`, `label`",
            ),
            ("name=", "nothing is empty"),
        ] {
            assert_eq!(text.parse::<Filter<Key>>().unwrap_err(), problem);
        }
    }
}
