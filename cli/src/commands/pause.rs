//! `minirun pause`.

use crate::command_line::Run as RunCommand;
use crate::context::{Context, for_each};
use crate::failure::Failure;
use clap::Args;
use std::process::ExitCode;

/// Options of `minirun pause`.
#[derive(Debug, Args)]
pub struct Pause {
    /// Containers
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

impl RunCommand for Pause {
    const ABOUT: &'static str = "Make the processes of containers stand still";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.runtime()?;
        for_each(&runtime, &self.containers, |config| runtime.pause(config))
    }
}
