//! `minirun system df`.

use crate::commands::format::Format;
use crate::context::print;
use crate::failure::Failure;
use crate::show::disk_usage;
use clap::Args;
use jiff::Timestamp;
use minirun_runtime::runtime::Runtime;
use std::process::ExitCode;

/// Options of `minirun system df`.
#[derive(Debug, Args)]
pub struct DiskUsage {
    /// Show each image, container and volume
    #[arg(short, long)]
    verbose: bool,
    /// How to show it
    #[arg(long, default_value = "table", value_name = "table|json|TEMPLATE")]
    format: Format,
}

impl DiskUsage {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        let usage = runtime.disk_usage()?;
        let format = self.format.unless(false);
        print(&match self.verbose {
            true => disk_usage::each(&usage, &format, Timestamp::now())?,
            false => disk_usage::summary(&usage, &format)?,
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
