//! One more process in a running container.
//!
//! # Theory of operation
//!
//! 1. The caller clones a process *between*, into the container's cgroup.
//! 2. That one closes what it inherited and enters the container's namespaces by the process descriptor of the
//!    container's first process. It cannot enter the process namespace itself; only its children are born there.
//! 3. So it clones the real process, as a child of the caller (`CLONE_PARENT`), reports its number and ends. The caller
//!    can wait for the real one like for any child, and gets its exact exit code.
//! 4. The real process continues as a first process does behind its root: gate, identity, program.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use nix::errno::Errno;
use oci_spec::runtime::Process;

use super::child;
use super::clone::{Cloned, clone_child, clone_sibling};
use super::error::ProcessError;
use super::exit::{RunningProcess, WhenDropped};
use super::gate::{self, Report};
use super::init_step::InitStep;
use super::process_steps::{Lifetime, first_steps, last_steps};
use super::spawn::{HeldProcess, make_gate};
use super::standard_streams::{ChildStdio, GATE, TARGET, arrange};

/// The namespaces that are entered. Entering the one that a process is in already, as with the host's network, changes
/// nothing.
const NAMESPACES: libc::c_int = libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWCGROUP;

/// Everything that a process executed in a running container does, prepared.
#[derive(Debug)]
pub struct ExecPlan {
    steps: Arc<[InitStep]>,
}

impl ExecPlan {
    /// Prepares the process: arguments, environment, working directory, user, capabilities and `noNewPrivileges` are
    /// those of `process`, which is usually the container's own with some of them replaced. Touches nothing.
    pub fn prepare(process: &Process) -> Result<Self, ProcessError> {
        let mut steps = first_steps(Lifetime::OfContainer);
        steps.push(InitStep::WaitAtGate);
        steps.extend(last_steps(process, Lifetime::OfContainer)?);
        Ok(Self {
            steps: steps.into(),
        })
    }

    /// The steps in their order, after the namespaces were entered.
    pub fn steps(&self) -> &[InitStep] {
        &self.steps
    }
}

/// Makes a process in the namespaces of `target`, the first process of a container, and if its directory is given, in
/// the container's cgroup.
///
/// `target` counts in the caller's process namespace. The process becomes a child of the caller but does not die with
/// it: it ends with the container at the latest.
pub fn spawn_exec(
    target: i32,
    plan: &ExecPlan,
    stdio: ChildStdio<'_>,
    cgroup: Option<BorrowedFd<'_>>,
) -> Result<HeldProcess, ProcessError> {
    let enter_error = |errno| ProcessError::Enter { pid: target, errno };
    let container = open_process(target).map_err(enter_error)?;
    let (ours, theirs) = make_gate()?;
    let [stdin, stdout, stderr] = stdio.raw();
    let descriptors = [
        stdin,
        stdout,
        stderr,
        theirs.as_raw_fd(),
        container.as_raw_fd(),
    ];
    // SAFETY: the child goes straight to `go_between`, which neither allocates nor takes a lock, and never returns.
    let cloned =
        unsafe { clone_child(0, cgroup) }.map_err(|errno| ProcessError::Clone { errno })?;
    let between = match cloned {
        Cloned::Child => go_between(&plan.steps, descriptors),
        Cloned::Parent { pid, pidfd } => RunningProcess::new(pid, pidfd, WhenDropped::KillAndReap),
    };
    drop(theirs);
    let next = || {
        gate::next_report(ours.as_fd()).map_err(|errno| ProcessError::Gate {
            action: "read",
            errno,
        })
    };
    // The real process runs as soon as it is cloned, and may have something to say before the one between says its
    // number.
    let mut early = None;
    loop {
        match next()? {
            Some(Report::Cloned(pid)) => {
                // Our own child that nobody else reaps: the number cannot have gone to another process.
                let pidfd =
                    open_process(pid).map_err(|errno| ProcessError::Enter { pid, errno })?;
                let process = RunningProcess::new(pid, pidfd, WhenDropped::KillAndReap);
                let held = HeldProcess::new(process, ours, Arc::clone(&plan.steps));
                return Ok(held.with_early_report(early));
            }
            Some(Report::NotEntered(errno)) => return Err(enter_error(errno)),
            Some(report) => early = Some(report),
            None => {
                return Err(ProcessError::Died {
                    exit: between.wait()?,
                });
            }
        }
    }
}

/// The whole life of the process between.
fn go_between(steps: &[InitStep], descriptors: [RawFd; 5]) -> ! {
    let [.., gate, _] = descriptors;
    if let Err(errno) = arrange(descriptors) {
        child::fail(gate, Report::NotEntered(errno));
    }
    match enter_and_clone() {
        Ok(0) => child::run(steps),
        Ok(pid) => {
            // A caller that is gone does not need to be told.
            let _ = gate::send(GATE, Report::Cloned(pid));
            child::exit(0)
        }
        Err(errno) => child::fail(GATE, Report::NotEntered(errno)),
    }
}

/// Returns twice, like a fork. What is hidden from the eyes of the container must be hidden before the process
/// namespace is shared.
fn enter_and_clone() -> Result<i32, Errno> {
    super::system_call::control(libc::PR_SET_DUMPABLE, 0)?;
    // SAFETY: setns touches no memory of ours; this process has a single thread.
    Errno::result(unsafe { libc::setns(TARGET, NAMESPACES) })?;
    // SAFETY: closes a descriptor that nobody here uses any more.
    unsafe { libc::close(TARGET) };
    // SAFETY: the new process goes straight to `run`, which neither allocates nor takes a lock.
    unsafe { clone_sibling() }
}

fn open_process(pid: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: pidfd_open takes numbers only.
    let result = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let descriptor = Errno::result(result)?;
    // SAFETY: the kernel has just opened this descriptor for us and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor as RawFd) })
}
