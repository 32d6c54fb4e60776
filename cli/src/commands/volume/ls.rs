//! `minirun volume ls`.

use super::filter::{VolumeKey, fits};
use crate::commands::filter::Filter;
use crate::commands::format::Format;
use crate::context::print;
use crate::failure::Failure;
use crate::show::volume;
use clap::Args;
use minirun_runtime::runtime::Runtime;
use std::process::ExitCode;

/// Options of `minirun volume ls`.
#[derive(Debug, Args)]
pub struct VolumeList {
    /// Show those that fit: dangling, driver, label, name
    #[arg(short, long, value_name = "KEY=VALUE")]
    filter: Vec<Filter<VolumeKey>>,
    /// Show names only
    #[arg(short, long)]
    quiet: bool,
    /// How to show them
    #[arg(long, default_value = "table", value_name = "table|json|TEMPLATE")]
    format: Format,
}

impl VolumeList {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        let mut volumes = runtime.volumes_in_use()?;
        volumes.retain(|one| fits(&self.filter, one));
        let store = runtime.volumes();
        print(&volume::list(
            &volumes,
            store.directory(),
            &self.format.unless(self.quiet),
        )?)?;
        Ok(ExitCode::SUCCESS)
    }
}
