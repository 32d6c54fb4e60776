//! `minirun info`.

use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::{Failure, complain};
use crate::show::facts;
use clap::Args;
use std::process::ExitCode;

/// Options of `minirun info`.
#[derive(Debug, Args)]
pub struct Info {}

impl RunCommand for Info {
    const ABOUT: &'static str = "Show what minirun knows about this host";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.asking_runtime()?;
        let facts = runtime.facts()?;
        print(&facts::lines(&facts))?;
        for warning in facts::warnings(&facts) {
            complain("warning", &warning.to_string());
        }
        Ok(ExitCode::SUCCESS)
    }
}
