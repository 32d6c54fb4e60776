//! The options of `run` and `create` that limit a container.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::create::CreateRequest;

/// How much of the host a container may use.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct ContainerResources {}

impl ContainerResources {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        Ok(request)
    }
}
