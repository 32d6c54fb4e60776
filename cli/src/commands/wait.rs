//! `minirun wait`.

use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::Failure;
use clap::Args;
use std::process::ExitCode;

/// Options of `minirun wait`.
#[derive(Debug, Args)]
pub struct Wait {
    /// Containers
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

impl RunCommand for Wait {
    const ABOUT: &'static str = "Wait for containers to end and print their exit codes";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.runtime()?;
        let mut code = ExitCode::SUCCESS;
        for name in &self.containers {
            match runtime
                .resolve(name)
                .and_then(|config| runtime.wait(&config))
            {
                Ok(exit_code) => print(&format!("{exit_code}\n"))?,
                Err(error) => code = Failure::from(error).show(),
            }
        }
        Ok(code)
    }
}
