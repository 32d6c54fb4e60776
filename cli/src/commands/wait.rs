//! `minirun wait`.

use crate::command_line::Run as RunCommand;
use crate::context::{Context, Found, print};
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
        let found = Found::among(&runtime, &self.containers);
        let mut code = found.code;
        // All at once, so that none of them can be removed, or start again, while another is waited for.
        let endings: Vec<_> = found
            .containers
            .iter()
            .map(|config| runtime.ending(config))
            .collect();
        for (config, ending) in found.containers.iter().zip(endings) {
            match ending.and_then(|ending| runtime.wait(config, &ending)) {
                Ok(exit_code) => print(&format!("{exit_code}\n"))?,
                Err(error) => code = Failure::from(error).show(),
            }
        }
        Ok(code)
    }
}
