//! The options of `run` and `create` about beginning and ending.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::create::CreateRequest;
use minirun_runtime::restart_policy::RestartPolicy;
use minirun_runtime::time_limit::TimeLimit;

/// When a container begins and ends.
#[derive(Debug, Args)]
#[command(next_help_heading = "Life")]
pub struct ContainerLife {
    /// Start it again when it ends: `no`, `on-failure[:MOST]`, `always`, `unless-stopped`
    #[arg(long, value_name = "POLICY", default_value_t)]
    restart: RestartPolicy,
    /// Kill it once a run of it has lasted so long, such as `90` or `2m`, with exit code 124
    #[arg(
        long,
        value_name = "DURATION",
        allow_negative_numbers = true,
        default_value_t,
        hide_default_value = true
    )]
    timeout: TimeLimit,
}

impl ContainerLife {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        Ok(CreateRequest {
            restart: self.restart,
            time_limit: self.timeout,
            ..request
        })
    }
}
