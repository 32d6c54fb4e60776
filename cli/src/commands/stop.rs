//! `minirun stop`.

use crate::command_line::Run as RunCommand;
use crate::context::{Context, for_each};
use crate::failure::Failure;
use clap::Args;
use std::process::ExitCode;
use std::time::Duration;

/// Options of `minirun stop`.
#[derive(Debug, Args)]
pub struct Stop {
    /// Seconds to wait before killing [default: the container's]
    #[arg(short, long, value_name = "SECONDS")]
    time: Option<u32>,
    /// Containers
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

impl RunCommand for Stop {
    const ABOUT: &'static str = "Ask containers to end, then kill them";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.runtime()?;
        let patience = self.time.map(|seconds| Duration::from_secs(seconds.into()));
        for_each(&runtime, &self.containers, |config| {
            runtime.stop(config, patience)
        })
    }
}
