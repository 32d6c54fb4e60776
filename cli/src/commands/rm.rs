//! `minirun rm`.

use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::{Failure, complain};
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
        let mut code = ExitCode::SUCCESS;
        for name in &self.containers {
            let removed = runtime
                .resolve(name)
                .and_then(|config| runtime.remove(&config, force, &mut narration));
            match removed {
                Ok(()) => print(&format!("{name}\n"))?,
                // What is not there needs no removing; but a misspelt name should be seen.
                Err(RuntimeError::UnknownContainer(name)) if self.force => {
                    complain("warning", &format!("no container is called `{name}`"));
                }
                Err(error) => code = Failure::from(error).show(),
            }
        }
        Ok(code)
    }
}
