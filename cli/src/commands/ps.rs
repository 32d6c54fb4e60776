//! `minirun ps`.

use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::Failure;
use crate::show::containers::{self, ListFormat, Selection, Truncation, Which};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use std::process::ExitCode;

/// Options of `minirun ps`.
#[derive(Debug, Args)]
pub struct List {
    /// Show containers that do not run, too
    #[arg(short, long)]
    all: bool,
    /// Show ids only
    #[arg(short, long)]
    quiet: bool,
    /// Do not shorten ids and commands, and show the names that links give
    #[arg(long)]
    no_trunc: bool,
    /// How to show them
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// How a list is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns
    Table,
    /// One JSON object a line
    Json,
}

impl Format {
    /// Ids only, if that was asked for.
    pub fn unless(self, quiet: bool) -> ListFormat {
        match (quiet, self) {
            (true, _) => ListFormat::Quiet,
            (false, Format::Table) => ListFormat::Table,
            (false, Format::Json) => ListFormat::Json,
        }
    }
}

/// Whether ids are shortened.
pub fn truncation(no_trunc: bool) -> Truncation {
    if no_trunc {
        Truncation::Full
    } else {
        Truncation::Short
    }
}

impl RunCommand for List {
    const ABOUT: &'static str = "List containers";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.tidy_runtime()?;
        let mut all = runtime.all_details()?;
        // Newest first, as with Docker.
        all.reverse();
        let selection = Selection {
            all: &all,
            which: if self.all { Which::All } else { Which::Running },
        };
        print(&containers::list(
            selection,
            self.format.unless(self.quiet),
            truncation(self.no_trunc),
            Timestamp::now(),
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}
