//! The options of `run` and `create` that say what is mounted.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::create::CreateRequest;

/// What of a container's file system is not its image's.
#[derive(Debug, Args)]
#[command(next_help_heading = "Storage")]
pub struct ContainerStorage {}

impl ContainerStorage {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        Ok(request)
    }
}
