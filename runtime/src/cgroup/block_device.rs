//! Disks as the kernel numbers them, and who shares them out.

use super::error::CgroupError;
use crate::resources::block::BlockDevice;
use nix::sys::stat::{major, minor};
use std::fmt;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The number of a disk, which control groups know it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DeviceNumber {
    major: u64,
    minor: u64,
}

impl fmt::Display for DeviceNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.major, self.minor)
    }
}

impl DeviceNumber {
    /// Where the kernel tells of it.
    fn directory(self) -> PathBuf {
        PathBuf::from(format!("/sys/dev/block/{self}"))
    }
}

/// The number of a whole disk.
pub(super) fn number(device: &BlockDevice) -> Result<DeviceNumber, CgroupError> {
    let metadata = fs::metadata(device.path()).map_err(|source| CgroupError::Examine {
        path: device.path().into(),
        source,
    })?;
    if !metadata.file_type().is_block_device() {
        return Err(CgroupError::NoDisk(device.clone()));
    }
    let number = DeviceNumber {
        major: major(metadata.rdev()),
        minor: minor(metadata.rdev()),
    };
    if number.directory().join("partition").exists() {
        return Err(CgroupError::Partition {
            device: device.clone(),
            disk: disk_of(number),
        });
    }
    Ok(number)
}

/// Whether the scheduler of a disk heeds weights.
pub(super) fn heeds_weights(device: &BlockDevice) -> Result<bool, CgroupError> {
    Ok(uses_bfq(&number(device)?.directory()))
}

/// Whether the scheduler of any disk does.
pub(super) fn any_heeds_weights() -> bool {
    let disks = fs::read_dir("/sys/block").into_iter().flatten().flatten();
    disks.into_iter().any(|disk| uses_bfq(&disk.path()))
}

/// A line such as `none mq-deadline [bfq]`, in which the scheduler in use stands in brackets.
fn uses_bfq(directory: &Path) -> bool {
    let schedulers = fs::read_to_string(directory.join("queue/scheduler"));
    schedulers.is_ok_and(|text| text.contains("[bfq]"))
}

/// The disk that a partition is on: the directory that its own lies in.
fn disk_of(number: DeviceNumber) -> String {
    let directory = fs::canonicalize(number.directory()).unwrap_or_default();
    let name = directory.parent().and_then(Path::file_name);
    name.map_or_else(String::new, |name| {
        format!("/dev/{}", name.to_string_lossy())
    })
}
