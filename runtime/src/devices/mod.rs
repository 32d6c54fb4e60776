//! Which devices of the host a container has: what was asked for, in words and types, and what follows from it.
//!
//! Only [`node`] looks at the host, and `running` at a record. What the kernel is told stands in [`crate::cgroup`].

pub mod access;
pub mod error;
pub mod guard;
pub mod mapping;
pub mod node;
pub mod number;
pub mod policy;
pub mod rule;
mod running;

use error::DeviceError;
use guard::GuardedDevices;
use mapping::DeviceMapping;
use node::DeviceNode;
use policy::DevicePolicy;
use rule::DeviceRule;
use serde::{Deserialize, Serialize};

use crate::security::Privilege;

/// The devices of a container beside the usual ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Devices {
    /// The devices and directories of devices that it is shown (`--device`).
    pub mappings: Vec<DeviceMapping>,
    /// What else it may use, if it makes the nodes itself (`--device-cgroup-rule`).
    pub rules: Vec<DeviceRule>,
}

impl Devices {
    /// The option that needs somebody to keep to it, if one was given.
    pub fn option(&self) -> Option<&'static str> {
        match (self.mappings.is_empty(), self.rules.is_empty()) {
            (false, _) => Some("--device"),
            (true, false) => Some("--device-cgroup-rule"),
            (true, true) => None,
        }
    }

    /// What this means on this host, now.
    ///
    /// # Errors
    /// When a device is missing, or is none.
    pub fn on_this_host(&self, privilege: Privilege) -> Result<GuardedDevices, DeviceError> {
        let mut nodes = match privilege {
            Privilege::Ordinary => Vec::new(),
            Privilege::Privileged => node::all_of_host()?,
        };
        let mut policy = match privilege {
            Privilege::Ordinary => DevicePolicy::usual(),
            Privilege::Privileged => DevicePolicy::everything(),
        };
        for mapping in &self.mappings {
            for found in node::of_mapping(mapping)? {
                policy.permit(&found.rule(mapping.access));
                replace(&mut nodes, found);
            }
        }
        for rule in &self.rules {
            policy.permit(rule);
        }
        Ok(GuardedDevices::new(nodes, policy, privilege))
    }
}

/// Of two devices at one place the later is meant.
fn replace(nodes: &mut Vec<DeviceNode>, new: DeviceNode) {
    nodes.retain(|node| node.path != new.path);
    nodes.push(new);
}
