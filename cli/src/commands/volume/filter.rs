//! The filters of `volume ls`.

use crate::commands::filter::{Filter, FilterKey, all, any, has_label};
use crate::commands::switch::parse_switch;
use minirun_runtime::volumes::VolumeUse;

/// What volumes can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolumeKey {
    /// Whether no container has it.
    Dangling,
    /// `local`.
    Driver,
    /// A label, `KEY` or `KEY=VALUE`.
    Label,
    /// A part of the name.
    Name,
}

impl FilterKey for VolumeKey {
    const KEYS: &'static [(&'static str, Self)] = &[
        ("dangling", Self::Dangling),
        ("driver", Self::Driver),
        ("label", Self::Label),
        ("name", Self::Name),
    ];

    fn check(self, value: &str) -> Result<(), String> {
        match self {
            Self::Dangling => parse_switch(value).map(drop),
            _ => Ok(()),
        }
    }
}

/// Whether a volume is to be listed.
pub(super) fn fits(filters: &[Filter<VolumeKey>], one: &VolumeUse) -> bool {
    any(filters, VolumeKey::Dangling, |value| {
        parse_switch(value) == Ok(one.users.is_empty())
    }) && any(filters, VolumeKey::Driver, |value| value == "local")
        && all(filters, VolumeKey::Label, |label| {
            has_label(&one.volume.labels, label)
        })
        && any(filters, VolumeKey::Name, |part| {
            one.volume.name.as_str().contains(part)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::fixture::volumes;

    fn shown(texts: &[&str]) -> Vec<String> {
        let filters: Vec<Filter<VolumeKey>> =
            texts.iter().map(|text| text.parse().unwrap()).collect();
        volumes()
            .iter()
            .filter(|one| fits(&filters, one))
            .map(|one| one.volume.name.to_string())
            .collect()
    }

    #[test]
    fn volumes_are_found_by_what_they_are() {
        for (filters, expected) in [
            (&[][..], &["cache", "db"][..]),
            (&["dangling=true"], &["cache"]),
            (&["dangling=0"], &["db"]),
            (&["driver=local", "name=ac"], &["cache"]),
            (&["driver=nfs"], &[]),
            (&["label=tier"], &["db"]),
            (&["label=tier=front"], &[]),
        ] {
            assert_eq!(shown(filters), expected, "{filters:?}");
        }
        assert!("dangling=perhaps".parse::<Filter<VolumeKey>>().is_err());
    }
}
