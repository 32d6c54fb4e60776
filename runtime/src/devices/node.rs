//! Device nodes of the host, as they are now.

use super::access::DeviceAccess;
use super::error::DeviceError;
use super::mapping::DeviceMapping;
use super::number::{DeviceKind, NumberWanted};
use super::rule::DeviceRule;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Where the host has its devices.
const DEVICES: &str = "/dev";

/// What a container has of its own below `/dev`, and never the host's: terminals, shared memory and their like.
const OF_CONTAINER: [&str; 9] = [
    "/dev/pts",
    "/dev/shm",
    "/dev/mqueue",
    "/dev/fd",
    "/dev/console",
    "/dev/ptmx",
    "/dev/.lxc",
    "/dev/.lxd-mounts",
    "/dev/.udev",
];

/// A device node to be made in a container, like one of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceNode {
    /// Where it is in the container.
    pub path: String,
    /// Its kind.
    pub kind: DeviceKind,
    /// Its numbers, major and minor.
    pub number: (u32, u32),
    /// Its permission bits.
    pub mode: u32,
    /// Its user and group.
    pub owner: (u32, u32),
}

impl DeviceNode {
    /// The rule that permits this much of it.
    pub fn rule(&self, access: DeviceAccess) -> DeviceRule {
        DeviceRule {
            kind: Some(self.kind),
            major: NumberWanted::One(self.number.0),
            minor: NumberWanted::One(self.number.1),
            access,
        }
    }
}

/// The device that is meant, or all of those in the directory that is.
///
/// # Errors
/// When there is none.
pub fn of_mapping(mapping: &DeviceMapping) -> Result<Vec<DeviceNode>, DeviceError> {
    let wanted = PathBuf::from(&mapping.host);
    let path = match fs::canonicalize(&wanted) {
        Ok(path) => path,
        Err(error) if is_missing(error.kind()) => return Err(DeviceError::Missing(wanted)),
        Err(source) => {
            return Err(DeviceError::Examine {
                path: wanted,
                source,
            });
        }
    };
    let metadata = examine(&path)?.ok_or_else(|| DeviceError::Missing(wanted.clone()))?;
    if let Some(node) = node(&metadata, mapping.container.clone()) {
        return Ok(vec![node]);
    }
    if !metadata.is_dir() {
        return Err(DeviceError::NoDevice(wanted));
    }
    let nodes = inside(&path, &mapping.container)?;
    match nodes.is_empty() {
        true => Err(DeviceError::NoneInside(wanted)),
        false => Ok(nodes),
    }
}

/// All devices of the host, at their places.
///
/// # Errors
/// When `/dev` cannot be read.
pub fn all_of_host() -> Result<Vec<DeviceNode>, DeviceError> {
    inside(Path::new(DEVICES), DEVICES)
}

/// The devices below a directory, in the order of their names. Links are not followed, and what vanishes is not there.
fn inside(top: &Path, place: &str) -> Result<Vec<DeviceNode>, DeviceError> {
    let (mut nodes, mut directories) = (Vec::new(), vec![top.to_path_buf()]);
    while let Some(directory) = directories.pop() {
        let entries = fs::read_dir(&directory).map_err(|source| DeviceError::Examine {
            path: directory.clone(),
            source,
        })?;
        for entry in entries.filter_map(Result::ok) {
            let path = entry.path();
            if OF_CONTAINER.iter().any(|own| path == Path::new(own)) {
                continue;
            }
            let Some(metadata) = examine(&path)? else {
                continue;
            };
            if metadata.is_dir() {
                directories.push(path);
            } else if let Some(mut found) = node(&metadata, String::new()) {
                found.path = place_of(&path, (top, place))?;
                nodes.push(found);
            }
        }
    }
    nodes.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(nodes)
}

fn place_of(path: &Path, (top, place): (&Path, &str)) -> Result<String, DeviceError> {
    let below = path.strip_prefix(top).unwrap_or(path).to_str();
    let below = below.ok_or_else(|| DeviceError::Name(path.to_owned()))?;
    Ok(format!("{place}/{below}"))
}

fn node(metadata: &Metadata, path: String) -> Option<DeviceNode> {
    let kind = if metadata.file_type().is_block_device() {
        DeviceKind::Block
    } else if metadata.file_type().is_char_device() {
        DeviceKind::Character
    } else {
        return None;
    };
    Some(DeviceNode {
        path,
        kind,
        number: (libc::major(metadata.rdev()), libc::minor(metadata.rdev())),
        mode: metadata.mode() & 0o7777,
        owner: (metadata.uid(), metadata.gid()),
    })
}

fn examine(path: &Path) -> Result<Option<Metadata>, DeviceError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if is_missing(error.kind()) => Ok(None),
        Err(source) => Err(DeviceError::Examine {
            path: path.to_owned(),
            source,
        }),
    }
}

fn is_missing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn found(text: &str) -> Result<Vec<DeviceNode>, DeviceError> {
        of_mapping(&text.parse().unwrap())
    }

    #[test]
    fn a_link_leads_to_its_device_which_keeps_mode_and_owner() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        symlink("/dev/null", &link).unwrap();
        let text = format!("{}:/dev/x:r", link.display());
        let nodes = found(&text).unwrap();
        let metadata = fs::metadata("/dev/null").unwrap();
        assert_eq!(
            nodes,
            [DeviceNode {
                path: "/dev/x".to_owned(),
                kind: DeviceKind::Character,
                number: (1, 3),
                mode: metadata.mode() & 0o7777,
                owner: (metadata.uid(), metadata.gid()),
            }]
        );
        assert_eq!(nodes[0].rule(DeviceAccess::READ).to_string(), "c 1:3 r");
    }

    #[test]
    fn what_is_no_device_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("file"), "").unwrap();
        fs::create_dir(path("empty")).unwrap();
        let error = |name: &str| found(path(name).to_str().unwrap()).unwrap_err();
        assert_eq!(error("file"), DeviceError::NoDevice(path("file")));
        assert_eq!(error("empty"), DeviceError::NoneInside(path("empty")));
        assert_eq!(error("missing"), DeviceError::Missing(path("missing")));
        assert_eq!(error("file/x"), DeviceError::Missing(path("file/x")));
    }

    #[test]
    fn a_containers_own_devices_are_never_the_hosts() {
        let nodes = all_of_host().unwrap();
        assert!(nodes.iter().any(|node| node.path == "/dev/null"));
        for own in OF_CONTAINER {
            let inside = format!("{own}/");
            assert!(
                !nodes
                    .iter()
                    .any(|node| node.path == own || node.path.starts_with(&inside)),
                "{own}"
            );
        }
    }
}
