//! The options of `run` and `create` about devices.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::create::CreateRequest;
use minirun_runtime::devices::Devices;
use minirun_runtime::devices::mapping::DeviceMapping;
use minirun_runtime::devices::rule::DeviceRule;

/// Which devices of the host a container has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Devices")]
pub struct ContainerDevices {
    /// Show a device of the host, or all in a directory; access is some of `r`, `w` and `m` (make nodes)
    #[arg(long, value_name = "HOST[:CONTAINER][:ACCESS]")]
    device: Vec<DeviceMapping>,
    /// Permit devices by their numbers, such as `c 1:* rwm`
    #[arg(long, value_name = "RULE")]
    device_cgroup_rule: Vec<DeviceRule>,
}

impl ContainerDevices {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        Ok(CreateRequest {
            devices: Devices {
                mappings: self.device.clone(),
                rules: self.device_cgroup_rule.clone(),
            },
            ..request
        })
    }
}
