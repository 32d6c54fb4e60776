//! `minirun update`.

use super::container_egress::ContainerEgress;
use super::container_resources::ContainerResources;
use crate::command_line::Run as RunCommand;
use crate::context::{Context, for_each};
use crate::failure::Failure;
use clap::Args;
use minirun_runtime::restart_policy::RestartPolicy;
use minirun_runtime::time_limit::TimeLimit;
use minirun_runtime::update::ContainerChange;
use std::process::ExitCode;

/// Options of `minirun update`.
#[derive(Debug, Args)]
pub struct Update {
    /// Start it again when it ends: `no`, `on-failure[:MOST]`, `always`, `unless-stopped`
    #[arg(long, value_name = "POLICY", help_heading = "Life")]
    restart: Option<RestartPolicy>,
    /// Kill it once a run of it has lasted so long, such as `90` or `2m`; 0 lets it run
    #[arg(
        long,
        value_name = "DURATION",
        allow_negative_numbers = true,
        help_heading = "Life"
    )]
    timeout: Option<TimeLimit>,
    #[command(flatten)]
    resources: ContainerResources,
    #[command(flatten)]
    egress: ContainerEgress,
    /// Containers
    #[arg(value_name = "CONTAINER", required = true, help_heading = None)]
    containers: Vec<String>,
}

impl RunCommand for Update {
    const ABOUT: &'static str = "Change the limits, the restart policy and the reach of containers";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let change = ContainerChange {
            restart: self.restart,
            resources: self.resources.change(),
            time_limit: self.timeout,
            egress: self.egress.change()?,
        };
        if change == ContainerChange::default() {
            return Err(Failure::new("nothing is to be changed").with_hint(
                "name a limit, such as `--memory 512m`, or a policy, such as `--restart no`",
            ));
        }
        let runtime = context.runtime()?;
        for_each(&runtime, &self.containers, |config| {
            runtime.update(config, &change)
        })
    }
}
