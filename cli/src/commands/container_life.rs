//! The options of `run` and `create` about beginning and ending.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::create::CreateRequest;

/// When a container begins and ends.
#[derive(Debug, Args)]
#[command(next_help_heading = "Life")]
pub struct ContainerLife {}

impl ContainerLife {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        Ok(request)
    }
}
