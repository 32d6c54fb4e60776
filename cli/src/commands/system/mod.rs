//! `minirun system`: one file for each of its commands.

mod df;
mod prune;

use super::{events, info};
use crate::command_line::Run as RunCommand;
use crate::context::Context;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Options of `minirun system`.
#[derive(Debug, Args)]
pub struct SystemCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show how much of the disk is used
    Df(df::DiskUsage),
    /// Show what happens to containers, images, networks and volumes
    Events(events::Events),
    /// Show what minirun knows about this host
    Info(info::Info),
    /// Remove everything that is not used
    Prune(prune::SystemPrune),
}

impl RunCommand for SystemCommand {
    const ABOUT: &'static str = "Show what is used, and remove what is not";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        match self.action {
            Action::Df(options) => options.run(&context.tidy_runtime()?),
            Action::Events(options) => options.run(context),
            Action::Info(options) => options.run(context),
            Action::Prune(options) => options.run(&context.tidy_runtime()?),
        }
    }
}
