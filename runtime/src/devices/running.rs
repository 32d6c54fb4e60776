//! Who guards the devices of a container that runs, as its start has decided.

use super::guard::DeviceGuard;
use crate::config::ContainerConfig;
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use crate::security::Privilege;
use crate::spec::lets_mounts_in;
use minirun_bridge::atomic_file;
use serde_json::Value;

impl Runtime {
    /// What is executed in a container may make device nodes if the container may. That depends on the guard only where mounts
    /// come in from the host, so only then is the specification read.
    pub(crate) fn device_guard(
        &self,
        config: &ContainerConfig,
    ) -> Result<DeviceGuard, RuntimeError> {
        if config.security.privilege == Privilege::Privileged {
            return Ok(DeviceGuard::Nobody);
        }
        if !lets_mounts_in(&config.storage) {
            return Ok(DeviceGuard::ControlGroup);
        }
        let path = self.paths(&config.id).specification();
        let specification: Option<Value> = atomic_file::read_json_if_present(&path)?;
        let listed = specification.and_then(|document| {
            let devices = document.pointer("/linux/resources/devices")?;
            devices.as_array().map(|_| DeviceGuard::ControlGroup)
        });
        Ok(listed.unwrap_or(DeviceGuard::Mounts))
    }
}
