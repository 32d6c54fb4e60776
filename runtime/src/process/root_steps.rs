//! The steps that make the root file system of a container out of its Spec: mounts, devices, links, and what is closed
//! afterwards.

use std::path::Path;

use oci_spec::runtime::{Linux, LinuxDevice, LinuxDeviceType, Mount, Spec};

use super::error::ProcessError;
use super::init_step::{BindMount, Device, FileSystemMount, InitStep};
use super::mount_options::MountOptions;
use super::text::{c_string, relative_to_root};

/// The device nodes that every container has: name below /dev, major, minor. See the runtime specification, "Default
/// Devices".
const DEFAULT_DEVICES: [(&str, u32, u32); 6] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
];

/// The links that every container has below /dev: name, target.
const DEFAULT_LINKS: [(&str, &str); 6] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("core", "/proc/kcore"),
    ("ptmx", "pts/ptmx"),
];

/// The mounts of the Spec in its order.
pub(super) fn mounts(spec: &Spec) -> Result<Vec<InitStep>, ProcessError> {
    spec.mounts()
        .as_deref()
        .unwrap_or_default()
        .iter()
        .map(mount)
        .collect()
}

/// One mount of a Spec.
pub(super) fn mount(mount: &Mount) -> Result<InitStep, ProcessError> {
    let words = mount.options().as_deref().unwrap_or_default();
    let options = MountOptions::parse(words);
    let kind = mount.typ().as_deref().unwrap_or_default();
    let source = match mount.source() {
        Some(source) => c_string("mount source", source.as_os_str().as_encoded_bytes())?,
        None => c_string("mount source", kind)?,
    };
    let target = relative_to_root("mount target", mount.destination())?;
    if let Some(depth) = options.bind {
        return Ok(InitStep::BindMount(BindMount {
            source,
            target,
            depth,
            attributes: options.attributes(),
        }));
    }
    Ok(InitStep::MountFileSystem(FileSystemMount {
        source,
        // A Spec says `cgroup` whatever the version; a namespace of its own has only the second one to show.
        kind: c_string(
            "mount type",
            if kind == "cgroup" { "cgroup2" } else { kind },
        )?,
        target,
        flags: options.flags,
        data: c_string("mount option", options.data)?,
        words: words.join(","),
    }))
}

/// The default device nodes and those of the Spec, then the links.
pub(super) fn devices(linux: &Linux) -> Result<Vec<InitStep>, ProcessError> {
    let mut steps = Vec::new();
    let declared = linux.devices().as_deref().unwrap_or_default();
    for (name, major, minor) in DEFAULT_DEVICES {
        let path = Path::new("/dev").join(name);
        if declared.iter().all(|device| *device.path() != path) {
            steps.push(InitStep::MakeDevice(Device {
                path: relative_to_root("device", &path)?,
                mode: libc::S_IFCHR | 0o666,
                major,
                minor,
                uid: 0,
                gid: 0,
            }));
        }
    }
    for device in declared {
        steps.push(InitStep::MakeDevice(declared_device(device)?));
    }
    for (name, target) in DEFAULT_LINKS {
        steps.push(InitStep::MakeSymbolicLink {
            target: c_string("link", target)?,
            path: c_string("link", format!("dev/{name}"))?,
        });
    }
    Ok(steps)
}

fn declared_device(device: &LinuxDevice) -> Result<Device, ProcessError> {
    let kind = match device.typ() {
        LinuxDeviceType::B => libc::S_IFBLK,
        LinuxDeviceType::P => libc::S_IFIFO,
        _ => libc::S_IFCHR,
    };
    Ok(Device {
        path: relative_to_root("device", device.path())?,
        mode: kind | (device.file_mode().unwrap_or(0o666) & 0o7777),
        major: device.major() as u32,
        minor: device.minor() as u32,
        uid: device.uid().unwrap_or(0),
        gid: device.gid().unwrap_or(0),
    })
}

/// The kernel parameters of the Spec, in the order of their names. They are written before /proc/sys is closed.
pub(super) fn sysctls(linux: &Linux) -> Result<Vec<InitStep>, ProcessError> {
    let mut sysctls: Vec<_> = linux.sysctl().iter().flatten().collect();
    sysctls.sort();
    sysctls
        .into_iter()
        .map(|(name, value)| {
            Ok(InitStep::WriteSysctl {
                path: c_string(
                    "kernel parameter",
                    format!("proc/sys/{}", sysctl_path(name)),
                )?,
                value: c_string("kernel parameter", value)?,
            })
        })
        .collect()
}

/// `net.ipv4.ip_forward` and `net/ipv4/ip_forward` name the same file. Where the first separator is a dot, a slash
/// stands for a dot inside a name.
fn sysctl_path(name: &str) -> String {
    match name.find(['.', '/']) {
        Some(first) if name[first..].starts_with('.') => name
            .chars()
            .map(|character| match character {
                '.' => '/',
                '/' => '.',
                other => other,
            })
            .collect(),
        _ => name.to_owned(),
    }
}

/// What is made read-only, then what is hidden.
pub(super) fn closed_paths(linux: &Linux) -> Result<Vec<InitStep>, ProcessError> {
    let mut steps = Vec::new();
    for path in linux.readonly_paths().iter().flatten() {
        let path = relative_to_root("read-only path", Path::new(path))?;
        steps.push(InitStep::MakePathReadOnly { path });
    }
    for path in linux.masked_paths().iter().flatten() {
        let path = relative_to_root("masked path", Path::new(path))?;
        steps.push(InitStep::MaskPath { path });
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_kernel_parameter_mean_the_same_file() {
        assert_eq!(sysctl_path("net.ipv4.ip_forward"), "net/ipv4/ip_forward");
        assert_eq!(sysctl_path("net/ipv4/ip_forward"), "net/ipv4/ip_forward");
        assert_eq!(
            sysctl_path("net.ipv4.conf.eth0/1.forwarding"),
            "net/ipv4/conf/eth0.1/forwarding"
        );
    }
}
