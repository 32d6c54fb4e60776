//! The options of `run` and `create` about health checks.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::create::CreateRequest;

/// How a container's health is checked.
#[derive(Debug, Args)]
#[command(next_help_heading = "Health")]
pub struct ContainerHealth {}

impl ContainerHealth {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        Ok(request)
    }
}
