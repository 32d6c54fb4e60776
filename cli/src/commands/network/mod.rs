//! `minirun network`: one file for each of its commands.

mod connect;
mod create;
mod disconnect;
mod filter;
pub mod inspect;
mod ls;
pub mod prune;
mod reload;
mod rm;
mod update;

use crate::command_line::Run as RunCommand;
use crate::context::Context;
use crate::failure::{Failure, complain};
use clap::{Args, Subcommand};
use minirun_runtime::warning::Warning;
use std::process::ExitCode;

/// Options of `minirun network`.
#[derive(Debug, Args)]
pub struct NetworkCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Create a network and print its id
    Create(create::NetworkCreate),
    /// List networks
    #[command(visible_alias = "list")]
    Ls(ls::NetworkList),
    /// Show everything about networks, as JSON
    Inspect(inspect::NetworkInspect),
    /// Remove networks
    #[command(visible_alias = "remove")]
    Rm(rm::NetworkRemove),
    /// Remove all networks that no container uses
    Prune(prune::NetworkPrune),
    /// Connect a container to a network, also while it runs
    Connect(connect::NetworkConnect),
    /// Disconnect a container from a network, also while it runs
    Disconnect(disconnect::NetworkDisconnect),
    /// Change a network, also for the containers that run on it
    Update(update::NetworkUpdate),
    /// Restore devices, kernel settings and rules of all networks
    Reload(reload::NetworkReload),
}

impl RunCommand for NetworkCommand {
    const ABOUT: &'static str = "Create, show, change and remove networks";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.tidy_runtime()?;
        match self.action {
            Action::Create(options) => options.run(&runtime),
            Action::Ls(options) => options.run(&runtime),
            Action::Inspect(options) => options.run(&runtime),
            Action::Rm(options) => options.run(&runtime),
            Action::Prune(options) => options.run(&runtime),
            Action::Connect(options) => options.run(&runtime),
            Action::Disconnect(options) => options.run(&runtime),
            Action::Update(options) => options.run(&runtime),
            Action::Reload(options) => options.run(&runtime),
        }
    }
}

fn complain_of(warnings: &[Warning]) {
    for warning in warnings {
        complain("warning", &warning.to_string());
    }
}
