//! `minirun create`.

use super::container_options::ContainerOptions;
use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::Failure;
use clap::Args;
use std::process::ExitCode;

/// Options of `minirun create`.
#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    container: ContainerOptions,
}

impl RunCommand for Create {
    const ABOUT: &'static str = "Create a container without starting it";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context
            .runtime()
            .map_err(|error| Failure::of_program(&error))?;
        let created = self.container.create(&runtime)?;
        print(&format!("{}\n", created.config.id))?;
        Ok(ExitCode::SUCCESS)
    }
}
