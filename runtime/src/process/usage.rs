//! What a process has used, as the kernel says when it is reaped.

use std::mem;
use std::time::Duration;

/// What a process has used, with all processes below it that it has outlived. The first process of a container outlives
/// all others of its process namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessUsage {
    /// Processor time in programs.
    pub user: Duration,
    /// Processor time in the kernel on their behalf.
    pub system: Duration,
    /// The most memory that one of them has had, in bytes.
    pub largest: u64,
}

/// What the kernel has yet to fill in.
pub(super) fn nothing() -> libc::rusage {
    // SAFETY: a `struct rusage` is nothing but numbers, for which all zeroes is a value.
    unsafe { mem::zeroed() }
}

impl From<libc::rusage> for ProcessUsage {
    fn from(usage: libc::rusage) -> ProcessUsage {
        // The kernel counts in kibibytes (getrusage(2)).
        let kibibytes = u64::try_from(usage.ru_maxrss).unwrap_or_default();
        ProcessUsage {
            user: duration(usage.ru_utime),
            system: duration(usage.ru_stime),
            largest: kibibytes.saturating_mul(1024),
        }
    }
}

/// The kernel's times of usage are never negative.
fn duration(time: libc::timeval) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let microseconds = u64::try_from(time.tv_usec).unwrap_or_default();
    Duration::from_secs(seconds).saturating_add(Duration::from_micros(microseconds))
}
