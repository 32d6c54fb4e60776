//! What can go wrong between a profile and a filter.

use std::io;
use std::path::PathBuf;

use super::compiler::TooLong;
use super::profile_error::ProfileError;

/// Why a container has no filter.
#[derive(Debug, thiserror::Error)]
pub enum SeccompError {
    /// The file with the profile could not be read.
    #[error("cannot read the seccomp profile `{}`: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The kernel's answer.
        error: io::Error,
    },
    /// The file is none that somebody wrote.
    #[error("the seccomp profile `{}` is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// How large it may be.
        limit: u64,
    },
    /// The profile means nothing.
    #[error("invalid seccomp profile `{}`: {error}", path.display())]
    Profile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: ProfileError,
    },
    /// The profile in the record means nothing.
    #[error("invalid seccomp profile in the record of the container: {0}")]
    Record(ProfileError),
    /// The profile cannot be compiled.
    #[error("invalid seccomp profile: {0}")]
    TooLong(#[from] TooLong),
    /// What was compiled is not there any more, or damaged.
    #[error("cannot use the system call filter `{}`: it is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

impl SeccompError {
    /// What helps, where something is known to.
    pub fn hint(&self) -> Option<String> {
        match self {
            SeccompError::Read { .. } => Some(
                "write the path of a profile, `seccomp=unconfined`, or `seccomp=default`".into(),
            ),
            SeccompError::Damaged { .. } => Some("remove the container and create it again".into()),
            _ => None,
        }
    }
}
