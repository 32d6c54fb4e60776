//! The worker that makes one health check: a child of the monitor that lives as long as the check.
//!
//! It executes the program as `minirun exec` does, runs the executable of the monitor, which is sealed, and dies before its
//! monitor.

use super::descriptors;
use super::health_output::collect;
use super::pauses::Pauses;
use crate::error::RuntimeError;
use crate::exec::ExecRequest;
use crate::health::{Health, HealthProgress, HealthResult, HealthTerms, Outcome};
use crate::process::ChildStdio;
use crate::process_identity::PidFd;
use crate::resources::group_parent::GroupParent;
use crate::runtime::Runtime;
use jiff::Timestamp;
use minirun_bridge::id::ContainerId;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{ForkResult, Pid, fork, getppid};
use std::fs::File;
use std::io::pipe;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// What a program without an exit code has.
const NO_EXIT_CODE: i32 = -1;

/// One check.
pub(super) struct Check<'a> {
    pub(super) runtime: &'a Runtime,
    pub(super) id: &'a ContainerId,
    /// Below which group its own is.
    pub(super) group_parent: &'a GroupParent,
    pub(super) terms: HealthTerms,
    /// What was known before.
    pub(super) progress: HealthProgress,
    pub(super) asked: Asked,
}

/// When a check was begun.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    /// By the clock on the wall.
    pub(super) at: Timestamp,
    /// How long the container's program ran then.
    pub(super) running: Duration,
    /// When its time is over.
    pub(super) give_up: Instant,
}

/// What a worker found, told by its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// An answer, which is on record.
    Counted(Outcome),
    /// The container is paused.
    NotCounted,
    /// It was killed, and recorded nothing.
    Lost,
}

impl Verdict {
    fn exit_code(self) -> i32 {
        match self {
            Verdict::Counted(Outcome::Passed) => 0,
            Verdict::Counted(Outcome::Failed) => 1,
            Verdict::NotCounted => 2,
            Verdict::Lost => 3,
        }
    }

    fn of_exit_code(code: i32) -> Verdict {
        match code {
            0 => Verdict::Counted(Outcome::Passed),
            1 => Verdict::Counted(Outcome::Failed),
            2 => Verdict::NotCounted,
            _ => Verdict::Lost,
        }
    }
}

/// A worker at work. Dropping it kills and reaps it.
pub(super) struct Worker(PidFd);

impl Worker {
    /// Begins a check.
    pub(super) fn fork(check: &Check<'_>) -> Result<Worker, RuntimeError> {
        let monitor = Pid::this();
        // SAFETY: a monitor has one thread, so no lock is held by a thread that the child will not have.
        match unsafe { fork() } {
            Ok(ForkResult::Child) => {
                let verdict = work(check, monitor);
                // SAFETY: _exit runs no destructor. The monitor's values, whose descriptors are closed here, are the
                // monitor's to drop.
                unsafe { libc::_exit(verdict.exit_code()) }
            }
            Ok(ForkResult::Parent { child }) => PidFd::of_child(child.as_raw())
                .map(Worker)
                .map_err(|error| RuntimeError::system("watch a health check", error)),
            Err(error) => Err(RuntimeError::system("fork", error)),
        }
    }

    /// What it found, if it has ended, which it is asked for once.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG;
        match waitid(Id::PIDFd(self.0.as_fd()), flags) {
            Ok(WaitStatus::StillAlive) => None,
            Ok(WaitStatus::Exited(_, code)) => Some(Verdict::of_exit_code(code)),
            _ => Some(Verdict::Lost),
        }
    }

    pub(super) fn kill(&self) {
        // One that has just ended needs it no more.
        let _ = self.0.signal(libc::SIGKILL);
    }
}

impl AsFd for Worker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.kill();
        // Fails harmlessly for one that was waited for already.
        let _ = waitid(Id::PIDFd(self.0.as_fd()), WaitPidFlag::WEXITED);
    }
}

/// The life of the worker.
fn work(check: &Check<'_>, monitor: Pid) -> Verdict {
    let alone = set_pdeathsig(Signal::SIGKILL).is_err() || getppid() != monitor;
    // What the monitor holds open is not to be held any longer than by the monitor.
    if alone || descriptors::keep_only(&[]).is_err() {
        return Verdict::NotCounted;
    }
    let mut pauses = Pauses::of((check.group_parent, check.id));
    if pauses.is_paused() {
        return Verdict::NotCounted;
    }
    let answer = ask(check);
    // While processes are being frozen nothing can be executed any more, and the kernel does not say yet that they are. Or a
    // pause may have come and gone, and have taken all the time there was.
    let is_refused = matches!(answer, Err(RuntimeError::Paused(_)));
    if is_refused || pauses.were_any() || pauses.is_paused() {
        return Verdict::NotCounted;
    }
    let (exit_code, output) = answer.unwrap_or_else(|error| (NO_EXIT_CODE, error.to_string()));
    let outcome = match exit_code {
        0 => Outcome::Passed,
        _ => Outcome::Failed,
    };
    let progress = check
        .progress
        .after(outcome, check.asked.running, &check.terms);
    let result = HealthResult {
        start: check.asked.at,
        end: Timestamp::now(),
        exit_code,
        output,
    };
    // A full disk makes the record old, and the answer no other.
    let _ = Health::note(&check.runtime.paths(check.id), result, progress);
    Verdict::Counted(outcome)
}

/// Executes the program, and says how it ended and what it wrote.
fn ask(check: &Check<'_>) -> Result<(i32, String), RuntimeError> {
    let Some(config) = check.runtime.read(check.id)? else {
        return Err(RuntimeError::UnknownContainer(check.id.short()));
    };
    let request = ExecRequest {
        command: match &config.health {
            Some(health) => health.test.command(),
            None => Vec::new(),
        },
        ..ExecRequest::default()
    };
    let null = File::open("/dev/null")
        .map_err(|error| RuntimeError::file("open", "/dev/null".as_ref(), error))?;
    let (output, its_output) = pipe().map_err(|error| RuntimeError::system("make pipes", error))?;
    let stdio = ChildStdio {
        stdin: null.as_fd(),
        stdout: its_output.as_fd(),
        stderr: its_output.as_fd(),
    };
    let process = check.runtime.execute(&config, &request, stdio)?;
    drop(its_output);
    let written = collect(output, process.pidfd(), check.asked.give_up)?;
    if written.is_complete {
        return Ok((process.wait()?.exit_code(), written.text()));
    }
    process.kill_group()?;
    process.wait()?;
    let mut text = format!("the check took longer than {:?}", check.terms.timeout);
    if !written.bytes.is_empty() {
        text = format!("{text}: {}", written.text());
    }
    Ok((NO_EXIT_CODE, text))
}
