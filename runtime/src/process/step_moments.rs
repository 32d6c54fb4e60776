//! When each step of a child was done: written by the child, read by its parent, for whoever has a start explained.
//!
//! They share one piece of memory, made before the clone, in which every step has a place. The child only reads the clock, which
//! the kernel answers without a system call, and writes a number.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::time::{ClockId, clock_gettime};

/// Shared memory with one moment for each step, in nanoseconds of the monotonic clock; 0 for a step that was not done.
#[derive(Debug)]
pub struct StepMoments {
    places: NonNull<AtomicU64>,
    count: usize,
}

// SAFETY: the places are atomic, live as long as this value, and are shared with another process already.
unsafe impl Send for StepMoments {}
// SAFETY: as above.
unsafe impl Sync for StepMoments {}

impl StepMoments {
    /// Room for `count` steps; a process that is cloned from now on shares it.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(super) fn share(count: usize) -> Result<Self, Errno> {
        // SAFETY: a new mapping at a place of the kernel's choice touches no memory that is in use.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                count * size_of::<AtomicU64>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        match NonNull::new(start) {
            Some(start) if start.as_ptr() != libc::MAP_FAILED => Ok(Self {
                places: start.cast(),
                count,
            }),
            _ => Err(Errno::last()),
        }
    }

    /// Notes that a step was done just now. Makes no allocation and takes no lock.
    pub(super) fn note(&self, index: usize) {
        if let Some(place) = self.places().get(index) {
            place.store(nanoseconds(), Ordering::Relaxed);
        }
    }

    /// How long ago a step was done; none if it was not, or is the program itself.
    pub(super) fn age(&self, index: usize) -> Option<Duration> {
        let moment = self.places().get(index)?.load(Ordering::Relaxed);
        let age = || Duration::from_nanos(nanoseconds().saturating_sub(moment));
        (moment != 0).then(age)
    }

    fn places(&self) -> &[AtomicU64] {
        // SAFETY: the mapping holds so many, begins at a page and lives as long as this value; zeroes are valid numbers.
        unsafe { std::slice::from_raw_parts(self.places.as_ptr(), self.count) }
    }
}

impl Drop for StepMoments {
    fn drop(&mut self) {
        let length = self.count * size_of::<AtomicU64>();
        // SAFETY: nobody refers to the mapping any more, and it has this length.
        unsafe { libc::munmap(self.places.as_ptr().cast(), length) };
    }
}

/// 0 only if there is no clock.
fn nanoseconds() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from);
    now.map_or(0, |now| u64::try_from(now.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_an_age_once_it_was_done() {
        let moments = StepMoments::share(2).expect("there is memory");
        assert_eq!(moments.age(0), None);
        moments.note(0);
        moments.note(1);
        let (first, second) = (moments.age(0), moments.age(1));
        assert!(second.is_some() && first >= second);
    }

    #[test]
    fn what_has_no_place_is_passed_over() {
        let moments = StepMoments::share(1).expect("there is memory");
        moments.note(1);
        assert_eq!(moments.age(1), None);
    }
}
