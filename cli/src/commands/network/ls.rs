//! `minirun network ls`.

use super::filter::{NetworkKey, Usage, fits};
use crate::commands::filter::Filter;
use crate::commands::format::{Format, truncation};
use crate::context::print;
use crate::failure::Failure;
use crate::show::network_list;
use clap::Args;
use minirun_runtime::runtime::Runtime;
use std::process::ExitCode;

/// Options of `minirun network ls`.
#[derive(Debug, Args)]
pub struct NetworkList {
    /// Show those that fit: driver, id, name, label, scope, type, dangling
    #[arg(short, long, value_name = "KEY=VALUE")]
    filter: Vec<Filter<NetworkKey>>,
    /// Show ids only
    #[arg(short, long)]
    quiet: bool,
    /// Do not shorten ids
    #[arg(long)]
    no_trunc: bool,
    /// How to show them
    #[arg(long, default_value = "table", value_name = "table|json|TEMPLATE")]
    format: Format,
}

impl NetworkList {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        runtime.default_network()?;
        let dangles = |filter: &Filter<NetworkKey>| filter.key == NetworkKey::Dangling;
        let usage = match self.filter.iter().any(dangles) {
            true => Usage::of(runtime)?,
            false => Usage::default(),
        };
        print(&network_list::list(
            &runtime.networks.networks()?,
            &|listed| fits(&self.filter, listed, &usage),
            &self.format.unless(self.quiet),
            truncation(self.no_trunc),
        )?)?;
        Ok(ExitCode::SUCCESS)
    }
}
