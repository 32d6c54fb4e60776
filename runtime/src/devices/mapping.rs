//! `--device`: a device of the host, or a directory of them, in a container.

use super::access::DeviceAccess;
use super::error::DeviceError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where a device comes from, where it is shown, and what may be done with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceMapping {
    /// The absolute path on the host.
    pub host: String,
    /// The absolute path in the container, without `.` and `..`.
    pub container: String,
    /// What may be done.
    pub access: DeviceAccess,
}

impl FromStr for DeviceMapping {
    type Err = DeviceError;

    /// `HOST[:CONTAINER][:ACCESS]`. As with Docker, what follows the host's path is the access if it can be one.
    fn from_str(text: &str) -> Result<DeviceMapping, DeviceError> {
        let malformed = || DeviceError::Mapping(text.to_owned());
        let parts: Vec<&str> = text.split(':').collect();
        let (host, container, access) = match parts[..] {
            [host] => (host, host, DeviceAccess::ALL),
            [host, second] => match second.parse() {
                Ok(access) => (host, host, access),
                Err(_) => (host, second, DeviceAccess::ALL),
            },
            [host, "", access] => (host, host, access.parse()?),
            [host, container, access] => (host, container, access.parse()?),
            _ => return Err(malformed()),
        };
        if host.is_empty() || text.contains('\0') {
            return Err(malformed());
        }
        Ok(DeviceMapping {
            host: absolute(host)?.to_owned(),
            container: place(container)?,
            access,
        })
    }
}

impl fmt::Display for DeviceMapping {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}:{}:{}",
            self.host, self.container, self.access
        )
    }
}

fn absolute(path: &str) -> Result<&str, DeviceError> {
    match path.starts_with('/') {
        true => Ok(path),
        false => Err(DeviceError::Relative(path.to_owned())),
    }
}

/// A path in the container without detours, and not the root itself.
fn place(path: &str) -> Result<String, DeviceError> {
    let mut parts: Vec<&str> = Vec::new();
    for part in absolute(path)?.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    match parts.is_empty() {
        true => Err(DeviceError::Place(path.to_owned())),
        false => Ok(format!("/{}", parts.join("/"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_second_part_is_the_access_if_it_can_be_one() {
        for (text, shown) in [
            ("/dev/fuse", "/dev/fuse:/dev/fuse:rwm"),
            ("/dev/fuse:r", "/dev/fuse:/dev/fuse:r"),
            ("/dev/fuse:/dev/x", "/dev/fuse:/dev/x:rwm"),
            ("/dev/fuse:/dev/x:rw", "/dev/fuse:/dev/x:rw"),
            ("/dev/fuse::mr", "/dev/fuse:/dev/fuse:rm"),
            ("/dev/fuse:/dev/./a/../x", "/dev/fuse:/dev/x:rwm"),
        ] {
            assert_eq!(text.parse::<DeviceMapping>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_wrong_with_a_device_is_said() {
        for (text, message) in [
            (
                "",
                "invalid device ``: write `HOST[:CONTAINER][:ACCESS]`, such as `/dev/fuse`",
            ),
            (
                "/a:/b:r:w",
                "invalid device `/a:/b:r:w`: write `HOST[:CONTAINER][:ACCESS]`, such as `/dev/fuse`",
            ),
            (
                "fuse",
                "invalid device path `fuse`: write an absolute one, such as `/dev/fuse`",
            ),
            (
                "/dev/fuse:x",
                "invalid device path `x`: write an absolute one, such as `/dev/fuse`",
            ),
            (
                "/dev/fuse:/dev/fuse:rx",
                "invalid device access `rx`: write some of `r`, `w` and `m`, each once",
            ),
            (
                "/dev/fuse:/..",
                "a device cannot be shown at `/..`, the container's root: write a path below it",
            ),
        ] {
            let error = text.parse::<DeviceMapping>().unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn a_device_that_is_shown_is_read_as_the_same(text in "/[a-z./]{0,9}(:[a-z./]{0,9}){0,2}(:[rwm]{0,3})?") {
            if let Ok(mapping) = text.parse::<DeviceMapping>() {
                prop_assert_eq!(mapping.to_string().parse::<DeviceMapping>(), Ok(mapping));
            }
        }

        #[test]
        fn no_text_is_too_much(text in ".{0,40}") {
            let _ = text.parse::<DeviceMapping>();
        }
    }
}
