//! The options of `run` and `create` about beginning and ending.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::create::CreateRequest;
use minirun_runtime::restart_policy::RestartPolicy;

/// When a container begins and ends.
#[derive(Debug, Args)]
#[command(next_help_heading = "Life")]
pub struct ContainerLife {
    /// Start it again when it ends: `no`, `on-failure[:MOST]`, `always`, `unless-stopped`
    #[arg(long, value_name = "POLICY", default_value_t)]
    restart: RestartPolicy,
}

impl ContainerLife {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        Ok(CreateRequest {
            restart: self.restart,
            ..request
        })
    }
}
