//! `minirun version`.

use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::Failure;
use clap::Args;
use std::process::ExitCode;

/// Options of `minirun version`.
#[derive(Debug, Args)]
pub struct Version {}

impl RunCommand for Version {
    const ABOUT: &'static str = "Show the version";

    fn run(self, _context: &Context) -> Result<ExitCode, Failure> {
        print(&format!("minirun {}\n", env!("CARGO_PKG_VERSION")))?;
        Ok(ExitCode::SUCCESS)
    }
}
