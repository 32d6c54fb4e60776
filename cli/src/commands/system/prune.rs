//! `minirun system prune`.

use crate::commands::confirmation::is_wanted;
use crate::commands::filter::Filter;
use crate::commands::network::prune::fits as network_fits;
use crate::commands::prune_filter::{PruneKey, fits};
use crate::context::print;
use crate::failure::{Failure, show_all};
use crate::show::pruned;
use clap::Args;
use jiff::Timestamp;
use minirun_runtime::prune::{Pruned, UnusedImages};
use minirun_runtime::runtime::Runtime;
use minirun_runtime::storage::VolumeKind;
use std::process::ExitCode;

/// Options of `minirun system prune`.
#[derive(Debug, Args)]
pub struct SystemPrune {
    /// Remove all images that no container uses, not only those without a name
    #[arg(short, long)]
    all: bool,
    /// Remove volumes without a name of their own that no container uses, too
    #[arg(long)]
    volumes: bool,
    /// Do not ask
    #[arg(short, long)]
    force: bool,
    /// Remove what fits: label, label!, until
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<Filter<PruneKey>>,
}

impl SystemPrune {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        let asks_age = self.filter.iter().any(|one| one.key == PruneKey::Until);
        if self.volumes && asks_age {
            return Err(Failure::new("`--volumes` cannot be filtered by `until`"));
        }
        if !self.force && !is_wanted(&self.warning())? {
            return Ok(ExitCode::SUCCESS);
        }
        let now = Timestamp::now();
        let filters = &self.filter;
        let containers = runtime
            .prune_containers(&|config| fits(filters, &config.labels, Some(config.created), now))?;
        section(&pruned::containers(&containers.removed))?;
        let networks = runtime.prune_networks(&|network| network_fits(filters, network, now))?;
        section(&pruned::networks(&networks.removed))?;
        let volumes = match self.volumes {
            true => runtime.prune_volumes(&|volume| {
                volume.kind == VolumeKind::Anonymous && fits(filters, &volume.labels, None, now)
            })?,
            false => Pruned::default(),
        };
        section(&pruned::volumes(&volumes.removed))?;
        let unused = match self.all {
            true => UnusedImages::All,
            false => UnusedImages::Dangling,
        };
        let images = runtime.prune_images(unused, &|image| {
            fits(filters, &image.config.labels, Some(image.created), now)
        })?;
        section(&pruned::images(&images.removed))?;
        let reclaimed =
            containers.reclaimed_bytes + volumes.reclaimed_bytes + images.reclaimed_bytes;
        print(&pruned::total(reclaimed))?;
        let failures = containers.failures.into_iter().chain(networks.failures);
        Ok(show_all(failures.chain(volumes.failures)))
    }

    /// What will be removed, as Docker lists it.
    fn warning(&self) -> String {
        let mut items = vec![
            "all stopped containers",
            "all networks not used by at least one container",
        ];
        if self.volumes {
            items.push("all anonymous volumes not used by at least one container");
        }
        items.push(match self.all {
            true => "all images without at least one container associated to them",
            false => "all dangling images",
        });
        let items: String = items.iter().map(|item| format!("  - {item}\n")).collect();
        let filters: String = self
            .filter
            .iter()
            .map(|filter| format!("  - {}={}\n", filter.key.word(), filter.value))
            .collect();
        let filters = match filters.is_empty() {
            true => filters,
            false => format!("\n  Items to be pruned will be filtered with:\n{filters}"),
        };
        format!("This will remove:\n{items}{filters}")
    }
}

/// Some lines and a blank one; nothing if there are none.
fn section(text: &str) -> Result<(), Failure> {
    match text.is_empty() {
        true => Ok(()),
        false => print(&format!("{text}\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_will_be_removed_is_listed() {
        let options = SystemPrune {
            all: true,
            volumes: true,
            force: false,
            filter: vec!["label!=keep".parse().unwrap()],
        };
        assert_eq!(
            options.warning(),
            "\
This will remove:
  - all stopped containers
  - all networks not used by at least one container
  - all anonymous volumes not used by at least one container
  - all images without at least one container associated to them

  Items to be pruned will be filtered with:
  - label!=keep
"
        );
    }
}
