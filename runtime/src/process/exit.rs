//! How a process ends, and waiting for it.

use std::fmt;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;

use super::between::Between;
use super::error::ProcessError;
use super::usage::{self, ProcessUsage};

/// Of linux/pidfd.h, since Linux 6.9: the signal is for the process group that the process leads.
const PIDFD_SIGNAL_PROCESS_GROUP: libc::c_uint = 1 << 2;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It exited with this code, 0 to 255.
    Code(i32),
    /// It was killed by the signal of this number.
    Signal(i32),
}

impl Exit {
    /// The exit code as a shell reports it: the program's own, or 128 and the number of the signal.
    pub fn exit_code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => 128 + signal,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(formatter, "exited with code {code}"),
            Self::Signal(signal) => write!(formatter, "was killed by signal {signal}"),
        }
    }
}

/// A process that runs its program. Dropping it neither kills nor reaps the process.
#[derive(Debug)]
pub struct RunningProcess {
    pid: i32,
    pidfd: OwnedFd,
    parent: Parent,
    when_dropped: WhenDropped,
}

/// Whose child a process is, and with that, who learns how it ends.
#[derive(Debug)]
pub(super) enum Parent {
    Caller,
    Between(Between),
}

/// What the end of the value means for the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhenDropped {
    Leave,
    KillAndReap,
}

impl RunningProcess {
    /// A process that is killed and reaped when the value is dropped.
    pub(super) fn new(pid: i32, pidfd: OwnedFd, parent: Parent) -> Self {
        Self {
            pid,
            pidfd,
            parent,
            when_dropped: WhenDropped::KillAndReap,
        }
    }

    pub(super) fn set_when_dropped(&mut self, when_dropped: WhenDropped) {
        self.when_dropped = when_dropped;
    }

    /// The process, as the caller's process namespace counts.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// A descriptor that becomes readable when the process ends, and that means this process for ever.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Waits until the process ends, and reaps it: a second call fails.
    pub fn wait(&self) -> Result<Exit, ProcessError> {
        self.reap().map_err(|errno| ProcessError::Wait {
            pid: self.pid,
            errno,
        })
    }

    /// The same for a child of this process, and what it has used.
    pub fn wait_measured(&self) -> Result<(Exit, ProcessUsage), ProcessError> {
        let waited = match &self.parent {
            Parent::Caller => wait_for_measured(self.pidfd.as_fd(), Reap::Now),
            // Only its parent is told that.
            Parent::Between(between) => between
                .wait(self.pidfd.as_fd())
                .map(|exit| (exit, usage::nothing())),
        };
        match waited {
            Ok((exit, used)) => Ok((exit, used.into())),
            Err(errno) => Err(ProcessError::Wait {
                pid: self.pid,
                errno,
            }),
        }
    }

    /// Sends the process the signal of this number.
    pub fn signal(&self, signal: i32) -> Result<(), ProcessError> {
        send_signal(self.pidfd.as_fd(), signal).map_err(|errno| ProcessError::Signal {
            pid: self.pid,
            signal,
            errno,
        })
    }

    /// Kills the process and, since Linux 6.9, whoever is in its process group; before that, only the process. One that has
    /// ended is no error.
    pub fn kill_group(&self) -> Result<(), ProcessError> {
        let signal = libc::SIGKILL;
        match send(self.pidfd.as_fd(), signal, PIDFD_SIGNAL_PROCESS_GROUP) {
            Err(Errno::EINVAL) => self.signal(signal),
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(errno) => Err(ProcessError::Signal {
                pid: self.pid,
                signal,
                errno,
            }),
        }
    }

    fn reap(&self) -> Result<Exit, Errno> {
        match &self.parent {
            Parent::Caller => wait_for(self.pidfd.as_fd(), Reap::Now),
            Parent::Between(between) => between.wait(self.pidfd.as_fd()),
        }
    }
}

impl Drop for RunningProcess {
    fn drop(&mut self) {
        if self.when_dropped == WhenDropped::KillAndReap {
            // Neither can fail in a way that a destructor could mend: a process that has ended before is reaped all the
            // same.
            let _ = send_signal(self.pidfd.as_fd(), libc::SIGKILL);
            let _ = self.reap();
        }
    }
}

pub(super) fn send_signal(pidfd: BorrowedFd<'_>, signal: i32) -> Result<(), Errno> {
    send(pidfd, signal, 0)
}

fn send(pidfd: BorrowedFd<'_>, signal: i32, flags: libc::c_uint) -> Result<(), Errno> {
    // SAFETY: pidfd_send_signal takes numbers, and a null pointer that stands for an ordinary signal.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal,
            std::ptr::null::<libc::siginfo_t>(),
            flags,
        )
    };
    Errno::result(result).map(drop)
}

/// What becomes of a process that was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reap {
    Now,
    /// It stays a zombie until it is waited for again.
    Later,
}

/// Waits for the end of a child. Called in the process between, too: no allocation.
pub(super) fn wait_for(pidfd: BorrowedFd<'_>, reap: Reap) -> Result<Exit, Errno> {
    wait_for_measured(pidfd, reap).map(|(exit, _)| exit)
}

/// The same, and what the child has used.
///
/// The raw call, because the typed one loses the status of a process that a real-time signal killed, and that of the C
/// library does not tell what was used.
fn wait_for_measured(pidfd: BorrowedFd<'_>, reap: Reap) -> Result<(Exit, libc::rusage), Errno> {
    let options = match reap {
        Reap::Now => libc::WEXITED,
        Reap::Later => libc::WEXITED | libc::WNOWAIT,
    };
    loop {
        // SAFETY: siginfo_t is plain data, for which all zeroes is a value.
        let mut information: libc::siginfo_t = unsafe { mem::zeroed() };
        let mut used = usage::nothing();
        // SAFETY: the kernel writes one siginfo_t and one rusage to the places that the pointers name.
        let result = unsafe {
            libc::syscall(
                libc::SYS_waitid,
                libc::P_PIDFD,
                pidfd.as_raw_fd(),
                &raw mut information,
                options,
                &raw mut used,
            )
        };
        match Errno::result(result) {
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno),
            Ok(_) => {}
        }
        // SAFETY: waitid succeeded, so the fields of a SIGCHLD are filled in.
        let status = unsafe { information.si_status() };
        let exit = match information.si_code {
            libc::CLD_EXITED => Exit::Code(status),
            _ => Exit::Signal(status),
        };
        return Ok((exit, used));
    }
}
