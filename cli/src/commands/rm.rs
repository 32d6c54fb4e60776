//! `minirun rm`.

use crate::command_line::Run as RunCommand;
use crate::context::{Context, for_each};
use crate::failure::Failure;
use crate::narration::Narration;
use clap::Args;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::remove::Force;
use std::process::ExitCode;

/// Options of `minirun rm`.
#[derive(Debug, Args)]
pub struct Remove {
    /// Kill containers that run, and do not mind those that do not exist
    #[arg(short, long)]
    force: bool,
    /// Tell every step, with the command a person would type for it
    #[arg(long)]
    explain: bool,
    /// Containers
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

impl RunCommand for Remove {
    const ABOUT: &'static str = "Remove containers";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.tidy_runtime()?;
        let force = if self.force { Force::Yes } else { Force::No };
        let mut narration = Narration::new(self.explain);
        let known: Vec<String> = self
            .containers
            .into_iter()
            .filter(|name| {
                !(self.force
                    && matches!(
                        runtime.resolve(name),
                        Err(RuntimeError::UnknownContainer(_))
                    ))
            })
            .collect();
        for_each(&runtime, &known, |config| {
            runtime.remove(config, force, &mut narration)
        })
    }
}
