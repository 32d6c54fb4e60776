//! One more process in a running container.
//!
//! # Theory of operation
//!
//! 1. The caller clones a process *between* (`between.rs`).
//! 2. That one closes what it inherited and enters the container's namespaces by the process descriptor of the
//!    container's first process. It cannot enter the process namespace itself; only its children are born there.
//! 3. So it clones the real process, into the container's cgroup, and sends the caller a process descriptor of it. It
//!    stays as its parent, reaps it, and tells the caller the exact exit code; what the caller does meanwhile, be it
//!    sleeping, writing to somebody who does not read or dying, does not hold up the end of the container.
//! 4. The real process continues as a first process does behind its root: gate, identity, program. It dies with the
//!    process between.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::Arc;

use oci_spec::runtime::Process;

use super::between::{self, Between, Birth, Descriptors};
use super::clone::{Cloned, clone_child};
use super::error::ProcessError;
use super::init_step::{Console, InitStep};
use super::process_limits::ProcessLimits;
use super::process_steps::{first_steps, last_steps, terminal_step};
use super::spawn::{HeldProcess, make_gate};
use super::standard_streams::ChildStdio;
use super::user_steps;
use crate::seccomp::filter::Filter;
use crate::user_ids::IdRange;

/// Everything that a process executed in a running container does, prepared.
#[derive(Debug)]
pub struct ExecPlan {
    steps: Arc<[InitStep]>,
    limits: ProcessLimits,
}

impl ExecPlan {
    /// Prepares the process: arguments, environment, working directory, user, capabilities and `noNewPrivileges` are
    /// those of `process`, which is usually the container's own with some of them replaced, and so is the filter of its
    /// system calls. Touches nothing. `users` are those of the container, if it has a user namespace of its own.
    pub fn prepare(
        process: &Process,
        filter: Option<Filter>,
        users: Option<IdRange>,
    ) -> Result<Self, ProcessError> {
        let mut steps = first_steps();
        // It is born among the processes of the container.
        steps.push(InitStep::HideFromOthers);
        let terminal = terminal_step(process, Console::Left);
        match users {
            Some(ids) => {
                if let Some(step) = terminal {
                    steps.push(user_steps::shift_terminal(step, ids)?);
                }
                steps.extend(user_steps::enter(process, ids)?);
            }
            None => steps.extend(terminal),
        }
        let last = last_steps(process, filter)?;
        steps.extend(user_steps::inside(last.before_gate, users));
        steps.push(InitStep::WaitAtGate);
        steps.extend(user_steps::inside(last.after_gate, users));
        Ok(Self {
            steps: steps.into(),
            limits: ProcessLimits::of(process),
        })
    }

    /// The steps in their order, after the namespaces were entered.
    pub fn steps(&self) -> &[InitStep] {
        &self.steps
    }
}

/// Makes a process in the namespaces of `target`, a process descriptor of the first process of a container, and if its
/// directory is given, in the container's cgroup.
///
/// It does not die with the caller: it ends with the container at the latest. The image may have it execute the caller's
/// own executable, which is therefore [`Sealed`](super::Sealed).
pub fn spawn_exec(
    target: BorrowedFd<'_>,
    plan: &ExecPlan,
    stdio: ChildStdio<'_>,
    cgroup: Option<BorrowedFd<'_>>,
) -> Result<HeldProcess, ProcessError> {
    let (ours, theirs) = make_gate()?;
    let (watch, their_watch) = make_gate()?;
    let descriptors = Descriptors {
        streams: stdio.raw(),
        gate: theirs.as_raw_fd(),
        target: target.as_raw_fd(),
        watch: their_watch.as_raw_fd(),
        cgroup: cgroup.unwrap_or(target).as_raw_fd(),
    };
    let birth = match cgroup {
        Some(_) => Birth::InCgroup,
        None => Birth::WithCaller,
    };
    // SAFETY: the child goes straight to `live`, which neither allocates nor takes a lock, and never returns.
    let cloned = unsafe { clone_child(0, None) }.map_err(|errno| ProcessError::Clone { errno })?;
    match cloned {
        Cloned::Child => between::live(&plan.steps, &descriptors, birth),
        Cloned::Parent { pidfd, .. } => {
            drop((theirs, their_watch));
            let executed = Between::new(pidfd, watch).await_birth()?;
            let prepared = (Arc::clone(&plan.steps), plan.limits.clone());
            Ok(HeldProcess::new(executed, ours, prepared))
        }
    }
}
