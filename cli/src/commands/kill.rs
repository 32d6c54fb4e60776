//! `minirun kill`.

use crate::command_line::Run as RunCommand;
use crate::context::{Context, for_each};
use crate::failure::Failure;
use clap::Args;
use minirun_runtime::signal::StopSignal;
use std::process::ExitCode;

/// Options of `minirun kill`.
#[derive(Debug, Args)]
pub struct Kill {
    /// Signal to send
    #[arg(short, long, value_name = "SIGNAL", default_value = "SIGKILL")]
    signal: StopSignal,
    /// Containers
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

impl RunCommand for Kill {
    const ABOUT: &'static str = "Send a signal to containers";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.runtime()?;
        for_each(&runtime, &self.containers, |config| {
            let ending = runtime.ending(config)?;
            runtime.signal(config, self.signal)?;
            // Nothing survives SIGKILL, so the next command should not find it half alive.
            if self.signal == StopSignal::KILL {
                ending.wait(None)?;
            }
            Ok(())
        })
    }
}
