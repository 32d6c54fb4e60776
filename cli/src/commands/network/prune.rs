//! `minirun network prune`.

use crate::commands::confirmation::is_wanted;
use crate::commands::filter::Filter;
use crate::commands::prune_filter::{self, PruneKey};
use crate::context::print;
use crate::failure::{Failure, show_all};
use crate::show::network::created;
use crate::show::network_list::Kind;
use crate::show::pruned;
use clap::Args;
use jiff::Timestamp;
use minirun_bridge::network::Network;
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

impl NetworkPrune {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        let question = "This will remove all networks that no container uses.";
        if !self.force && !is_wanted(question)? {
            return Ok(ExitCode::SUCCESS);
        }
        let now = Timestamp::now();
        let networks = runtime.prune_networks(&|network| fits(&self.filter, network, now))?;
        print(&pruned::networks(&networks.removed))?;
        Ok(show_all(networks.failures))
    }
}

/// The networks that are always there are never removed.
pub fn fits(filters: &[Filter<PruneKey>], network: &Network, now: Timestamp) -> bool {
    Kind::of(network.name.as_str()) == Kind::Custom
        && prune_filter::fits(filters, &network.labels, created(network), now)
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
