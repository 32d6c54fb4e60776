//! `minirun profile`: one file for each of its commands.

mod ls;
mod show;

use crate::command_line::Run as RunCommand;
use crate::context::Context;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Options of `minirun profile`.
#[derive(Debug, Args)]
pub struct ProfileCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List profiles
    #[command(visible_alias = "list")]
    Ls(ls::ProfileList),
    /// Show what profiles set
    Show(show::ProfileShow),
}

impl RunCommand for ProfileCommand {
    const ABOUT: &'static str = "Show profiles: options for containers that belong together";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        match self.action {
            Action::Ls(command) => command.run(&context.directories),
            Action::Show(command) => command.run(&context.directories),
        }
    }
}
