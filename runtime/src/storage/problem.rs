//! What can be wrong with `-v` and `--mount`.

use thiserror::Error;

use super::destination::DestinationProblem;
use super::tmpfs::TmpfsProblem;
use super::volume_name::VolumeNameError;
use crate::byte_size::ByteSizeError;

/// A mount that was refused, with everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("invalid mount `{text}`: {}", listed(.problems))]
pub struct MountError {
    /// The mount as typed.
    pub text: String,
    /// What is wrong, at least one thing.
    pub problems: Vec<MountProblem>,
}

fn listed(problems: &[MountProblem]) -> String {
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// One thing that is wrong with a mount.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MountProblem {
    /// Nothing can be mounted there.
    #[error(transparent)]
    Destination(#[from] DestinationProblem),
    /// The source is no volume.
    #[error(transparent)]
    VolumeName(#[from] VolumeNameError),
    /// The file system in memory cannot be had like this.
    #[error(transparent)]
    Tmpfs(#[from] TmpfsProblem),
    /// A size is none.
    #[error(transparent)]
    Size(#[from] ByteSizeError),
    /// `-v a:b:c:d`.
    #[error("it has more than three parts; write SOURCE:DESTINATION:OPTIONS")]
    TooManyParts,
    /// `-v :b`.
    #[error("nothing stands before the first colon; write a path or the name of a volume there")]
    EmptySource,
    /// `-v /data:ro`.
    #[error("`{0}` stands where the destination should; write SOURCE:DESTINATION:{0}")]
    OptionAsDestination(String),
    /// An option behind the last colon that there is not.
    #[error(
        "unknown option `{0}`; use `ro`, `rw`, `nocopy`, `z`, `Z`, or a propagation such as `rslave`"
    )]
    UnknownOption(String),
    /// Two options, of which only one can hold.
    #[error("`{0}` and `{1}` cannot both hold")]
    Contradiction(String, String),
    /// An option of binds on something else.
    #[error("`{0}` is for binds only")]
    BindsOnly(String),
    /// An option of volumes on something else.
    #[error("`{0}` is for volumes only")]
    VolumesOnly(String),
    /// An option of tmpfs on something else.
    #[error("`{0}` is for tmpfs only")]
    TmpfsOnly(String),
    /// The CSV of `--mount` cannot be split.
    #[error("a `\"` stands where none may; a field that holds a comma is written `\"KEY=a,b\"`")]
    Quotes,
    /// A field of `--mount` without `=`.
    #[error("`{0}` is not of the form KEY=VALUE")]
    NoValue(String),
    /// A key of `--mount` that there is not.
    #[error("unknown key `{0}`")]
    UnknownKey(String),
    /// A value that its key cannot have.
    #[error("`{value}` cannot be the value of `{key}`; use {expected}")]
    Value {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// What it can have.
        expected: &'static str,
    },
    /// A bind needs a source.
    #[error("a bind needs a source; add `source=PATH`")]
    NoSource,
    /// A bind by a relative path.
    #[error("the source `{0}` is not absolute; begin it with `/` or `./`")]
    RelativeSource(String),
    /// A tmpfs comes from nowhere.
    #[error("a tmpfs has no source; leave out `source`")]
    TmpfsSource,
    /// A volume that is new and cannot be written.
    #[error(
        "a volume without a name is new, and nobody could write to it; leave out `readonly` or name a volume"
    )]
    ReadOnlyAnonymous,
    /// `bind-recursive=writable` and `readonly` say how a read-only bind is so.
    #[error("`{0}` says what a read-only bind is; add `readonly`")]
    NeedsReadOnly(String),
    /// Mounts that arrive later would not be read-only.
    #[error(
        "`bind-recursive=readonly` cannot hold for mounts that arrive later; add `bind-propagation=rprivate`"
    )]
    NeedsPrivate,
    /// A subpath that leaves the volume.
    #[error("the subpath `{0}` is not a relative path inside of the volume")]
    Subpath(String),
    /// Only the local driver is there.
    #[error("there is no volume driver `{0}`; the only one is `local`")]
    Driver(String),
    /// The local driver has no options here.
    #[error("options of volume drivers are not part of this version; leave out `{0}`")]
    DriverOption(String),
}

/// The problems of one mount as they are found.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<MountProblem>);

impl Problems {
    pub(super) fn add(&mut self, problem: impl Into<MountProblem>) {
        self.0.push(problem.into());
    }

    /// The value, or nothing and one more problem.
    pub(super) fn keep<T, E: Into<MountProblem>>(&mut self, result: Result<T, E>) -> Option<T> {
        result.map_err(|problem| self.add(problem)).ok()
    }

    /// The value if nothing is wrong.
    pub(super) fn settle<T>(self, text: &str, value: Option<T>) -> Result<T, MountError> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(MountError {
                text: text.to_owned(),
                problems: self.0,
            }),
        }
    }
}
