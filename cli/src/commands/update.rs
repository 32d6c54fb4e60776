//! `minirun update`.

use crate::command_line::Run as RunCommand;
use crate::context::{Context, for_each};
use crate::failure::Failure;
use clap::{ArgGroup, Args};
use minirun_runtime::restart_policy::RestartPolicy;
use minirun_runtime::update::ContainerChange;
use std::process::ExitCode;

/// Options of `minirun update`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").required(true).multiple(true))]
pub struct Update {
    /// Start it again when it ends: `no`, `on-failure[:MOST]`, `always`, `unless-stopped`
    #[arg(long, group = "change", value_name = "POLICY")]
    restart: Option<RestartPolicy>,
    /// Containers
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

impl RunCommand for Update {
    const ABOUT: &'static str = "Change containers, also while they run";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.runtime()?;
        let change = ContainerChange {
            restart: self.restart,
        };
        for_each(&runtime, &self.containers, |config| {
            runtime.update(config, &change)
        })
    }
}
