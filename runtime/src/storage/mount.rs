//! What is mounted in a container, as its record says.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::destination::Destination;
use super::tmpfs::Tmpfs;
use super::volume_name::VolumeName;
use super::volumes_from::VolumesFrom;
use crate::byte_size::ByteSize;

/// What of a container's file system is not its image's, with everything resolved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Storage {
    /// What is mounted, in the order it was asked for; no destination twice.
    pub mounts: Vec<Mount>,
    /// The containers that some of the mounts were taken from, as typed.
    pub volumes_from: Vec<VolumesFrom>,
    /// How large /dev/shm is; none means 64 MiB.
    pub shared_memory: Option<ByteSize>,
    /// How much the container may write to its own layer; none means as much as there is room for.
    pub size_limit: Option<ByteSize>,
}

/// One thing that is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Where.
    pub destination: Destination,
    /// Whether it can be written.
    pub access: Access,
    /// What.
    pub kind: MountKind,
    /// Who asked for it.
    pub origin: Origin,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MountKind {
    /// A file or directory of the host.
    Bind(Bind),
    /// A volume.
    Volume(VolumeMount),
    /// A file system in memory.
    Tmpfs(Tmpfs),
}

/// Whether something can be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// It can.
    #[default]
    ReadWrite,
    /// Writes are refused.
    ReadOnly,
}

/// A file or directory of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bind {
    /// Its path on the host, absolute and without detours.
    pub source: String,
    /// Whether mounts that are made later pass between host and container.
    pub propagation: Propagation,
    /// What becomes of the mounts below it.
    pub recursion: Recursion,
    /// What is done where it does not exist.
    pub missing: MissingSource,
    /// Whose its files are to a container with users of its own.
    #[serde(default)]
    pub owners: BindOwners,
}

/// Whose the files of a bind are to a container with users of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BindOwners {
    /// The host's, of whom the container's are none.
    #[default]
    Host,
    /// The container's of the same numbers: its root is root there.
    Container,
}

/// Whether mounts that are made later pass between host and container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Propagation {
    /// They do not.
    Private,
    /// Nor do they for the mounts below.
    #[default]
    Rprivate,
    /// Those of the host come into the container.
    Slave,
    /// So do they for the mounts below.
    Rslave,
    /// They pass both ways.
    Shared,
    /// So do they for the mounts below.
    Rshared,
}

/// What becomes of the mounts below a bind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recursion {
    /// They are shown, and read-only if the bind is.
    #[default]
    Enabled,
    /// They are not shown.
    Disabled,
    /// They are shown, and can be written even if the bind cannot.
    Writable,
    /// They are shown and read-only.
    ReadOnly,
}

/// What is done where the source of a bind does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingSource {
    /// It is made as a directory.
    Create,
    /// The container is refused.
    Refuse,
}

/// A volume in a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeMount {
    /// The volume.
    pub name: VolumeName,
    /// Whether anybody named it.
    pub kind: VolumeKind,
    /// What an empty volume gets from the image.
    pub population: Population,
    /// The part of it that is mounted, a relative path; none means all of it.
    pub subpath: Option<String>,
}

/// Whether anybody named a volume.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VolumeKind {
    /// Somebody did: it stays until somebody removes it.
    Named,
    /// Nobody did: it can go with its container.
    #[default]
    Anonymous,
}

/// What an empty volume gets from the image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Population {
    /// What the image has at the destination.
    #[default]
    Copy,
    /// Nothing.
    Nothing,
}

/// Who asked for a mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// `-v`, with the options behind its last colon.
    VolumeOption(String),
    /// `--mount`.
    MountOption,
    /// `--tmpfs`, with the options behind its colon.
    TmpfsOption(String),
    /// The image.
    Image,
    /// Another container (`--volumes-from`).
    Inherited,
}

impl Propagation {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Rprivate => "rprivate",
            Self::Slave => "slave",
            Self::Rslave => "rslave",
            Self::Shared => "shared",
            Self::Rshared => "rshared",
        }
    }

    /// What a word stands for.
    pub(super) fn of(word: &str) -> Option<Self> {
        [
            Self::Private,
            Self::Rprivate,
            Self::Slave,
            Self::Rslave,
            Self::Shared,
            Self::Rshared,
        ]
        .into_iter()
        .find(|one| one.word() == word)
    }

    /// Whether mounts of the host come into the container.
    pub fn lets_mounts_in(self) -> bool {
        !matches!(self, Self::Private | Self::Rprivate)
    }

    /// Whether mounts of the container reach the host.
    pub fn lets_mounts_out(self) -> bool {
        matches!(self, Self::Shared | Self::Rshared)
    }
}

impl Storage {
    /// The volumes that are mounted, one mount after the other.
    pub fn volumes(&self) -> impl Iterator<Item = &VolumeMount> {
        self.mounts.iter().filter_map(|mount| match &mount.kind {
            MountKind::Volume(volume) => Some(volume),
            _ => None,
        })
    }

    /// The names of the volumes, each once.
    pub fn volume_names(&self) -> BTreeSet<&VolumeName> {
        self.volumes().map(|volume| &volume.name).collect()
    }

    /// Whether a volume is mounted.
    pub fn uses(&self, name: &VolumeName) -> bool {
        self.volumes().any(|volume| volume.name == *name)
    }
}
