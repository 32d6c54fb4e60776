//! The devices of a container, in the words of the specification.

use oci_spec::runtime::{LinuxDevice, LinuxDeviceCgroup, LinuxDeviceType, LinuxResources};

use crate::devices::access::DeviceAccess;
use crate::devices::guard::{DeviceGuard, GuardedDevices};
use crate::devices::node::DeviceNode;
use crate::devices::number::{DeviceKind, NumberWanted};
use crate::devices::rule::DeviceRule;

/// The nodes beside the usual ones.
pub(super) fn device_nodes(devices: &GuardedDevices) -> Option<Vec<LinuxDevice>> {
    let nodes: Vec<LinuxDevice> = devices.nodes.iter().map(node).collect();
    (!nodes.is_empty()).then_some(nodes)
}

/// What may be used, unless only the mounts keep the container from other devices: who reads a list here can rely on it.
pub(super) fn device_resources(devices: &GuardedDevices) -> Option<LinuxResources> {
    let first = match devices.guard {
        DeviceGuard::Mounts => return None,
        DeviceGuard::ControlGroup => Some(nothing()),
        DeviceGuard::Nobody => None,
    };
    let permitted = devices.policy.rules().map(|rule| permitted(&rule));
    let mut resources = LinuxResources::default();
    resources.set_devices(Some(first.into_iter().chain(permitted).collect()));
    Some(resources)
}

fn node(node: &DeviceNode) -> LinuxDevice {
    let mut device = LinuxDevice::default();
    device
        .set_path(node.path.clone().into())
        .set_typ(kind(node.kind))
        .set_major(node.number.0.into())
        .set_minor(node.number.1.into())
        .set_file_mode(Some(node.mode))
        .set_uid(Some(node.owner.0))
        .set_gid(Some(node.owner.1));
    device
}

fn nothing() -> LinuxDeviceCgroup {
    let mut device = LinuxDeviceCgroup::default();
    device
        .set_allow(false)
        .set_access(Some(DeviceAccess::ALL.to_string()));
    device
}

fn permitted(rule: &DeviceRule) -> LinuxDeviceCgroup {
    let number = |wanted| match wanted {
        NumberWanted::Any => None,
        NumberWanted::One(number) => Some(i64::from(number)),
    };
    let mut device = LinuxDeviceCgroup::default();
    device
        .set_allow(true)
        .set_typ(rule.kind.map(kind))
        .set_major(number(rule.major))
        .set_minor(number(rule.minor))
        .set_access(Some(rule.access.to_string()));
    device
}

fn kind(kind: DeviceKind) -> LinuxDeviceType {
    match kind {
        DeviceKind::Block => LinuxDeviceType::B,
        DeviceKind::Character => LinuxDeviceType::C,
    }
}
