//! The filters of `ps`.

use super::filter::{Filter, FilterKey, all, any, has_label};
use crate::show::containers::{STATES, network_names, state};
use crate::show::health::{HEALTHS, health};
use minirun_bridge::id::SHORT_ID_LENGTH;
use minirun_runtime::summary::ContainerSummary;

/// What containers can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerKey {
    /// A part of the name.
    Name,
    /// The beginning of the id.
    Id,
    /// A label, `KEY` or `KEY=VALUE`.
    Label,
    /// What it does.
    Status,
    /// Whether it does its work.
    Health,
    /// A network by its name or id.
    Network,
    /// A volume by its name, or a destination.
    Volume,
}

impl FilterKey for ContainerKey {
    const KEYS: &'static [(&'static str, Self)] = &[
        ("name", Self::Name),
        ("id", Self::Id),
        ("label", Self::Label),
        ("status", Self::Status),
        ("health", Self::Health),
        ("network", Self::Network),
        ("volume", Self::Volume),
    ];

    fn check(self, value: &str) -> Result<(), String> {
        let words: &[&str] = match self {
            Self::Status => &STATES,
            Self::Health => &HEALTHS,
            _ => return Ok(()),
        };
        if words.contains(&value) {
            return Ok(());
        }
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        Err(format!(
            "no container can be `{value}`: use one of {}",
            words.join(", ")
        ))
    }
}

/// Whether a container is to be listed.
pub fn fits(filters: &[Filter<ContainerKey>], summary: &ContainerSummary) -> bool {
    let outline = &summary.outline;
    any(filters, ContainerKey::Name, |part| {
        outline.name.as_str().contains(part.trim_start_matches('/'))
    }) && any(filters, ContainerKey::Id, |start| {
        let id = outline.id.to_string();
        id.starts_with(&start.to_ascii_lowercase())
    }) && all(filters, ContainerKey::Label, |label| {
        has_label(&outline.labels, label)
    }) && any(filters, ContainerKey::Status, |word| state(summary) == word)
        && any(filters, ContainerKey::Health, |word| {
            health(&summary.condition) == word
        })
        && any(filters, ContainerKey::Network, |network| {
            is_on(summary, network)
        })
        && any(filters, ContainerKey::Volume, |volume| {
            has_mounted(summary, volume)
        })
}

fn has_mounted(summary: &ContainerSummary, wanted: &str) -> bool {
    let storage = &summary.outline.storage;
    let mut destinations = storage.mounts.iter().map(|mount| &mount.destination);
    destinations.any(|destination| destination.as_str() == wanted)
        || storage
            .volumes()
            .any(|volume| volume.name.as_str() == wanted)
}

/// By name, or by as much of the id as listings show. A network that was removed is still known by its name.
fn is_on(summary: &ContainerSummary, wanted: &str) -> bool {
    let by_name = network_names(summary).iter().any(|name| name == wanted);
    let by_id = || {
        let mut ids = summary.networks.iter().map(ToString::to_string);
        ids.any(|id| id.starts_with(&wanted.to_ascii_lowercase()))
    };
    by_name || wanted.len() >= SHORT_ID_LENGTH && by_id()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::fixture::{running, stopped, summarized};

    fn shown(texts: &[&str]) -> Vec<String> {
        let filters: Vec<Filter<ContainerKey>> =
            texts.iter().map(|text| text.parse().unwrap()).collect();
        let mut web2 = running("web2");
        web2.config.labels = [("tier".to_owned(), "front".to_owned())].into();
        [stopped("web1"), web2]
            .map(summarized)
            .iter()
            .filter(|summary| fits(&filters, summary))
            .map(|summary| summary.outline.name.to_string())
            .collect()
    }

    #[test]
    fn containers_are_found_by_what_they_are() {
        for (filters, expected) in [
            (&["name=web"][..], &["web1", "web2"][..]),
            (&["name=b2"], &["web2"]),
            (&["name=/web1"], &["web1"]),
            (&["id=22"], &["web2"]),
            (&["label=tier"], &["web2"]),
            (&["label=tier=back"], &[]),
            (&["status=exited"], &["web1"]),
            (&["status=exited", "status=running"], &["web1", "web2"]),
            (&["health=none"], &["web1", "web2"]),
            (&["health=healthy"], &[]),
            (&["network=bridge"], &["web1", "web2"]),
            (&["network=bbbbbbbbbbbb", "name=web1"], &["web1"]),
            (&["network=bbb"], &[]),
            (&["network=host"], &[]),
        ] {
            assert_eq!(shown(filters), expected, "{filters:?}");
        }
    }

    #[test]
    fn a_status_that_does_not_exist_is_refused() {
        let problem = "status=tired".parse::<Filter<ContainerKey>>().unwrap_err();
        assert!(
            problem.contains("`created`, `running`, `exited`"),
            "{problem}"
        );
    }
}
