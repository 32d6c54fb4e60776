//! `minirun diff`.

use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::Failure;
use crate::output::sanitize::sanitize;
use clap::Args;
use std::process::ExitCode;

/// Options of `minirun diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// Container
    #[arg(value_name = "CONTAINER")]
    container: String,
}

impl RunCommand for Diff {
    const ABOUT: &'static str =
        "Show what a container has changed of its image: A added, C changed, D deleted";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.runtime()?;
        let config = runtime.resolve(&self.container)?;
        let lines = runtime.changes(&config)?.into_iter().map(|change| {
            let path = change.path.to_string_lossy();
            format!("{} {}\n", change.kind, sanitize(&path))
        });
        print(&lines.collect::<String>())?;
        Ok(ExitCode::SUCCESS)
    }
}
