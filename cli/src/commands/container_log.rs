//! The options of `run` and `create` about output.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::create::CreateRequest;

/// What becomes of a container's output.
#[derive(Debug, Args)]
#[command(next_help_heading = "Logging")]
pub struct ContainerLog {}

impl ContainerLog {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        Ok(request)
    }
}
