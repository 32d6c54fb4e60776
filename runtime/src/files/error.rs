//! What can go wrong with the files of containers.

use std::fmt;
use std::io;

use minirun_bridge::name::ContainerName;
use thiserror::Error;

use crate::image::TreeError;

/// Where a path is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// On the host.
    Host,
    /// In this container.
    Container(ContainerName),
}

impl fmt::Display for Side {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Side::Host => formatter.write_str("on the host"),
            Side::Container(name) => write!(formatter, "in container `{name}`"),
        }
    }
}

/// Why files were not copied, exported or compared.
#[derive(Debug, Error)]
pub enum FilesError {
    /// Nothing is there.
    #[error("there is no `{path}` {side}")]
    Missing {
        /// The path as typed.
        path: String,
        /// Where it was looked for.
        side: Side,
    },
    /// A directory that something is to be put into is not there.
    #[error("cannot copy to `{path}`: that directory does not exist {side}")]
    MissingDirectory {
        /// The path as typed.
        path: String,
        /// Where it was looked for.
        side: Side,
    },
    /// Something else than a directory is where one must be.
    #[error("`{path}` {side} is not a directory")]
    NotADirectory {
        /// The path as typed.
        path: String,
        /// Where it is.
        side: Side,
    },
    /// A directory cannot become a file.
    #[error("cannot copy a directory to `{path}` {side}, which is none")]
    DirectoryOverFile {
        /// The path as typed.
        path: String,
        /// Where it is.
        side: Side,
    },
    /// A path cannot be resolved.
    #[error("cannot look at `{path}` {side}: {error}")]
    Unreachable {
        /// The path as typed.
        path: String,
        /// Where it is.
        side: Side,
        /// The kernel's answer.
        error: io::Error,
    },
    /// What was named is a device or a socket.
    #[error("`{path}` is {kind}, which is not copied")]
    NotCopied {
        /// The path as typed.
        path: String,
        /// What it is.
        kind: &'static str,
    },
    /// Something in a tree could not be read, or not be made at the other end.
    #[error("cannot copy: {0}")]
    Copy(TreeError),
    /// The archive could not be made.
    #[error("cannot make the archive: {0}")]
    Pack(TreeError),
    /// The archive could not be written.
    #[error("cannot write the archive: {0}")]
    Archive(io::Error),
    /// What a container has written, or its image, could not be read.
    #[error(
        "cannot read `{path}`, which container `{container}` has written or its image holds: {error}"
    )]
    Compare {
        /// The path in the container.
        path: String,
        /// The container.
        container: ContainerName,
        /// The kernel's answer.
        error: io::Error,
    },
    /// A container has no control group by which it could be paused.
    #[error("cannot pause container `{0}`: this host has no control groups of version 2")]
    NotPausable(ContainerName),
    /// A container could not be paused.
    #[error("cannot pause container `{container}`: {error}")]
    Pause {
        /// The container.
        container: ContainerName,
        /// The kernel's answer.
        error: io::Error,
    },
}

impl FilesError {
    /// What to do about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::MissingDirectory { .. } => {
                Some("directories above the destination are not made: make them first".into())
            }
            Self::DirectoryOverFile { .. } => Some("name another destination, or remove it".into()),
            Self::Unreachable { error, .. }
                if error.raw_os_error() == Some(libc::ELOOP) =>
            {
                Some("links that the kernel makes, such as those in `/proc`, are not followed, and rings of links lead nowhere".into())
            }
            Self::Copy(TreeError::MountPoint { .. }) => Some(
                "change the file that is mounted there, or write to it with `minirun exec`".into(),
            ),
            Self::NotCopied { .. } => {
                Some("`minirun cp CONTAINER:PATH -` puts it into an archive as what it is".into())
            }
            Self::NotPausable(_) | Self::Pause { .. } => {
                Some("let it run meanwhile: `minirun commit --pause=false`".into())
            }
            _ => None,
        }
    }
}
