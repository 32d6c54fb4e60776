//! `minirun restart`.

use super::stop::HowToStop;
use crate::command_line::Run as RunCommand;
use crate::context::{Context, for_each};
use crate::failure::Failure;
use crate::narration::tell;
use clap::Args;
use std::process::ExitCode;

/// Options of `minirun restart`.
#[derive(Debug, Args)]
pub struct Restart {
    #[command(flatten)]
    how: HowToStop,
    /// Containers
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

impl RunCommand for Restart {
    const ABOUT: &'static str = "Stop containers and start them again";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.runtime()?;
        let options = self.how.options();
        for_each(&runtime, &self.containers, |config| {
            runtime.restart(config, &options, &mut tell)
        })
    }
}
