//! `minirun container prune`.

use super::confirmation::is_wanted;
use super::filter::Filter;
use super::prune_filter::{PruneKey, fits};
use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::{Failure, show_all};
use crate::show::pruned;
use clap::Args;
use jiff::Timestamp;
use std::process::ExitCode;

/// Options of `minirun container prune`.
#[derive(Debug, Args)]
pub struct ContainerPrune {
    /// Do not ask
    #[arg(short, long)]
    force: bool,
    /// Remove those that fit: label, label!, until
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<Filter<PruneKey>>,
}

impl RunCommand for ContainerPrune {
    const ABOUT: &'static str = "Remove all containers that do not run";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.tidy_runtime()?;
        let question = "This will remove all stopped containers.";
        if !self.force && !is_wanted(question)? {
            return Ok(ExitCode::SUCCESS);
        }
        let now = Timestamp::now();
        let containers = runtime.prune_containers(&|config| {
            fits(&self.filter, &config.labels, Some(config.created), now)
        })?;
        let list = pruned::containers(&containers.removed);
        print(&pruned::with_total(&list, containers.reclaimed_bytes))?;
        Ok(show_all(containers.failures))
    }
}
