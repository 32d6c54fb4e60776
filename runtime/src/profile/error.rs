//! What can be wrong with a profile.

use super::Origin;
use std::io;
use std::path::PathBuf;

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// It cannot be the name of one.
    #[error(
        "`{0}` is not the name of a profile: use letters, digits, `-`, `_` and `.`, or name a file with a `/` in its path"
    )]
    BadName(String),
    /// There is none of this name.
    #[error("there is no profile `{name}`: put one into `{}`, or use one of {}", place.display(), known.join(", "))]
    Unknown {
        /// The name.
        name: String,
        /// Where it was looked for.
        place: PathBuf,
        /// Those there are.
        known: Vec<String>,
    },
    /// The file cannot be read.
    #[error("cannot read profile `{}`: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The kernel's answer.
        error: io::Error,
    },
    /// The file is longer than any profile.
    #[error("profile `{}` is longer than {most} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The longest that is read.
        most: u64,
    },
    /// Its text means nothing.
    #[error("{origin}, {error}")]
    Syntax {
        /// Where it is.
        origin: Origin,
        /// What is wrong in it.
        error: SyntaxError,
    },
}

/// What is wrong in the text of a profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct SyntaxError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: String,
}
