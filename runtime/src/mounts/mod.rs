//! What is mounted in every container, and what of it is hidden or protected: Docker's tables
//! (`daemon/pkg/oci/defaults.go` of moby) as data.

mod wanted;

use std::path::Path;

use oci_spec::runtime::Mount;

use crate::config::ContainerConfig;
use crate::devices::guard::DeviceGuard;
use crate::security::Privilege;
use crate::storage::{BindOwners, MountKind, Storage};
use wanted::wanted_mount;

/// The word of the specification for a mount whose files are shown with the users of the container.
const SHIFTED: &str = "idmap";

/// Files and directories of proc and sys that a container must not see. Those that the kernel does not have are skipped.
const MASKED_PATHS: [&str; 12] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

/// Files and directories of proc that a container may read and not write.
pub const READ_ONLY_PATHS: [&str; 5] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// Destination, type, source and options of the file systems in every container, in the order they are mounted.
///
const FILE_SYSTEMS: [(&str, &str, &str, &[&str]); 7] = [
    ("/proc", "proc", "proc", &["nosuid", "noexec", "nodev"]),
    (
        "/dev",
        "tmpfs",
        "tmpfs",
        &["nosuid", "strictatime", "mode=755", "size=65536k"],
    ),
    (
        "/dev/pts",
        "devpts",
        "devpts",
        &[
            "nosuid",
            "noexec",
            "newinstance",
            "ptmxmode=0666",
            "mode=0620",
            "gid=5",
        ],
    ),
    (
        "/sys",
        "sysfs",
        "sysfs",
        &["nosuid", "noexec", "nodev", "ro"],
    ),
    (
        "/sys/fs/cgroup",
        "cgroup",
        "cgroup",
        &["ro", "nosuid", "noexec", "nodev"],
    ),
    (
        "/dev/mqueue",
        "mqueue",
        "mqueue",
        &["nosuid", "noexec", "nodev"],
    ),
    (
        "/dev/shm",
        "tmpfs",
        "shm",
        &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
    ),
];

/// The files of the container's directory that are laid over the image's own in `/etc`.
const ETC_FILES: [&str; 3] = ["resolv.conf", "hostname", "hosts"];

/// Whether the root file system, and with it the files laid over its `/etc`, can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootAccess {
    /// It can.
    Writable,
    /// Writes are refused (`--read-only`).
    ReadOnly,
}

/// What a container's mounts depend on.
#[derive(Clone, Copy, Debug)]
pub struct MountInputs<'a> {
    /// The directory that its files in `/etc` are in.
    pub etc_files: &'a Path,
    /// Whether its root can be written.
    pub access: RootAccess,
    /// What the user wants to be mounted.
    pub storage: &'a Storage,
    /// Whose files are shown to be that lie on the host for the container alone.
    pub owners: MountOwners,
    /// The directory of the volumes.
    pub volumes: &'a Path,
    /// Whether it may change what /sys and its control group say.
    pub privilege: Privilege,
    /// Who keeps the container from devices that are not its own.
    pub device_guard: DeviceGuard,
}

/// What a container must not see on a host of so many processors that tell how often they were throttled, which tells of what
/// others compute.
pub(crate) fn masked_paths(processors: usize) -> Vec<String> {
    let throttling = |number| format!("/sys/devices/system/cpu/cpu{number}/thermal_throttle");
    let mut paths = owned(&MASKED_PATHS);
    paths.extend((0..processors).map(throttling));
    paths
}

/// Whose the files of volumes, and of what is ours, are shown to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountOwners {
    /// Whose they are on disk.
    AsOnDisk,
    /// The container's users of the same numbers.
    Shifted,
}

impl MountOwners {
    /// While the container runs.
    pub fn of(config: &ContainerConfig) -> MountOwners {
        match config.security.id_range {
            Some(_) => MountOwners::Shifted,
            None => MountOwners::AsOnDisk,
        }
    }

    /// A mount that shows them so.
    fn show(self, mut mount: Mount) -> Mount {
        if self == MountOwners::Shifted
            && let Some(options) = mount.options_mut()
        {
            options.push(SHIFTED.to_owned());
        }
        mount
    }
}

/// The mounts of a container, in the order they are made: the kernel's file systems, then by depth, so that nothing hides what lies
/// below it, everything else. A mount of the user's takes the place of ours with the same destination; one on `/dev` takes the place
/// of all that is in it.
pub fn container_mounts(inputs: &MountInputs<'_>) -> Vec<Mount> {
    let wanted = &inputs.storage.mounts;
    let is_ours = |destination: &str| {
        !wanted.iter().any(|mount| {
            mount.destination.as_str() == destination
                || mount.destination.as_str() == "/dev" && destination.starts_with("/dev/")
        })
    };
    let mut mounts: Vec<Mount> = FILE_SYSTEMS
        .iter()
        .filter(|(destination, ..)| is_ours(destination))
        .map(|row| file_system(row, inputs))
        .collect();
    let etc_files = ETC_FILES
        .iter()
        .map(|name| (Path::new("/etc").join(name), inputs.etc_files.join(name)))
        .filter(|(destination, _)| is_ours(&destination.to_string_lossy()))
        .map(|(destination, source)| bind(&source, &destination, inputs.access))
        .map(|mount| inputs.owners.show(mount));
    let wanted = wanted.iter().map(|mount| {
        let specified = wanted_mount(mount, inputs);
        match is_shifted(&mount.kind) {
            true => inputs.owners.show(specified),
            false => specified,
        }
    });
    let mut others: Vec<Mount> = etc_files.chain(wanted).collect();
    others.sort_by_key(|mount| mount.destination().components().count());
    mounts.append(&mut others);
    mounts
}

/// Volumes are ours, files of the host are not: who writes to them as root is to be nobody there, unless the user has said
/// otherwise.
fn is_shifted(kind: &MountKind) -> bool {
    match kind {
        MountKind::Volume(_) => true,
        MountKind::Bind(bind) => bind.owners == BindOwners::Container,
        MountKind::Tmpfs(_) => false,
    }
}

/// A row of [`FILE_SYSTEMS`]: `/dev/shm` is as large as it is wanted, `/dev` closed to devices where nobody else guards them, and
/// nothing is read-only in a privileged container.
fn file_system(
    (destination, kind, source, options): &(&str, &str, &str, &[&str]),
    inputs: &MountInputs<'_>,
) -> Mount {
    let mut options = owned(options);
    if inputs.privilege == Privilege::Privileged {
        options.retain(|word| word != "ro");
    }
    if *destination == "/dev" && inputs.device_guard.needs_closed_mounts() {
        options.push("nodev".to_owned());
    }
    if let Some(size) = inputs.storage.shared_memory.filter(|_| *source == "shm") {
        options.retain(|word| !word.starts_with("size="));
        options.push(format!("size={}", size.bytes()));
    }
    let mut mount = Mount::default();
    mount
        .set_destination(destination.into())
        .set_typ(Some((*kind).to_owned()))
        .set_source(Some(source.into()))
        .set_options(Some(options));
    mount
}

/// Shows a file of the host at another place inside.
fn bind(source: &Path, destination: &Path, access: RootAccess) -> Mount {
    let mut options = owned(&["rbind", "rprivate"]);
    if access == RootAccess::ReadOnly {
        options.push("ro".to_owned());
    }
    let mut mount = Mount::default();
    mount
        .set_destination(destination.to_owned())
        .set_typ(Some("bind".to_owned()))
        .set_source(Some(source.to_owned()))
        .set_options(Some(options));
    mount
}

/// The words of a table as the specification's type owns them.
pub(crate) fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[cfg(test)]
mod tests;
