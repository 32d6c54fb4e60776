//! `minirun ps`.

use super::container_filter::{ContainerKey, fits};
use super::filter::Filter;
use super::format::{Format, truncation};
use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::Failure;
use crate::show::containers::{self, Selection, is_running};
use clap::Args;
use jiff::Timestamp;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::summary::ContainerSummary;
use std::collections::HashMap;
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
    /// Show how much containers have written
    #[arg(short, long)]
    size: bool,
    /// Do not shorten ids and commands, and show the names that links give
    #[arg(long)]
    no_trunc: bool,
    /// Show those that fit: name, id, label, status, network, volume
    #[arg(short, long, value_name = "KEY=VALUE")]
    filter: Vec<Filter<ContainerKey>>,
    /// How to show them
    #[arg(long, default_value = "table", value_name = "table|json|TEMPLATE")]
    format: Format,
}

impl RunCommand for List {
    const ABOUT: &'static str = "List containers";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let (runtime, mut all) = context.survey()?;
        // Newest first, as with Docker.
        all.reverse();
        let shown: Vec<&ContainerSummary> = all.iter().filter(|one| self.shows(one)).collect();
        let sizes = self.size.then(|| {
            let measured = shown.iter().map(|one| {
                let (id, image_id) = (&one.outline.id, &one.outline.image_id);
                Ok((*id, runtime.container_size(id, image_id)?))
            });
            measured.collect::<Result<HashMap<_, _>, RuntimeError>>()
        });
        let selection = Selection {
            all: &all,
            shown,
            sizes: sizes.transpose()?,
        };
        print(&containers::list(
            &selection,
            &self.format.unless(self.quiet),
            truncation(self.no_trunc),
            Timestamp::now(),
        )?)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    /// Who asks for a status means containers that do not run as well, as with Docker.
    fn shows(&self, summary: &ContainerSummary) -> bool {
        let names_status = |filter: &Filter<ContainerKey>| filter.key == ContainerKey::Status;
        let all = self.all || self.filter.iter().any(names_status);
        (all || is_running(summary)) && fits(&self.filter, summary)
    }
}
