//! `minirun update`.

use super::container_resources::ContainerResources;
use crate::command_line::Run as RunCommand;
use crate::context::{Context, for_each};
use crate::failure::Failure;
use clap::Args;
use std::process::ExitCode;

/// Options of `minirun update`.
#[derive(Debug, Args)]
pub struct Update {
    #[command(flatten)]
    resources: ContainerResources,
    /// Containers
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

impl RunCommand for Update {
    const ABOUT: &'static str = "Change the limits of containers";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let change = self.resources.change();
        if change.is_empty() {
            return Err(Failure::new("nothing is to be changed")
                .with_hint("name a limit, such as `--memory 512m`"));
        }
        let runtime = context.runtime()?;
        for_each(&runtime, &self.containers, |config| {
            runtime.update_resources(config, &change)
        })
    }
}
