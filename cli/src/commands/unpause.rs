//! `minirun unpause`.

use crate::command_line::Run as RunCommand;
use crate::context::{Context, for_each};
use crate::failure::Failure;
use clap::Args;
use std::process::ExitCode;

/// Options of `minirun unpause`.
#[derive(Debug, Args)]
pub struct Unpause {
    /// Containers
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

impl RunCommand for Unpause {
    const ABOUT: &'static str = "Let the processes of paused containers go on";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.runtime()?;
        for_each(&runtime, &self.containers, |config| runtime.unpause(config))
    }
}
