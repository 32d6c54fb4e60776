//! The options of `run` and `create` about the parts of root's power.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::create::CreateRequest;

/// Which capabilities a container has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Security")]
pub struct ContainerPrivileges {}

impl ContainerPrivileges {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        Ok(request)
    }
}
