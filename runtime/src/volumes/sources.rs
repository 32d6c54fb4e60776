//! What has to be there before a container's mounts are made: looked at by its monitor at each start.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::error::VolumeError;
use crate::config::ContainerConfig;
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use crate::storage::{Bind, MissingSource, MountKind, Propagation};

impl Runtime {
    /// Makes the directories that `-v` names and that are missing, and says in words what the kernel would refuse with a number.
    pub(crate) fn prepare_mount_sources(
        &self,
        config: &ContainerConfig,
    ) -> Result<(), RuntimeError> {
        for mount in &config.storage.mounts {
            match &mount.kind {
                MountKind::Bind(bind) => {
                    make_if_missing(bind, self.volumes().directory())?;
                    check_propagation(bind)?;
                }
                MountKind::Volume(volume) if !self.volumes().data(&volume.name).is_dir() => {
                    return Err(VolumeError::Gone {
                        name: volume.name.clone(),
                        container: config.name.clone(),
                    }
                    .into());
                }
                MountKind::Volume(_) | MountKind::Tmpfs(_) => {}
            }
        }
        Ok(())
    }
}

/// In a volume nothing is made: a symbolic link of a container could lead anywhere.
fn make_if_missing(bind: &Bind, volumes: &Path) -> Result<(), VolumeError> {
    let path = Path::new(&bind.source);
    let fail = |action| {
        move |error| VolumeError::Source {
            action,
            path: path.to_owned(),
            error,
        }
    };
    match fs::metadata(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fail("look at")(error)),
        Err(_) if bind.missing == MissingSource::Refuse || path.starts_with(volumes) => {
            Err(VolumeError::NoSource(path.to_owned()))
        }
        Err(_) => DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(path)
            .map_err(fail("create")),
    }
}

/// Mounts pass only where the host's mount is shared; with `slave` it is enough that it follows another one.
fn check_propagation(bind: &Bind) -> Result<(), VolumeError> {
    if !bind.propagation.lets_mounts_in() {
        return Ok(());
    }
    let path = Path::new(&bind.source);
    let mount = mount_of(path).map_err(|error| VolumeError::Source {
        action: "find the mount of",
        path: path.to_owned(),
        error,
    })?;
    match propagates(&mount, bind.propagation) {
        true => Ok(()),
        false => Err(VolumeError::NotPropagating {
            path: path.to_owned(),
            propagation: bind.propagation,
            kind: match mount.is_slave {
                true => "a slave of another",
                false => "private",
            },
            mount_point: mount.point,
        }),
    }
}

fn propagates(mount: &HostMount, propagation: Propagation) -> bool {
    mount.is_shared || mount.is_slave && !propagation.lets_mounts_out()
}

/// A line of mountinfo.
#[derive(Debug, PartialEq, Eq)]
struct HostMount {
    point: String,
    is_shared: bool,
    is_slave: bool,
}

/// The mount that a path lies on.
fn mount_of(path: &Path) -> io::Result<HostMount> {
    let place = File::options()
        .read(true)
        .custom_flags(libc::O_PATH)
        .open(path)?;
    let information = fs::read_to_string(format!("/proc/self/fdinfo/{}", place.as_raw_fd()))?;
    let id = information
        .lines()
        .find_map(|line| line.strip_prefix("mnt_id:"))
        .unwrap_or_default()
        .trim();
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let missing = || io::Error::other("the kernel does not list it");
    let line = mounts
        .lines()
        .find(|line| line.split(' ').next() == Some(id));
    line.and_then(parse_line).ok_or_else(missing)
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`: optional fields stand between the options and a hyphen.
fn parse_line(line: &str) -> Option<HostMount> {
    let mut words = line.split(' ');
    let point = words.nth(4)?.to_owned();
    let optional: Vec<&str> = words.skip(1).take_while(|word| *word != "-").collect();
    let has = |prefix: &str| optional.iter().any(|word| word.starts_with(prefix));
    Some(HostMount {
        point,
        is_shared: has("shared:"),
        is_slave: has("master:"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_pass_where_the_hosts_mount_says_so() {
        for (fields, slave, shared) in [
            ("", false, false),
            ("master:1 ", true, false),
            ("shared:2 ", true, true),
            ("shared:2 master:1 ", true, true),
        ] {
            let line = format!("36 35 98:0 / /mnt rw,noatime {fields}- ext3 /dev/root rw");
            let mount = parse_line(&line).unwrap();
            assert_eq!(mount.point, "/mnt");
            assert_eq!(propagates(&mount, Propagation::Rslave), slave, "{line}");
            assert_eq!(propagates(&mount, Propagation::Shared), shared, "{line}");
        }
    }

    #[test]
    fn every_path_lies_on_a_mount() {
        assert_eq!(mount_of(Path::new("/proc/self")).unwrap().point, "/proc");
    }
}
