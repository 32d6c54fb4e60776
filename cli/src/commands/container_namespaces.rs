//! The options of `run` and `create` about namespaces.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::create::CreateRequest;

/// Which namespaces a container has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Security")]
pub struct ContainerNamespaces {}

impl ContainerNamespaces {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        Ok(request)
    }
}
