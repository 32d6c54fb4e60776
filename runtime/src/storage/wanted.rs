//! What a user asks to be mounted.

use std::collections::BTreeMap;

use super::destination::Destination;
use super::mount::{Access, Bind, Origin, Population, Storage};
use super::storage_option::StorageOption;
use super::tmpfs::Tmpfs;
use super::volume_name::VolumeName;
use super::volumes_from::VolumesFrom;
use crate::byte_size::ByteSize;

/// What a user asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StorageWanted {
    /// `-v`, `--mount` and `--tmpfs`.
    pub mounts: Vec<MountWanted>,
    /// `--volumes-from`.
    pub volumes_from: Vec<VolumesFrom>,
    /// `--shm-size`.
    pub shared_memory: Option<ByteSize>,
    /// `--storage-opt`.
    pub options: Vec<StorageOption>,
}

impl StorageWanted {
    /// What the record says besides the mounts, which have to be resolved.
    pub fn without_mounts(self) -> Storage {
        let size = self.options.last();
        Storage {
            mounts: Vec::new(),
            volumes_from: self.volumes_from,
            // Docker takes nothing for what is usual.
            shared_memory: self.shared_memory.filter(|size| size.bytes() > 0),
            size_limit: size.map(|StorageOption::Size(size)| *size),
        }
    }
}

/// One thing to be mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountWanted {
    /// Where.
    pub destination: Destination,
    /// Whether it can be written.
    pub access: Access,
    /// What.
    pub kind: KindWanted,
    /// Which option asks for it.
    pub origin: Origin,
}

/// What is to be mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KindWanted {
    /// A file or directory of the host.
    Bind(Bind),
    /// A volume, which is made if it does not exist.
    Volume(VolumeWanted),
    /// A file system in memory.
    Tmpfs(Tmpfs),
}

/// A volume to be mounted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VolumeWanted {
    /// Its name; none means one of its own.
    pub name: Option<VolumeName>,
    /// What is noted on it if it is made.
    pub labels: BTreeMap<String, String>,
    /// What it gets from the image if it is empty.
    pub population: Population,
    /// The part of it that is mounted.
    pub subpath: Option<String>,
}
