//! `minirun rename`.

use crate::command_line::Run as RunCommand;
use crate::context::Context;
use crate::failure::Failure;
use clap::Args;
use minirun_bridge::name::ContainerName;
use std::process::ExitCode;

/// Options of `minirun rename`.
#[derive(Debug, Args)]
pub struct Rename {
    /// Container
    #[arg(value_name = "CONTAINER")]
    container: String,
    /// Its new name
    #[arg(value_name = "NAME")]
    name: ContainerName,
}

impl RunCommand for Rename {
    const ABOUT: &'static str = "Give a container another name";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.tidy_runtime()?;
        runtime.rename(&runtime.resolve(&self.container)?, self.name)?;
        Ok(ExitCode::SUCCESS)
    }
}
