//! Why limits are refused.

use super::cpu::NanoCpus;
use super::cpu_set::CpuSet;
use super::scarce_memory::OomScore;
use super::ulimit::Ulimit;
use crate::byte_size::ByteSize;
use thiserror::Error;

/// Why limits are refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ResourcesError {
    /// It is no number of processors.
    #[error("`{0}` is not a number of processors: write one such as `1.5`")]
    Cpus(String),
    /// It is no weight.
    #[error("`{0}` is not a number of shares: write one from 2 to 262144")]
    CpuShares(String),
    /// It is no time in a period.
    #[error("`{0}` is not a quota: write microseconds, at least 1000")]
    CpuQuota(String),
    /// It is no period.
    #[error("`{0}` is not a period: write microseconds, from 1000 to 1000000")]
    CpuPeriod(String),
    /// It is no list of numbers.
    #[error("`{0}` is not a list of numbers: write one such as `0-2,4`")]
    CpuSet(String),
    /// It is no number of processes.
    #[error("`{0}` is not a number of processes: write one from 1 to 4194304")]
    Pids(String),
    /// Less memory than any program needs to start.
    #[error("{size} for `{option}` is too little: the least is {least}")]
    TooLittleMemory {
        /// The option.
        option: &'static str,
        /// What was wanted.
        size: ByteSize,
        /// The least there may be.
        least: ByteSize,
    },
    /// Swap is part of the sum.
    #[error(
        "`--memory-swap` is memory and swap together: {swap} is less than the {memory} of `--memory`; `--memory-swap {memory}` is no swap"
    )]
    SwapBelowMemory {
        /// The sum that was wanted.
        swap: ByteSize,
        /// The memory alone.
        memory: ByteSize,
    },
    /// The sum means nothing without one of its parts.
    #[error("`--memory-swap` needs `--memory`: it is memory and swap together")]
    SwapWithoutMemory,
    /// Nobody would ever let go on what waits for memory.
    #[error(
        "`--oom-kill-disable` needs `--memory`: without a limit of its own a container would make the whole host wait for memory"
    )]
    OomKillerWithoutMemory,
    /// More open files than the kernel can have.
    #[error("`--ulimit {ulimit}` is more open files than this host lets any process have: {most}")]
    TooManyFiles {
        /// What was wanted.
        ulimit: Ulimit,
        /// The most there can be.
        most: u64,
    },
    /// The caller may not raise limits.
    #[error(
        "`--ulimit {ulimit}` is more than the caller may have, which is {own}, and it may not raise limits"
    )]
    UlimitNeedsPrivilege {
        /// What was wanted.
        ulimit: Ulimit,
        /// The caller's own.
        own: u64,
    },
    /// The caller may not protect processes.
    #[error("`--oom-score-adj {0}` protects from being killed, which the caller may not do")]
    ScoreNeedsPrivilege(OomScore),
    /// What is reserved cannot be more than what is allowed.
    #[error("`--memory-reservation` of {reservation} is more than the {memory} of `--memory`")]
    ReservationAboveMemory {
        /// What is to be reserved.
        reservation: ByteSize,
        /// What is allowed.
        memory: ByteSize,
    },
    /// Two ways to say the same.
    #[error("`--cpus` and `{0}` cannot both be given: `--cpus` sets quota and period")]
    CpusTwice(&'static str),
    /// More processors than there are, or too small a part of one.
    #[error("`--cpus {wanted}` is out of range: this host has {present}, and the least is 0.01")]
    CpusOutOfRange {
        /// What was wanted.
        wanted: NanoCpus,
        /// How many there are.
        present: NanoCpus,
    },
    /// Processors or memory nodes that there are not.
    #[error("`{option} {wanted}` names what this host does not have: it has {present}")]
    NotPresent {
        /// The option.
        option: &'static str,
        /// What was wanted.
        wanted: CpuSet,
        /// What there is.
        present: CpuSet,
    },
}

impl ResourcesError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            ResourcesError::TooManyFiles { most, .. } => Some(format!(
                "write at most {most}, or raise `/proc/sys/fs/nr_open`"
            )),
            ResourcesError::UlimitNeedsPrivilege { .. }
            | ResourcesError::ScoreNeedsPrivilege(_) => {
                Some("run minirun with the capability `CAP_SYS_RESOURCE`".into())
            }
            _ => None,
        }
    }
}
