//! `--label KEY=VALUE`.

use std::collections::BTreeMap;
use std::str::FromStr;

/// A note on a container or a network; a key alone has an empty value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Never empty.
    pub key: String,
    /// May be empty.
    pub value: String,
}

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Label, String> {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        if key.is_empty() {
            return Err("a label needs a key: write KEY=VALUE".into());
        }
        Ok(Label {
            key: key.into(),
            value: value.into(),
        })
    }
}

/// All of them; the last one with a key counts.
pub fn labels(labels: &[Label]) -> BTreeMap<String, String> {
    labels
        .iter()
        .map(|label| (label.key.clone(), label.value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_a_key_and_perhaps_a_value() {
        let all: Vec<Label> = ["a=1", "b", "a=2=3"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let expected = [("a", "2=3"), ("b", "")].map(|(key, value)| (key.into(), value.into()));
        assert_eq!(labels(&all), BTreeMap::from(expected));
        assert!("=1".parse::<Label>().is_err());
    }
}
