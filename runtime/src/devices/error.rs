//! What can be wrong with devices.

use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why a device cannot be had.
#[derive(Debug, Error)]
pub enum DeviceError {
    /// It is no device and where to show it.
    #[error("invalid device `{0}`: write `HOST[:CONTAINER][:ACCESS]`, such as `/dev/fuse`")]
    Mapping(String),
    /// It is no rule.
    #[error("invalid device rule `{0}`: write kind, numbers and access, such as `c 1:* rwm`")]
    Rule(String),
    /// It says nothing that can be done with a device.
    #[error("invalid device access `{0}`: write some of `r`, `w` and `m`, each once")]
    Access(String),
    /// No device has that number.
    #[error("invalid device number `{text}`: write one from 0 to {highest}, or `*`")]
    Number {
        /// What was written.
        text: String,
        /// The highest that the kernel has.
        highest: u32,
    },
    /// A path that depends on where the caller is.
    #[error("invalid device path `{0}`: write an absolute one, such as `/dev/fuse`")]
    Relative(String),
    /// The root is a directory.
    #[error("a device cannot be shown at `{0}`, the container's root: write a path below it")]
    Place(String),
    /// The host has no such file.
    #[error("cannot give the device `{}`: it does not exist on this host", .0.display())]
    Missing(PathBuf),
    /// It is some other file.
    #[error("cannot give `{}`: it is neither a device nor a directory of devices", .0.display())]
    NoDevice(PathBuf),
    /// The directory holds no device.
    #[error("cannot give the devices in `{}`: there is none", .0.display())]
    NoneInside(PathBuf),
    /// The host does not tell.
    #[error("cannot examine the device `{}`: {source}", path.display())]
    Examine {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A path that no record can hold.
    #[error("cannot give the device `{}`: its name is no text", .0.display())]
    Name(PathBuf),
}

impl DeviceError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            DeviceError::Missing(path) => Some(format!(
                "`ls -l {}` shows what there is; a driver may have to be loaded first (`modprobe`)",
                path.parent().unwrap_or(path).display()
            )),
            DeviceError::NoDevice(path) => Some(format!(
                "other files are shown with `-v {}:DESTINATION`",
                path.display()
            )),
            _ => None,
        }
    }
}

/// Words are compared in tests; what the kernel said has no equal.
impl PartialEq for DeviceError {
    fn eq(&self, other: &DeviceError) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for DeviceError {}
