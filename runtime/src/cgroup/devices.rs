//! Keeping a container from devices that it shall not use.

use super::control_file;
use super::device_filter;
use super::device_program::device_program;
use super::directory::{self, GroupName};
use super::error::CgroupError;
use super::group::Cgroup;
use super::hierarchy::{Controller, legacy};
use super::legacy::LegacyGroup;
use crate::devices::policy::DevicePolicy;
use nix::errno::Errno;
use std::os::fd::{AsFd, BorrowedFd};

/// What guards the devices of a container.
#[derive(Debug)]
pub enum DeviceGroup {
    /// A filter on its group of version 2, which its processes are born into.
    Filtered,
    /// A group of version 1, which its processes must be in.
    Legacy(LegacyDevices),
    /// Nothing: this host has no means.
    Unguarded(Errno),
}

/// A container's group of version 1 for devices.
#[derive(Debug)]
pub struct LegacyDevices(LegacyGroup);

impl DeviceGroup {
    /// Brings the first process under the guard, and so all that it will start.
    pub fn admit(&self, pid: i32) -> Result<(), CgroupError> {
        match self {
            DeviceGroup::Legacy(LegacyDevices(group)) => group.admit(pid),
            DeviceGroup::Filtered | DeviceGroup::Unguarded(_) => Ok(()),
        }
    }
}

/// Sees to it that the processes of a container use no devices but those of the policy. `cgroup` is its group of version 2.
/// The filter comes first: it needs no further group, and processes are never without it. `usual` is the one for the usual
/// devices, if it was loaded before.
pub fn guard_devices(
    name: GroupName<'_>,
    cgroup: Option<&Cgroup>,
    (policy, usual): (&DevicePolicy, Option<BorrowedFd<'_>>),
) -> Result<DeviceGroup, CgroupError> {
    let refusal = match (cgroup, usual) {
        (Some(cgroup), Some(usual)) if *policy == DevicePolicy::usual() => {
            device_filter::attach(cgroup.fd(), usual)
        }
        (Some(cgroup), _) => device_filter::load(&device_program(policy))
            .and_then(|program| device_filter::attach(cgroup.fd(), program.as_fd())),
        (None, _) => Err(Errno::ENOSYS),
    };
    let Err(errno) = refusal else {
        return Ok(DeviceGroup::Filtered);
    };
    let Some(root) = legacy(Controller::Devices)? else {
        return Ok(DeviceGroup::Unguarded(errno));
    };
    let (group, _) = LegacyGroup::make(&root, name, Controller::Devices)?;
    let group = group.unless_populated()?;
    match list(&group, policy) {
        Ok(()) => Ok(DeviceGroup::Legacy(LegacyDevices(group))),
        // Whoever has fewer devices than that cannot pass them on.
        Err(_) => {
            directory::remove(&group.path, group.fate)?;
            Ok(DeviceGroup::Unguarded(errno))
        }
    }
}

/// Replaces what the group has from the one above.
fn list(group: &LegacyGroup, policy: &DevicePolicy) -> Result<(), CgroupError> {
    control_file::write(&group.path.join("devices.deny"), "a")?;
    let allow = group.path.join("devices.allow");
    policy
        .rules()
        .try_for_each(|rule| control_file::write(&allow, &rule.to_string()))
}
