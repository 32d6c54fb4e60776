//! The options of `run`, `create` and `update` about what a container may reach outside.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::create::CreateRequest;

/// What a container may open connections to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct ContainerEgress {}

impl ContainerEgress {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        Ok(request)
    }
}
