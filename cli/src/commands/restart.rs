//! `minirun restart`.

use crate::command_line::Run as RunCommand;
use crate::context::{Context, for_each};
use crate::failure::Failure;
use crate::narration::tell;
use clap::Args;
use std::process::ExitCode;
use std::time::Duration;

/// Options of `minirun restart`.
#[derive(Debug, Args)]
pub struct Restart {
    /// Seconds to wait before killing [default: the container's]
    #[arg(short, long, value_name = "SECONDS")]
    time: Option<u32>,
    /// Containers
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

impl RunCommand for Restart {
    const ABOUT: &'static str = "Stop containers and start them again";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.runtime()?;
        let patience = self.time.map(|seconds| Duration::from_secs(seconds.into()));
        for_each(&runtime, &self.containers, |config| {
            runtime.restart(config, patience, &mut tell)
        })
    }
}
