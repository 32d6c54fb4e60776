//! The guardian: what outlives the monitor of a container with a restart policy.
//!
//! Theory of operation
//!
//! 1. The command that starts the container forks the guardian, which forks the monitor and keeps nothing that belongs to the
//!    command ([`begin`]). It waits for the monitor's end, and knows nothing but the container's id.
//! 2. When the monitor is gone it takes the container's lock and does what the records say ([`turn`]). They name it as the
//!    guardian; if they name another, or nobody, its work is done.
//! 3. A monitor that saw its program end has recorded when the next run begins. Of one that was killed the guardian repairs
//!    what is left, and asks the restart policy itself.
//! 4. It waits for the next run without the lock. Whoever has the lock may kill it then: nothing of the container is there
//!    but records.
//!
//! If the guardian is killed, the monitor appoints another at the end, or the next command does. If both are killed, the next
//! command does the work of both.

use super::detachment::detach_from_command;
use super::{Afterwards, Assignment, MonitorStreams, Occasion, keep_memory_small, run, take_down};
use crate::config::ContainerConfig;
use crate::container_state::ContainerState;
use crate::error::RuntimeError;
use crate::forerunner::Ahead;
use crate::fork::fork_apart;
use crate::process_identity::{PidFd, ProcessIdentity};
use crate::report::{Narration, channel};
use crate::restart_policy::LONGEST_DELAY;
use crate::runtime::Runtime;
use crate::store::ContainerLock;
use jiff::Timestamp;
use minirun_bridge::closed_port::LastConnections;
use minirun_bridge::id::ContainerId;
use minirun_netns::Silent;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::ForkResult;
use std::time::Duration;

/// How long is waited after something failed that should not, such as writing to a full disk.
const RETRY_DELAY: Duration = Duration::from_secs(5);

/// The life of a guardian that begins with the container; it is called in a fresh fork and does not return.
pub(crate) fn begin(runtime: &Runtime, config: &ContainerConfig, mut assignment: Assignment) -> ! {
    let forked = detach_from_command(runtime, &assignment.kept())
        .and_then(|()| ProcessIdentity::of(std::process::id() as i32))
        .and_then(|this| {
            assignment.guardian = Some(this);
            fork_apart()
        });
    match forked {
        Ok(ForkResult::Child) => run(runtime, config, assignment),
        Ok(ForkResult::Parent { .. }) => {
            drop(assignment);
            keep(runtime, &config.id)
        }
        Err(error) => {
            assignment.reporter.failed(&error);
            std::process::exit(1)
        }
    }
}

/// Makes a guardian for a container whose lock the caller holds, and who then says so in the records.
pub(crate) fn appoint(
    runtime: &Runtime,
    id: &ContainerId,
) -> Result<ProcessIdentity, RuntimeError> {
    match fork_apart()? {
        ForkResult::Child => match detach_from_command(runtime, &[]) {
            Ok(()) => keep(runtime, id),
            Err(_) => std::process::exit(1),
        },
        ForkResult::Parent { child } => ProcessIdentity::of(child.as_raw()),
    }
}

/// What a guardian does next, without the lock.
enum Turn {
    /// Waits for the end of a process.
    Watch(PidFd),
    /// Waits for the moment at which the next run begins.
    Wait(Timestamp),
    /// Looks again.
    Look,
    /// Ends.
    Leave,
}

fn keep(runtime: &Runtime, id: &ContainerId) -> ! {
    let Ok(this) = ProcessIdentity::of(std::process::id() as i32) else {
        std::process::exit(1)
    };
    let mut waited_for = None;
    loop {
        let next = turn(runtime, id, (&this, waited_for.take()));
        reap();
        keep_memory_small();
        match next {
            Ok(Turn::Watch(monitor)) => {
                // Looking again is right, whatever came of it.
                let _ = monitor.wait(None);
            }
            Ok(Turn::Wait(moment)) => {
                let rest = Duration::try_from(moment.duration_since(Timestamp::now()));
                // The clock may have been set.
                std::thread::sleep(rest.unwrap_or_default().min(LONGEST_DELAY));
                waited_for = Some(moment);
            }
            Ok(Turn::Look) => {}
            Ok(Turn::Leave) => std::process::exit(0),
            Err(_) => std::thread::sleep(RETRY_DELAY),
        }
    }
}

/// Lets the kernel forget monitors that have ended.
fn reap() {
    let any = Some(WaitPidFlag::WNOHANG);
    while matches!(waitpid(None, any), Ok(status) if status != WaitStatus::StillAlive) {}
}

/// Does what is to be done under the lock, and says what follows. `waited_for` is the moment that was waited for last.
fn turn(
    runtime: &Runtime,
    id: &ContainerId,
    (this, waited_for): (&ProcessIdentity, Option<Timestamp>),
) -> Result<Turn, RuntimeError> {
    let Some(lock) = runtime.lock_if_present(id)? else {
        return Ok(Turn::Leave);
    };
    let Some(config) = runtime.read(id)? else {
        return Ok(Turn::Leave);
    };
    let paths = runtime.paths(id);
    let is_ours = |guardian: &Option<ProcessIdentity>| guardian.as_ref() == Some(this);
    match paths.container_state()? {
        ContainerState::Abandoned(Some(record)) if is_ours(&record.guardian) => {
            runtime.resume_locked(&config, &lock)?;
            Ok(Turn::Look)
        }
        ContainerState::Running(record) if is_ours(&record.guardian) => {
            Ok(record.monitor.open().map_or(Turn::Look, Turn::Watch))
        }
        ContainerState::Restarting(between) => match paths.read_running()? {
            Some(record) if is_ours(&record.guardian) => {
                if waited_for != Some(between.until) {
                    return Ok(Turn::Wait(between.until));
                }
                start_again(
                    runtime,
                    &config,
                    (Occasion::Policy(record.restarts), this, lock),
                )?;
                Ok(Turn::Look)
            }
            _ => Ok(Turn::Leave),
        },
        _ => Ok(Turn::Leave),
    }
}

/// Forks the next monitor.
fn start_again(
    runtime: &Runtime,
    config: &ContainerConfig,
    (occasion, this, lock): (Occasion, &ProcessIdentity, ContainerLock),
) -> Result<(), RuntimeError> {
    runtime.finish_change_locked(config, &lock)?;
    // Whatever the last run could not give back.
    let leftover = take_down(
        runtime,
        (config, LastConnections::MayBeOpen, Afterwards::MadeAgain),
        &mut Silent,
    );
    if let Some(error) = leftover.into_iter().next() {
        return Err(error);
    }
    // Nobody listens.
    let (reporter, _) = channel(Narration::Silent)?;
    let assignment = Assignment {
        ahead: Ahead::default(),
        streams: MonitorStreams::default(),
        reporter,
        lock,
        occasion,
        guardian: Some(this.clone()),
    };
    match fork_apart()? {
        ForkResult::Child => run(runtime, config, assignment),
        ForkResult::Parent { .. } => Ok(()),
    }
}
