//! The steps that make the root file system of a container out of its Spec: mounts, devices, links, and what is closed
//! afterwards.

use std::path::{Path, PathBuf};

use oci_spec::runtime::{Linux, LinuxDevice, LinuxDeviceType, Mount, Spec};

use super::child::MOST_HELD_SOURCES;
use super::error::ProcessError;
use super::init_step::{BindMount, BindSource, Device, FileSystemMount, HeldSource, InitStep};
use super::mount_options::MountOptions;
use super::overlay::OverlayRoot;
use super::text::{c_string, relative_to_root};

/// The device nodes that every container has: name below /dev, major, minor. See the runtime specification, "Default
/// Devices".
pub(super) const DEFAULT_DEVICES: [(&str, u32, u32); 6] = [
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

/// The root file system with these mounts in it, in their order. A source in one of the `volumes` is taken apart, because
/// containers write there. `propagation` is that of the mounts of the host, `flags` are those of the overlay.
pub(super) fn root(
    root: &OverlayRoot,
    (mounts, volumes): (&[Mount], &Path),
    (propagation, flags): (libc::c_ulong, libc::c_ulong),
) -> Result<Vec<InitStep>, ProcessError> {
    let mounts = self::mounts(mounts, volumes)?;
    let mut steps = held_sources(&mounts)?;
    steps.extend([
        InitStep::SetPropagation { flags: propagation },
        InitStep::MountOverlay(root.mount(flags)?),
        InitStep::EnterRoot {
            path: c_string("path", root.merged.as_os_str().as_encoded_bytes())?,
        },
    ]);
    steps.extend(mounts);
    Ok(steps)
}

fn mounts(mounts: &[Mount], volumes: &Path) -> Result<Vec<InitStep>, ProcessError> {
    let mut held = 0;
    mounts
        .iter()
        .map(|one| mount(one, volumes, &mut held))
        .collect()
}

/// The sources that must be opened before anything else, because their mounts pass both ways.
fn held_sources(mounts: &[InitStep]) -> Result<Vec<InitStep>, ProcessError> {
    let hold = |step: &InitStep| match step {
        InitStep::BindMount(mount) => mount.held.map(|place| {
            InitStep::HoldSource(HeldSource {
                path: mount.source.path.clone(),
                depth: mount.depth,
                place,
            })
        }),
        _ => None,
    };
    let held: Vec<InitStep> = mounts.iter().filter_map(hold).collect();
    match held.len() > MOST_HELD_SOURCES {
        true => Err(ProcessError::TooManyShared {
            most: MOST_HELD_SOURCES,
        }),
        false => Ok(held),
    }
}

fn mount(mount: &Mount, volumes: &Path, held: &mut usize) -> Result<InitStep, ProcessError> {
    let words = mount.options().as_deref().unwrap_or_default();
    let options = MountOptions::parse(words);
    let kind = mount.typ().as_deref().unwrap_or_default();
    let target = relative_to_root("mount target", mount.destination())?;
    if let Some(depth) = options.bind {
        let is_shared = options.propagation & libc::MS_SHARED != 0;
        let place = *held;
        *held += usize::from(is_shared);
        let source = mount.source().as_deref().unwrap_or(Path::new(""));
        return Ok(InitStep::BindMount(BindMount {
            source: bind_source(source, volumes)?,
            target,
            depth,
            attributes: options.attributes(),
            held: is_shared.then_some(place),
            owners: options.owners,
        }));
    }
    let source = match mount.source() {
        Some(source) => c_string("mount source", source.as_os_str().as_encoded_bytes())?,
        None => c_string("mount source", kind)?,
    };
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

/// A path into a volume consists of the volume's own directory, which only root can change, and what lies below.
fn bind_source(source: &Path, volumes: &Path) -> Result<BindSource, ProcessError> {
    let word = |path: &Path| c_string("mount source", path.as_os_str().as_encoded_bytes());
    let inside = source.strip_prefix(volumes).ok();
    let below: Option<PathBuf> = inside.map(|path| path.components().skip(2).collect());
    match below.filter(|below| !below.as_os_str().is_empty()) {
        Some(below) => {
            let depth = source.components().count() - below.components().count();
            let directory: PathBuf = source.components().take(depth).collect();
            Ok(BindSource {
                path: word(&directory)?,
                below: Some(word(&below)?),
            })
        }
        None => Ok(BindSource {
            path: word(source)?,
            below: None,
        }),
    }
}

/// The flags of the root's mount. Who lists the devices that may be used sees to it that others are not; where nobody does, no
/// node that the container makes, or that a layer brings along, can be opened.
pub(super) fn overlay_flags(linux: &Linux) -> libc::c_ulong {
    let resources = linux.resources().as_ref();
    match resources.and_then(|resources| resources.devices().as_ref()) {
        Some(_) => 0,
        None => libc::MS_NODEV,
    }
}

/// The default device nodes and those of the Spec, then the links. In a /dev of the user's own nothing is made. In one that is
/// closed to devices, these can be opened all the same.
pub(super) fn devices(spec: &Spec, linux: &Linux) -> Result<Vec<InitStep>, ProcessError> {
    let own = has_bind_on_dev(spec);
    let closed = has_closed_dev(spec, linux);
    let is_made = |path: &Path| !own || !path.starts_with("/dev");
    let mut steps = Vec::new();
    for (path, device) in all_devices(linux)? {
        if is_made(&path) {
            steps.push(InitStep::MakeDevice(device.clone()));
        }
        if closed && path.starts_with("/dev") {
            steps.push(InitStep::AllowDevice(device));
        }
    }
    for (name, target) in DEFAULT_LINKS.iter().filter(|_| !own) {
        steps.push(InitStep::MakeSymbolicLink {
            target: c_string("link", target)?,
            path: c_string("link", format!("dev/{name}"))?,
        });
    }
    Ok(steps)
}

/// The default devices, unless the Spec has others at their places, and those of the Spec.
fn all_devices(linux: &Linux) -> Result<Vec<(PathBuf, Device)>, ProcessError> {
    let mut devices = Vec::new();
    let declared = linux.devices().as_deref().unwrap_or_default();
    for (name, major, minor) in DEFAULT_DEVICES {
        let path = Path::new("/dev").join(name);
        if declared.iter().all(|device| *device.path() != path) {
            let device = Device {
                path: relative_to_root("device", &path)?,
                mode: libc::S_IFCHR | 0o666,
                major,
                minor,
                uid: 0,
                gid: 0,
            };
            devices.push((path, device));
        }
    }
    for device in declared {
        devices.push((device.path().clone(), declared_device(device)?));
    }
    Ok(devices)
}

fn has_bind_on_dev(spec: &Spec) -> bool {
    mounts_on_dev(spec).any(|options| options.bind.is_some())
}

/// Whether nodes in /dev cannot be opened: the last mount there says so, or that of the root.
fn has_closed_dev(spec: &Spec, linux: &Linux) -> bool {
    let flags = match mounts_on_dev(spec).last() {
        Some(options) => options.flags | options.recursive_flags,
        None => overlay_flags(linux),
    };
    flags & libc::MS_NODEV != 0
}

fn mounts_on_dev(spec: &Spec) -> impl Iterator<Item = MountOptions> {
    let mounts = spec.mounts().iter().flatten();
    mounts
        .filter(|mount| mount.destination() == Path::new("/dev"))
        .map(|mount| MountOptions::parse(mount.options().as_deref().unwrap_or_default()))
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
                path: c_string("kernel parameter", format!("sys/{}", sysctl_path(name)))?,
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
    fn a_source_in_a_volume_is_taken_apart_where_containers_can_write() {
        let volumes = Path::new("/root/volumes");
        for (source, path, below) in [
            ("/root/volumes/db/_data", c"/root/volumes/db/_data", None),
            (
                "/root/volumes/db/_data/a/b",
                c"/root/volumes/db/_data",
                Some(c"a/b"),
            ),
            (
                "/root/volumes2/db/_data/a",
                c"/root/volumes2/db/_data/a",
                None,
            ),
            ("/", c"/", None),
        ] {
            let taken = bind_source(Path::new(source), volumes).unwrap();
            assert_eq!(taken.path.as_c_str(), path);
            assert_eq!(taken.below.as_deref(), below);
        }
    }

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
