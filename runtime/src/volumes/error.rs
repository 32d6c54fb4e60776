//! What can go wrong with volumes and mounts.

use std::io;
use std::path::PathBuf;

use minirun_bridge::name::ContainerName;
use thiserror::Error;

use crate::image::PopulateError;
use crate::storage::{MergeError, Propagation, VolumeName};

/// Why a volume cannot be made, filled or removed, or something cannot be mounted.
#[derive(Debug, Error)]
pub enum VolumeError {
    /// There is no such volume.
    #[error("no volume is called `{0}`")]
    Unknown(String),
    /// A container needs it.
    #[error("volume `{name}` is used by {}", listed(.users))]
    InUse {
        /// The volume.
        name: VolumeName,
        /// The containers, running or not.
        users: Vec<ContainerName>,
    },
    /// It was removed behind the container's back.
    #[error("volume `{name}` of container `{container}` does not exist any more")]
    Gone {
        /// The volume.
        name: VolumeName,
        /// The container.
        container: ContainerName,
    },
    /// What the image has for it could not be copied.
    #[error("cannot fill volume `{name}` with what the image has: {source}")]
    Populate {
        /// The volume.
        name: VolumeName,
        /// Why.
        source: PopulateError,
    },
    /// Two mounts are to lie at one place.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// `--mount type=bind` does not make what is missing.
    #[error("cannot mount `{}`: it does not exist", .0.display())]
    NoSource(PathBuf),
    /// A file of the host could not be made or looked at.
    #[error("cannot {action} `{}`, which is to be mounted: {error}", path.display())]
    Source {
        /// What was tried.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// The kernel's answer.
        error: io::Error,
    },
    /// Mounts cannot pass between host and container.
    #[error(
        "`{}` cannot be mounted with `{}`: it lies on a mount of the host (`{mount_point}`) that is {kind}",
        path.display(),
        propagation.word()
    )]
    NotPropagating {
        /// What is to be mounted.
        path: PathBuf,
        /// How.
        propagation: Propagation,
        /// The mount it lies on.
        mount_point: String,
        /// What that is instead.
        kind: &'static str,
    },
}

fn listed(users: &[ContainerName]) -> String {
    let quoted: Vec<String> = users.iter().map(|name| format!("`{name}`")).collect();
    let kind = match quoted.len() {
        1 => "container",
        _ => "containers",
    };
    format!("{kind} {}", quoted.join(", "))
}

impl VolumeError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unknown(_) => "`minirun volume ls` lists the volumes there are".to_owned(),
            Self::InUse { users, .. } => {
                let names: Vec<&str> = users.iter().map(ContainerName::as_str).collect();
                format!(
                    "remove what uses it first: `minirun rm {}`",
                    names.join(" ")
                )
            }
            Self::Gone { name, .. } => {
                format!("make it anew, empty: `minirun volume create {name}`")
            }
            Self::NoSource(path) => format!(
                "make it first, or let it be made as a directory: `-v {}:DESTINATION`",
                path.display()
            ),
            Self::NotPropagating {
                mount_point,
                propagation,
                ..
            } => match propagation.lets_mounts_out() {
                true => format!("share that mount first: `mount --make-rshared {mount_point}`"),
                false => format!(
                    "share that mount first (`mount --make-rshared {mount_point}`), or leave out `{}`",
                    propagation.word()
                ),
            },
            Self::Merge(_) => "give each mount a destination of its own".to_owned(),
            Self::Populate { .. } | Self::Source { .. } => return None,
        })
    }
}
