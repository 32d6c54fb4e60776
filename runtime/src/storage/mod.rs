//! What of a container's file system is not its image's: mounts, volumes, and how much it may write.
//!
//! What was typed ([`parse_volume_option`], [`parse_mount_option`], [`parse_tmpfs_option`]) becomes a [`StorageWanted`]. That is
//! laid over what the image and other containers bring along ([`StorageWanted::merge`]); when every volume has a name, it is the
//! [`Storage`] of the container's record. All of this is pure: volumes are made, filled and removed in [`crate::volumes`], and
//! mounted by [`crate::process`].

mod clean_path;
mod destination;
mod merge;
mod mount;
mod mount_argument;
mod problem;
mod storage_option;
mod tmpfs;
mod volume_argument;
mod volume_name;
mod volumes_from;
mod wanted;

pub use destination::{Destination, DestinationProblem};
pub use merge::{Inherited, MergeError};
pub use mount::{
    Access, Bind, BindOwners, MissingSource, Mount, MountKind, Origin, Population, Propagation,
    Recursion, Storage, VolumeKind, VolumeMount,
};
pub use mount_argument::parse_mount_option;
pub use problem::{MountError, MountProblem};
pub use storage_option::{StorageOption, StorageOptionError};
pub use tmpfs::{Tmpfs, TmpfsProblem, parse_tmpfs_option};
pub use volume_argument::parse_volume_option;
pub use volume_name::{VolumeName, VolumeNameError};
pub use volumes_from::{VolumesFrom, VolumesFromError};
pub use wanted::{KindWanted, MountWanted, StorageWanted, VolumeWanted};
