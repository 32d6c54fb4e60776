//! The filters of `network ls`.

use crate::commands::filter::{Filter, FilterKey, all, any, has_label};
use crate::commands::switch::parse_switch;
use crate::failure::Failure;
use crate::show::network_list::{Kind, Listed};
use minirun_runtime::runtime::Runtime;
use std::collections::BTreeSet;

/// What networks can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkKey {
    /// The driver.
    Driver,
    /// The beginning of the id.
    Id,
    /// A part of the name.
    Name,
    /// A label, `KEY` or `KEY=VALUE`.
    Label,
    /// The scope, which is `local`.
    Scope,
    /// `builtin` or `custom`.
    Type,
    /// Whether no container uses it.
    Dangling,
}

impl FilterKey for NetworkKey {
    const KEYS: &'static [(&'static str, Self)] = &[
        ("driver", Self::Driver),
        ("id", Self::Id),
        ("name", Self::Name),
        ("label", Self::Label),
        ("scope", Self::Scope),
        ("type", Self::Type),
        ("dangling", Self::Dangling),
    ];

    fn check(self, value: &str) -> Result<(), String> {
        match self {
            Self::Type if kind(value).is_none() => Err(format!(
                "`{value}` is no type of network: use `builtin` or `custom`"
            )),
            Self::Dangling => parse_switch(value).map(drop),
            _ => Ok(()),
        }
    }
}

/// The networks that no container uses, by name.
#[derive(Debug, Default)]
pub(super) struct Usage {
    unused: BTreeSet<String>,
}

impl Usage {
    /// As it is now.
    pub(super) fn of(runtime: &Runtime) -> Result<Usage, Failure> {
        let unused = runtime.unused_networks()?;
        Ok(Usage {
            unused: unused
                .iter()
                .map(|network| network.name.to_string())
                .collect(),
        })
    }
}

/// Whether a network is to be listed.
pub(super) fn fits(filters: &[Filter<NetworkKey>], network: &Listed, usage: &Usage) -> bool {
    // The networks that are always there never dangle.
    let dangles = network.kind == Kind::Custom && usage.unused.contains(network.name);
    any(filters, NetworkKey::Driver, |value| value == network.driver)
        && any(filters, NetworkKey::Id, |value| {
            network.id.starts_with(&value.to_ascii_lowercase())
        })
        && any(filters, NetworkKey::Name, |value| {
            network.name.contains(value)
        })
        && all(filters, NetworkKey::Label, |value| {
            has_label(network.labels, value)
        })
        && any(filters, NetworkKey::Scope, |value| value == "local")
        && any(filters, NetworkKey::Type, |value| {
            kind(value) == Some(network.kind)
        })
        && any(filters, NetworkKey::Dangling, |value| {
            parse_switch(value) == Ok(dangles)
        })
}

fn kind(word: &str) -> Option<Kind> {
    match word {
        "builtin" => Some(Kind::BuiltIn),
        "custom" => Some(Kind::Custom),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn shown(texts: &[&str]) -> Vec<&'static str> {
        let filters: Vec<Filter<NetworkKey>> =
            texts.iter().map(|text| text.parse().unwrap()).collect();
        let labels = BTreeMap::from([("tier".to_owned(), "back".to_owned())]);
        let usage = Usage {
            unused: ["bridge", "lan"].map(str::to_owned).into(),
        };
        [
            ("bridge", "aa", "bridge"),
            ("host", "bb", "host"),
            ("lan", "cc", "bridge"),
            ("wan", "cd", "bridge"),
        ]
        .into_iter()
        .filter(|(name, id, driver)| {
            let listed = Listed {
                id,
                name,
                driver,
                kind: Kind::of(name),
                labels: if *name == "lan" {
                    &labels
                } else {
                    &BTreeMap::new()
                },
            };
            fits(&filters, &listed, &usage)
        })
        .map(|(name, _, _)| name)
        .collect()
    }

    #[test]
    fn networks_are_found_by_what_they_are() {
        for (filters, expected) in [
            (&[][..], &["bridge", "host", "lan", "wan"][..]),
            (&["driver=host"], &["host"]),
            (&["id=c"], &["lan", "wan"]),
            (&["name=an"], &["lan", "wan"]),
            (&["name=lan", "name=host"], &["host", "lan"]),
            (&["label=tier"], &["lan"]),
            (&["label=tier=front"], &[]),
            (&["scope=local", "type=builtin"], &["bridge", "host"]),
            (&["scope=swarm"], &[]),
            (&["type=custom"], &["lan", "wan"]),
            (&["dangling=true"], &["lan"]),
            (&["dangling=false"], &["bridge", "host", "wan"]),
        ] {
            assert_eq!(shown(filters), expected, "{filters:?}");
        }
    }

    #[test]
    fn values_that_can_never_fit_are_refused() {
        for (text, part) in [
            ("type=mine", "use `builtin` or `custom`"),
            ("dangling=perhaps", "neither `true` nor `false`"),
            ("colour=red", "unknown filter `colour`"),
        ] {
            let problem = text.parse::<Filter<NetworkKey>>().unwrap_err();
            assert!(problem.contains(part), "{problem}");
        }
    }
}
