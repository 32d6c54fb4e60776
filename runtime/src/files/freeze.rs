//! Holds a container still for a moment, and lets it go on whatever becomes of the command that did it.
//!
//! A helper process waits for the end of a pipe that only this process holds open. When that is closed, because the work is done
//! or because the command was killed, the helper lets the container go on.

use std::fs::{self, File};
use std::io::{self, PipeReader, PipeWriter, Read, Seek, Write, pipe};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork};

use crate::cgroup::Cgroup;

/// How long the processes of a container may take to stand still.
const PATIENCE: Duration = Duration::from_secs(10);

/// A container that stands still until this is dropped.
pub(super) struct Frozen {
    open_end: Option<PipeWriter>,
    helper: Pid,
    switch: File,
}

impl Frozen {
    /// Lets the processes of a group stand still; none if they do already, by somebody else's will.
    ///
    /// # Errors
    /// The kernel's; `TimedOut` if a process does not come to a stop.
    pub(super) fn freeze(cgroup: &Cgroup) -> io::Result<Option<Self>> {
        let path = cgroup.path().join("cgroup.freeze");
        if fs::read_to_string(&path)?.trim() == "1" {
            return Ok(None);
        }
        let switch = File::options().write(true).open(&path)?;
        let frozen = Self::with_helper(switch)?;
        (&frozen.switch).write_all(b"1")?;
        wait_until_frozen(&cgroup.path().join("cgroup.events"))?;
        Ok(Some(frozen))
    }

    /// The helper comes first, so that there is no moment at which nobody would let the container go on.
    fn with_helper(switch: File) -> io::Result<Self> {
        let (waiting, open_end) = pipe()?;
        let signals = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        // SAFETY: the child only makes system calls on descriptors that are open already, and never returns.
        let forked = unsafe { fork() };
        if let Ok(ForkResult::Child) = forked {
            wait_and_thaw(&waiting, switch.as_raw_fd())
        }
        // Setting a mask that was one before cannot fail.
        let _ = signals.thread_set_mask();
        match forked? {
            ForkResult::Parent { child } => Ok(Self {
                open_end: Some(open_end),
                helper: child,
                switch,
            }),
            ForkResult::Child => Err(Errno::ECHILD.into()),
        }
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        // It may be that somebody has killed the helper. A group that is gone needs nothing.
        let _ = (&self.switch).write_all(b"0");
        drop(self.open_end.take());
        let _ = waitpid(self.helper, None);
    }
}

/// The life of the helper, with all signals blocked: a key that interrupts the command must not meet it. No allocation.
fn wait_and_thaw(waiting: &PipeReader, switch: RawFd) -> ! {
    // SAFETY: setsid touches no memory of ours.
    unsafe { libc::setsid() };
    let (waiting, mut byte) = (waiting.as_raw_fd(), 0_u8);
    close_all_but(waiting, switch);
    loop {
        // SAFETY: the pointer names the one byte that may be read.
        let count = unsafe { libc::read(waiting, (&raw mut byte).cast(), 1) };
        if count == 0 || count < 0 && Errno::last() != Errno::EINTR {
            break;
        }
    }
    // SAFETY: the pointer names a static byte; _exit runs no destructor and no handler.
    unsafe {
        libc::write(switch, b"0".as_ptr().cast(), 1);
        libc::_exit(0)
    }
}

/// Among the others are the end of the pipe that is waited for, locks, and the streams of the command.
fn close_all_but(one: RawFd, other: RawFd) {
    let (low, high) = (one.min(other), one.max(other));
    for (first, last) in [(0, low - 1), (low + 1, high - 1), (high + 1, RawFd::MAX)] {
        if first <= last {
            // SAFETY: closes descriptors that nobody here uses any more.
            unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
        }
    }
}

fn wait_until_frozen(path: &Path) -> io::Result<()> {
    let end = Instant::now() + PATIENCE;
    let mut events = File::open(path)?;
    loop {
        let mut text = String::new();
        events.rewind()?;
        events.read_to_string(&mut text)?;
        if text.lines().any(|line| line == "frozen 1") {
            return Ok(());
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let milliseconds = left.as_millis().saturating_add(1);
        let timeout = PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX);
        match poll(
            &mut [PollFd::new(events.as_fd(), PollFlags::POLLPRI)],
            timeout,
        ) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
