//! The options of `run` and `create` about devices.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::create::CreateRequest;

/// Which devices of the host a container has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Devices")]
pub struct ContainerDevices {}

impl ContainerDevices {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        Ok(request)
    }
}
