//! What is mounted in every container, and what of it is hidden or protected: Docker's tables
//! (`daemon/pkg/oci/defaults.go` of moby) as data.

use std::path::Path;

use oci_spec::runtime::Mount;

/// Files and directories of proc and sys that a container must not see. Those that the kernel does not have are skipped.
pub const MASKED_PATHS: [&str; 12] = [
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
/// On `/dev` there is `nodev` besides Docker's options: where Docker has a list of devices that may be opened, here no
/// node can be opened but those that the runtime itself puts there.
const FILE_SYSTEMS: [(&str, &str, &str, &[&str]); 7] = [
    ("/proc", "proc", "proc", &["nosuid", "noexec", "nodev"]),
    (
        "/dev",
        "tmpfs",
        "tmpfs",
        &["nosuid", "nodev", "strictatime", "mode=755", "size=65536k"],
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

/// The mounts of a container whose files are in `directory`, in the order they are made.
pub fn container_mounts(directory: &Path, access: RootAccess) -> Vec<Mount> {
    let file_systems = FILE_SYSTEMS
        .iter()
        .map(|(destination, kind, source, options)| {
            let mut mount = Mount::default();
            mount
                .set_destination(destination.into())
                .set_typ(Some((*kind).to_owned()))
                .set_source(Some(source.into()))
                .set_options(Some(owned(options)));
            mount
        });
    let etc_files = ETC_FILES
        .iter()
        .map(|name| bind(&directory.join(name), &Path::new("/etc").join(name), access));
    file_systems.chain(etc_files).collect()
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
mod tests {
    use super::*;

    fn lines(access: RootAccess) -> Vec<String> {
        let show = |mount: &Mount| {
            format!(
                "{} {} {} {}",
                mount.source().as_ref().unwrap().display(),
                mount.destination().display(),
                mount.typ().as_ref().unwrap(),
                mount.options().as_ref().unwrap().join(",")
            )
        };
        container_mounts(Path::new("/c"), access)
            .iter()
            .map(show)
            .collect()
    }

    #[test]
    fn the_mounts_are_dockers() {
        assert_eq!(
            lines(RootAccess::Writable),
            [
                "proc /proc proc nosuid,noexec,nodev",
                "tmpfs /dev tmpfs nosuid,nodev,strictatime,mode=755,size=65536k",
                "devpts /dev/pts devpts nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5",
                "sysfs /sys sysfs nosuid,noexec,nodev,ro",
                "cgroup /sys/fs/cgroup cgroup ro,nosuid,noexec,nodev",
                "mqueue /dev/mqueue mqueue nosuid,noexec,nodev",
                "shm /dev/shm tmpfs nosuid,noexec,nodev,mode=1777,size=65536k",
                "/c/resolv.conf /etc/resolv.conf bind rbind,rprivate",
                "/c/hostname /etc/hostname bind rbind,rprivate",
                "/c/hosts /etc/hosts bind rbind,rprivate",
            ]
        );
    }

    #[test]
    fn the_files_in_etc_are_read_only_where_the_root_is() {
        let lines = lines(RootAccess::ReadOnly);
        assert_eq!(lines[9], "/c/hosts /etc/hosts bind rbind,rprivate,ro");
    }
}
