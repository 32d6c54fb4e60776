//! What can be wrong with a profile.

use std::fmt;

/// Why a profile says nothing that can be done.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// It is not JSON, or not in the grammar of profiles.
    #[error("{0}")]
    Grammar(serde_json::Error),
    /// It does not say what happens to calls it does not name.
    #[error("it has no `defaultAction`: write `\"defaultAction\": \"SCMP_ACT_ERRNO\"`")]
    NoDefault,
    /// Architectures are given twice.
    #[error("it has both `architectures` and `archMap`: use one of them")]
    ArchitecturesTwice,
    /// There is no such architecture.
    #[error("unknown architecture `{0}`: write it like `SCMP_ARCH_X86_64`")]
    UnknownArchitecture(String),
    /// There is no such flag, or it is of no use here.
    #[error(
        "unknown flag `{0}`: use `SECCOMP_FILTER_FLAG_LOG` or `SECCOMP_FILTER_FLAG_SPEC_ALLOW`"
    )]
    UnknownFlag(String),
    /// Somebody else would have to answer.
    #[error(
        "{0} asks another program for the answer, which this version does not have: use `SCMP_ACT_ERRNO`"
    )]
    Notify(Part),
    /// There is no such action.
    #[error(
        "unknown action `{word}` in {part}: use `SCMP_ACT_ALLOW`, `SCMP_ACT_ERRNO` or `SCMP_ACT_KILL_PROCESS`"
    )]
    UnknownAction {
        /// Where it stands.
        part: Part,
        /// The action.
        word: String,
    },
    /// No error has this number.
    #[error("the error number {number} in {part} is too large: the highest is {HIGHEST_ERRNO}")]
    ErrnoTooLarge {
        /// Where it stands.
        part: Part,
        /// The number.
        number: u64,
    },
    /// An entry is about nothing.
    #[error("{0} names no system call: give it `names`")]
    NoName(Part),
    /// An entry has its calls in two places.
    #[error("{0} has both `name` and `names`: use one of them")]
    NamesTwice(Part),
    /// There is no such argument.
    #[error("{part} has a condition on argument {index}: they are counted from 0 to 5")]
    UnknownArgument {
        /// The entry.
        part: Part,
        /// The index.
        index: u64,
    },
    /// There is no such comparison.
    #[error(
        "unknown operator `{word}` in {part}: use `SCMP_CMP_EQ`, `_NE`, `_LT`, `_LE`, `_GT`, `_GE` or `_MASKED_EQ`"
    )]
    UnknownOperator {
        /// The entry.
        part: Part,
        /// The operator.
        word: String,
    },
    /// That is no version of a kernel.
    #[error("invalid `minKernel` `{word}` in {part}: write it like `4.8`")]
    KernelVersion {
        /// The entry.
        part: Part,
        /// The version.
        word: String,
    },
}

/// The highest error number that the kernel returns (`MAX_ERRNO`).
pub const HIGHEST_ERRNO: u64 = 4095;

/// A part of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What happens to calls that are not named.
    Default,
    /// Who is asked.
    Listener,
    /// An entry of `syscalls`, counted from 1.
    Entry(usize),
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Default => formatter.write_str("`defaultAction`"),
            Part::Listener => formatter.write_str("`listenerPath`"),
            Part::Entry(number) => write!(formatter, "entry {number} of `syscalls`"),
        }
    }
}
