//! `minirun image prune`.

use crate::commands::confirmation::is_wanted;
use crate::commands::filter::Filter;
use crate::commands::prune_filter::{PruneKey, fits};
use crate::context::print;
use crate::failure::Failure;
use crate::show::pruned;
use clap::Args;
use jiff::Timestamp;
use minirun_runtime::prune::UnusedImages;
use minirun_runtime::runtime::Runtime;
use std::process::ExitCode;

/// Options of `minirun image prune`.
#[derive(Debug, Args)]
pub struct ImagePrune {
    /// Remove all images that no container uses, not only those without a name
    #[arg(short, long)]
    all: bool,
    /// Do not ask
    #[arg(short, long)]
    force: bool,
    /// Remove those that fit: label, label!, until
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<Filter<PruneKey>>,
}

impl ImagePrune {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        let (unused, question) = match self.all {
            true => (
                UnusedImages::All,
                "This will remove all images without at least one container associated to them.",
            ),
            false => (
                UnusedImages::Dangling,
                "This will remove all dangling images.",
            ),
        };
        if !self.force && !is_wanted(question)? {
            return Ok(ExitCode::SUCCESS);
        }
        let now = Timestamp::now();
        let images = runtime.prune_images(unused, &|image| {
            fits(&self.filter, &image.config.labels, Some(image.created), now)
        })?;
        let list = pruned::images(&images.removed);
        print(&pruned::with_total(&list, images.reclaimed_bytes))?;
        Ok(ExitCode::SUCCESS)
    }
}
