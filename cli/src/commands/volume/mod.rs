//! `minirun volume`: one file for each of its commands.

mod create;
mod filter;
mod inspect;
mod ls;
mod prune;
mod rm;

use crate::command_line::Run as RunCommand;
use crate::context::Context;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Options of `minirun volume`.
#[derive(Debug, Args)]
pub struct VolumeCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Create a volume and print its name
    Create(create::VolumeCreate),
    /// List volumes
    #[command(visible_alias = "list")]
    Ls(ls::VolumeList),
    /// Show everything about volumes, as JSON
    Inspect(inspect::VolumeInspect),
    /// Remove volumes with everything in them
    #[command(visible_alias = "remove")]
    Rm(rm::VolumeRemove),
    /// Remove volumes that no container has
    Prune(prune::VolumePrune),
}

impl RunCommand for VolumeCommand {
    const ABOUT: &'static str = "Create, show and remove volumes";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.tidy_runtime()?;
        match self.action {
            Action::Create(options) => options.run(&runtime),
            Action::Ls(options) => options.run(&runtime),
            Action::Inspect(options) => options.run(&runtime),
            Action::Rm(options) => options.run(&runtime),
            Action::Prune(options) => options.run(&runtime),
        }
    }
}
