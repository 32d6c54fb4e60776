//! What is mounted in a container: into the root of a stopped one, and what is left out of what it has changed.

use std::path::PathBuf;

use oci_spec::runtime::Mount;

use crate::config::{ContainerConfig, NetworkMode};
use crate::devices::guard::DeviceGuard;
use crate::mounts::{MountInputs, MountOwners, RootAccess, container_mounts};
use crate::runtime::Runtime;

/// The mounts of a stopped container that show files of the host: those that are there. File systems that are made anew at each
/// start hold nothing now.
pub(super) fn mounts_of_stopped(runtime: &Runtime, config: &ContainerConfig) -> Vec<Mount> {
    let mut mounts = mounts_of(runtime, config);
    mounts.retain(|mount| {
        let is_bind = mount.typ().as_deref() == Some("bind");
        is_bind
            && mount
                .source()
                .as_deref()
                .is_some_and(|source| source.exists())
    });
    mounts
}

/// Where something is mounted in a container while it runs, as absolute paths.
pub(super) fn mount_points(runtime: &Runtime, config: &ContainerConfig) -> Vec<PathBuf> {
    let mounts = mounts_of(runtime, config);
    mounts
        .iter()
        .map(|mount| mount.destination().clone())
        .collect()
}

/// Everything that is mounted in a container.
fn mounts_of(runtime: &Runtime, config: &ContainerConfig) -> Vec<Mount> {
    let etc_files = match &config.network.mode {
        NetworkMode::Container(owner) => runtime.paths(owner).root,
        _ => runtime.paths(&config.id).root,
    };
    let access = match config.read_only {
        true => RootAccess::ReadOnly,
        false => RootAccess::Writable,
    };
    container_mounts(&MountInputs {
        etc_files: &etc_files,
        access,
        storage: &config.storage,
        privilege: config.security.privilege,
        // What is mounted for a stopped container is seen by root of the host.
        owners: MountOwners::AsOnDisk,
        volumes: runtime.volumes().directory(),
        // Nobody who looks at files from outside opens a device.
        device_guard: DeviceGuard::Mounts,
    })
}
