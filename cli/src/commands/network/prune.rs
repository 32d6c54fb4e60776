//! `minirun network prune`.

use crate::commands::confirmation::is_wanted;
use crate::commands::filter::{Filter, FilterKey, all, has_label};
use crate::commands::until::parse_until;
use crate::context::print;
use crate::failure::Failure;
use crate::show::network::created;
use crate::show::network_list::Kind;
use clap::Args;
use jiff::Timestamp;
use minirun_bridge::network::Network;
use minirun_runtime::remove::Force;
use minirun_runtime::runtime::Runtime;
use std::process::ExitCode;

/// Options of `minirun network prune`.
#[derive(Debug, Args)]
pub struct NetworkPrune {
    /// Do not ask
    #[arg(short, long)]
    force: bool,
    /// Remove those that fit: label, label!, until
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<Filter<PruneKey>>,
}

/// What networks to remove can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PruneKey {
    /// A label that they have.
    Label,
    /// A label that they do not have.
    NoLabel,
    /// A moment before which they were made.
    Until,
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

impl NetworkPrune {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        let question = "This will remove all networks that no container uses.";
        if !self.force && !is_wanted(question)? {
            return Ok(ExitCode::SUCCESS);
        }
        let now = Timestamp::now();
        let mut removed = String::new();
        let mut failures = Vec::new();
        for network in runtime.unused_networks()? {
            if !fits(&self.filter, &network, now) {
                continue;
            }
            match runtime.remove_network(&network.name, Force::No) {
                Ok(()) => removed.extend([network.name.as_str(), "\n"]),
                Err(error) => failures.push(Failure::from(error)),
            }
        }
        if !removed.is_empty() {
            print(&format!("Deleted Networks:\n{removed}"))?;
        }
        let mut code = ExitCode::SUCCESS;
        for failure in failures {
            code = failure.show();
        }
        Ok(code)
    }
}

/// The networks that are always there are never removed.
fn fits(filters: &[Filter<PruneKey>], network: &Network, now: Timestamp) -> bool {
    let is_older = |until: &str| match (created(network), parse_until(until, now)) {
        (Some(created), Ok(until)) => created < until,
        _ => false,
    };
    Kind::of(network.name.as_str()) == Kind::Custom
        && all(filters, PruneKey::Label, |label| {
            has_label(&network.labels, label)
        })
        && all(filters, PruneKey::NoLabel, |label| {
            !has_label(&network.labels, label)
        })
        && all(filters, PruneKey::Until, is_older)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::fixture::{NOW, lan, moment, network};

    #[test]
    fn only_networks_that_fit_are_removed() {
        let mut lan = lan();
        lan.labels = [("keep".to_owned(), "no".to_owned())].into();
        for (filters, expected) in [
            (&[][..], true),
            (&["label=keep"], true),
            (&["label=keep=yes"], false),
            (&["label!=keep"], false),
            (&["label!=other"], true),
            (&["until=10m"], true),
            (&["until=24h"], false),
        ] {
            let parsed: Vec<Filter<PruneKey>> =
                filters.iter().map(|text| text.parse().unwrap()).collect();
            assert_eq!(fits(&parsed, &lan, moment(NOW)), expected, "{filters:?}");
        }
        assert!(
            !fits(&[], &network(), moment(NOW)),
            "the default network stays"
        );
    }
}
