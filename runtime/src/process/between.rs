//! The process between: the parent of a process that is executed in a running container, and its reaper.
//!
//! A container's process namespace cannot end before every process in it was reaped, wherever its parent is. A command
//! of the user's would be a poor parent: it can be paused, blocked or killed. This process is never any of that by
//! accident. It has a session of its own, so that no terminal reaches it, and it is in neither the container's process
//! namespace nor its cgroup, so that nothing in the container sees it and what kills the whole container leaves it to
//! reap. It holds no descriptor but one end of a socket pair, the *watch*, over which it tells the caller what it knows.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

use nix::errno::Errno;

use super::child;
use super::clone::{Cloned, clone_child};
use super::error::ProcessError;
use super::exit::{Exit, Parent, Reap, RunningProcess, send_signal, wait_for};
use super::gate::{self, Report};
use super::init_step::InitStep;
use super::standard_streams::{CGROUP, GATE, TARGET, WATCH, arrange};
use super::{identity, system_call};

/// What the process between enters, so that its child is born there. Entering a namespace that a process is in already
/// changes nothing.
const EARLY: libc::c_int =
    libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWUTS | libc::CLONE_NEWIPC;

/// What only the child enters: a network goes with its last process and must not wait for this one, and from inside of
/// a cgroup namespace nobody can be brought into a cgroup from without.
const LATE: libc::c_int = libc::CLONE_NEWNET | libc::CLONE_NEWCGROUP;

/// The process between as the caller knows it: a child of the caller.
#[derive(Debug)]
pub(super) struct Between {
    pidfd: OwnedFd,
    watch: OwnedFd,
}

impl Between {
    pub(super) fn new(pidfd: OwnedFd, watch: OwnedFd) -> Self {
        Self { pidfd, watch }
    }

    /// Waits until it has made its child. On failure both are gone.
    pub(super) fn await_birth(self) -> Result<RunningProcess, ProcessError> {
        let report = gate::next_report_with(self.watch.as_fd());
        if let Ok(Some((Report::Cloned(pid), Some(pidfd)))) = report {
            return Ok(RunningProcess::new(pid, pidfd, Parent::Between(self)));
        }
        // Anything else is its last word, so there is no harm in making sure.
        let _ = send_signal(self.pidfd.as_fd(), libc::SIGKILL);
        let exit = wait_for(self.pidfd.as_fd(), Reap::Now);
        Err(match (report, exit) {
            (Ok(Some((Report::NotEntered(errno), _))), _) => ProcessError::Enter { errno },
            (Ok(None), Ok(exit)) => ProcessError::Died { exit },
            (Ok(_), _) => ProcessError::gate("understand", Errno::EBADMSG),
            (Err(errno), _) => ProcessError::gate("read", errno),
        })
    }

    /// Waits until the executed process has ended and nothing is left of it, nor of this one.
    pub(super) fn wait(&self, executed: BorrowedFd<'_>) -> Result<Exit, Errno> {
        let exit = match gate::next_report(self.watch.as_fd())? {
            Some(Report::Ended(exit)) => exit,
            Some(_) => return Err(Errno::EBADMSG),
            None => {
                // Somebody killed it. Its child was asked to die with it, but a set-user-id program forgets that.
                match send_signal(executed, libc::SIGKILL) {
                    Ok(()) | Err(Errno::ESRCH) => Exit::Signal(libc::SIGKILL),
                    Err(errno) => return Err(errno),
                }
            }
        };
        wait_for(self.pidfd.as_fd(), Reap::Now)?;
        Ok(exit)
    }
}

/// The descriptors of the process between, by number in the caller.
pub(super) struct Descriptors {
    pub(super) streams: [RawFd; 3],
    pub(super) gate: RawFd,
    pub(super) target: RawFd,
    pub(super) watch: RawFd,
    /// The cgroup's directory, or any other descriptor if there is none.
    pub(super) cgroup: RawFd,
}

/// Whether the executed process is born into a cgroup of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Birth {
    InCgroup,
    WithCaller,
}

/// The whole life of the process between. Called in a fresh child: no allocation.
pub(super) fn live(steps: &[InitStep], descriptors: &Descriptors, birth: Birth) -> ! {
    let [stdin, stdout, stderr] = descriptors.streams;
    let arranged = arrange([
        stdin,
        stdout,
        stderr,
        descriptors.gate,
        descriptors.target,
        descriptors.watch,
        descriptors.cgroup,
    ]);
    if let Err(errno) = arranged {
        child::fail(descriptors.watch, Report::NotEntered(errno));
    }
    match prepare().and_then(|()| make_child(birth)) {
        Ok(Cloned::Child) => enter_late(steps),
        Ok(Cloned::Parent { pid, pidfd }) => accompany(pid, &pidfd),
        Err(errno) => child::fail(WATCH, Report::NotEntered(errno)),
    }
}

/// What is hidden from the eyes of the container must be hidden before the process namespace is shared. The host's
/// /proc is gone from sight afterwards.
fn prepare() -> Result<(), Errno> {
    // The caller may ignore SIGCHLD, and then no end could be waited for.
    child::reset_signals(u64::MAX)?;
    // SAFETY: setsid touches no memory of ours.
    Errno::result(unsafe { libc::setsid() })?;
    system_call::control(libc::PR_SET_DUMPABLE, 0)?;
    identity::drop_memory_protection()?;
    enter(EARLY)
}

fn enter(namespaces: libc::c_int) -> Result<(), Errno> {
    // SAFETY: setns touches no memory of ours; this process has a single thread.
    Errno::result(unsafe { libc::setns(TARGET, namespaces) }).map(drop)
}

fn make_child(birth: Birth) -> Result<Cloned, Errno> {
    // SAFETY: the descriptor was put there by `arrange` and stays open until after the clone.
    let cgroup = unsafe { BorrowedFd::borrow_raw(CGROUP) };
    let cgroup = (birth == Birth::InCgroup).then_some(cgroup);
    // SAFETY: the new process goes straight to `enter_late`, which neither allocates nor takes a lock.
    unsafe { clone_child(0, cgroup) }
}

/// The executed process from its birth on.
fn enter_late(steps: &[InitStep]) -> ! {
    if let Err(errno) = enter(LATE) {
        child::fail(GATE, Report::NotEntered(errno));
    }
    let enters_users = |step: &InitStep| matches!(step, InitStep::EnterUserNamespace);
    let first_done = match steps.iter().any(enters_users) {
        // That step needs it, and closes it.
        true => WATCH,
        false => TARGET,
    };
    for descriptor in first_done..=CGROUP {
        // SAFETY: closes a descriptor that nobody here uses any more.
        unsafe { libc::close(descriptor) };
    }
    child::run((steps, None))
}

/// Tells of the child and of its end. A caller that is gone does not need to be told.
///
/// The end is told before the child is reaped: as soon as that is done, the container can end, and this process with it.
fn accompany(pid: i32, pidfd: &OwnedFd) -> ! {
    let _ = gate::send_with(WATCH, Report::Cloned(pid), pidfd.as_fd());
    for descriptor in (0..=CGROUP).filter(|descriptor| *descriptor != WATCH) {
        // SAFETY: closes a descriptor that nobody here uses any more.
        unsafe { libc::close(descriptor) };
    }
    if let Ok(exit) = wait_for(pidfd.as_fd(), Reap::Later) {
        let _ = gate::send(WATCH, Report::Ended(exit));
    }
    let _ = wait_for(pidfd.as_fd(), Reap::Now);
    child::exit(0)
}
