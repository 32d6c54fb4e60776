//! Who sees to it that a container uses no devices but its own.

use super::node::DeviceNode;
use super::policy::DevicePolicy;
use crate::security::Privilege;

/// Who sees to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceGuard {
    /// The kernel asks the container's control group whenever a node is made or opened.
    ControlGroup,
    /// No control group can: every mount is such that no node in it can be opened, but for those that the runtime puts there.
    Mounts,
    /// Nobody: the container may use all.
    Nobody,
}

impl DeviceGuard {
    /// Whether mounts have to refuse that nodes in them are opened.
    pub fn needs_closed_mounts(self) -> bool {
        self == DeviceGuard::Mounts
    }
}

/// The devices of a container at one start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardedDevices {
    /// The nodes in it beside the usual ones.
    pub nodes: Vec<DeviceNode>,
    /// What it may use.
    pub policy: DevicePolicy,
    /// Who sees to that.
    pub guard: DeviceGuard,
}

impl GuardedDevices {
    /// Devices that are guarded by mounts, as long as nobody is found who does it better; those of a privileged container
    /// need no guard.
    pub fn new(nodes: Vec<DeviceNode>, policy: DevicePolicy, privilege: Privilege) -> Self {
        let guard = match privilege {
            Privilege::Ordinary => DeviceGuard::Mounts,
            Privilege::Privileged => DeviceGuard::Nobody,
        };
        GuardedDevices {
            nodes,
            policy,
            guard,
        }
    }

    /// The usual devices, where only the guard counts.
    pub fn usual(guard: DeviceGuard) -> Self {
        GuardedDevices {
            nodes: Vec::new(),
            policy: DevicePolicy::usual(),
            guard,
        }
    }
}
