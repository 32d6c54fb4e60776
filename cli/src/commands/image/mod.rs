//! `minirun image`: the commands for images under one name.

mod prune;

use super::{images, import, rmi};
use crate::command_line::Run as RunCommand;
use crate::context::Context;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Options of `minirun image`.
#[derive(Debug, Args)]
pub struct ImageCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make an image from a tar archive or a directory
    Import(import::Import),
    /// List images
    #[command(visible_alias = "list")]
    Ls(images::Images),
    /// Remove images that are not used
    Prune(prune::ImagePrune),
    /// Remove images
    #[command(visible_alias = "remove")]
    Rm(rmi::RemoveImage),
}

impl RunCommand for ImageCommand {
    const ABOUT: &'static str = "Make, list and remove images";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        match self.action {
            Action::Import(options) => options.run(context),
            Action::Ls(options) => options.run(context),
            Action::Prune(options) => options.run(&context.tidy_runtime()?),
            Action::Rm(options) => options.run(context),
        }
    }
}
