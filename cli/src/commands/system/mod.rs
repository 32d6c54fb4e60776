//! `minirun system`: one file for each of its commands.

mod boot;
mod df;
mod prune;
mod stop;

use super::{events, info};
use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::Failure;
use clap::{Args, Subcommand};
use minirun_runtime::error::RuntimeError;
use std::process::ExitCode;

/// Options of `minirun system`.
#[derive(Debug, Args)]
pub struct SystemCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Start the containers that should run after a boot
    Boot(boot::SystemBoot),
    /// Show how much of the disk is used
    Df(df::DiskUsage),
    /// Show what happens to containers, images, networks and volumes
    Events(events::Events),
    /// Show what minirun knows about this host
    Info(info::Info),
    /// Remove everything that is not used
    Prune(prune::SystemPrune),
    /// Stop all containers before a shutdown; `system boot` starts those again that have a restart policy
    Stop(stop::SystemStop),
}

impl RunCommand for SystemCommand {
    const ABOUT: &'static str =
        "Show what is used, remove what is not, and start and stop all containers with the host";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        match self.action {
            Action::Boot(options) => options.run(&context.tidy_runtime()?),
            Action::Df(options) => options.run(&context.tidy_runtime()?),
            Action::Events(options) => options.run(context),
            Action::Info(options) => options.run(context),
            Action::Prune(options) => options.run(&context.tidy_runtime()?),
            Action::Stop(options) => options.run(&context.tidy_runtime()?),
        }
    }
}

/// What became of several containers.
struct Outcomes {
    code: ExitCode,
    printed: Result<(), Failure>,
}

impl Outcomes {
    fn new() -> Outcomes {
        Outcomes {
            code: ExitCode::SUCCESS,
            printed: Ok(()),
        }
    }

    /// Prints the name of a container with which all is well, else says whose error it is.
    fn tell(&mut self, name: &str, outcome: Result<(), RuntimeError>) {
        match outcome {
            Ok(()) if self.printed.is_ok() => self.printed = print(&format!("{name}\n")),
            Ok(()) => {}
            Err(error) => self.code = Failure::from(error).about(name).show(),
        }
    }

    fn code(self) -> Result<ExitCode, Failure> {
        self.printed.map(|()| self.code)
    }
}
