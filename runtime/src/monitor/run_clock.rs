//! How long a run has lasted, and when its time is over.
//!
//! The clock is one that nobody sets and that goes on while the host sleeps (`CLOCK_BOOTTIME`). The timer is a descriptor,
//! because the kernel then wakes the monitor once, at the moment, however far away that is.

use crate::error::RuntimeError;
use crate::time_limit::TimeLimit;
use nix::poll::{PollFd, PollFlags};
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::time::{ClockId as Clock, clock_gettime};
use std::os::fd::AsFd;
use std::time::Duration;

/// The clock of one run.
pub(super) struct RunClock {
    begun: Duration,
    timer: Option<TimerFd>,
    struck: Struck,
}

/// Whether the time was over before the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Struck {
    /// It was not.
    No,
    /// It was, and the program was killed for it.
    Yes,
}

impl RunClock {
    /// A clock that begins now, for a run without a limit.
    pub(super) fn begin() -> Result<RunClock, RuntimeError> {
        Ok(RunClock {
            begun: now()?,
            timer: None,
            struck: Struck::No,
        })
    }

    /// Sets how long the run may last from its beginning. If that is over already, it strikes at once.
    pub(super) fn limit(&mut self, limit: TimeLimit) -> Result<(), RuntimeError> {
        let Some(duration) = limit.duration().filter(|_| self.struck == Struck::No) else {
            self.timer = None;
            return Ok(());
        };
        let end = self.begun.saturating_add(duration);
        let make = || -> nix::Result<TimerFd> {
            let timer = TimerFd::new(ClockId::CLOCK_BOOTTIME, TimerFlags::TFD_CLOEXEC)?;
            timer.set(
                Expiration::OneShot(end.into()),
                TimerSetTimeFlags::TFD_TIMER_ABSTIME,
            )?;
            Ok(timer)
        };
        let timer = make().map_err(|error| RuntimeError::system("set a timer", error))?;
        self.timer = Some(timer);
        Ok(())
    }

    /// What to wait for: the end of the time.
    pub(super) fn question(&self) -> Option<PollFd<'_>> {
        let timer = self.timer.as_ref()?;
        Some(PollFd::new(timer.as_fd(), PollFlags::POLLIN))
    }

    /// Notes that the time is over. It strikes once.
    pub(super) fn strike(&mut self) {
        self.timer = None;
        self.struck = Struck::Yes;
    }

    /// Whether it has struck.
    pub(super) fn struck(&self) -> Struck {
        self.struck
    }

    /// How long the run has lasted.
    pub(super) fn elapsed(&self) -> Duration {
        // This clock can always be read.
        now().unwrap_or(self.begun).saturating_sub(self.begun)
    }
}

fn now() -> Result<Duration, RuntimeError> {
    let time = clock_gettime(Clock::CLOCK_BOOTTIME);
    time.map(Duration::from)
        .map_err(|error| RuntimeError::system("read the clock", error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::poll::{PollTimeout, poll};

    fn strikes_within(clock: &RunClock, milliseconds: u16) -> bool {
        let mut question = [clock.question().expect("it has a timer")];
        poll(&mut question, PollTimeout::from(milliseconds)).unwrap() == 1
    }

    #[test]
    fn it_strikes_when_the_time_is_over_and_not_before() {
        let mut clock = RunClock::begin().unwrap();
        let limit = Duration::from_millis(50);
        clock.limit(limit.into()).unwrap();
        assert!(strikes_within(&clock, 20_000));
        assert!(clock.elapsed() >= limit);
        clock.limit(Duration::from_secs(3600).into()).unwrap();
        assert!(!strikes_within(&clock, 0));
        clock.limit(Duration::from_nanos(1).into()).unwrap();
        assert!(strikes_within(&clock, 20_000));
    }

    #[test]
    fn it_strikes_once() {
        let mut clock = RunClock::begin().unwrap();
        assert!(clock.question().is_none());
        clock.limit(Duration::from_nanos(1).into()).unwrap();
        clock.strike();
        assert!(clock.question().is_none());
        clock.limit(Duration::from_secs(1).into()).unwrap();
        assert!(clock.question().is_none());
        assert_eq!(clock.struck(), Struck::Yes);
    }
}
