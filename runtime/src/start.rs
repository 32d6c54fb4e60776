//! Starting a container: the command's half. The other half is [`crate::monitor`].

use crate::config::ContainerConfig;
use crate::container_state::ContainerState;
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::monitor::{self, MonitorStreams};
use crate::report::{Narration, Report, Reports, channel};
use crate::runtime::Runtime;
use nix::sys::signal::{SigSet, SigmaskHow};
use nix::unistd::{ForkResult, fork};
use std::io::{PipeReader, PipeWriter, pipe};
use std::time::Duration;

/// How a container's streams are connected to the command that starts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attachment {
    /// Not at all: output goes to the log only.
    Detached,
    /// Output goes to the command, too.
    Output,
    /// So does input.
    OutputAndInput,
}

/// How to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartOptions {
    /// The streams.
    pub attachment: Attachment,
    /// Whether steps are told.
    pub narration: Narration,
}

/// The command's ends of a started container's streams.
#[derive(Debug)]
pub struct AttachedStreams {
    /// Where the program reads from; closing it is the end of its input.
    pub stdin: Option<PipeWriter>,
    /// What it writes to standard output.
    pub stdout: PipeReader,
    /// What it writes to standard error.
    pub stderr: PipeReader,
}

/// A container that was started.
#[derive(Debug)]
pub struct Started {
    /// What its monitor will tell.
    pub reports: Reports,
    /// Its streams, unless it was started detached.
    pub streams: Option<AttachedStreams>,
}

impl Runtime {
    /// Starts a container and waits until its program runs. `told` hears of each step, if that was asked for.
    ///
    /// # Errors
    /// [`RuntimeError::AlreadyRunning`]; [`RuntimeError::StartFailed`] with what the monitor met, everything having been
    /// taken back.
    pub fn start(
        &self,
        config: &ContainerConfig,
        options: StartOptions,
        told: &mut dyn FnMut(&Report),
    ) -> Result<Started, RuntimeError> {
        let lock = self.lock(&config.id)?;
        // It may have been changed while we waited.
        let config = &self.current_record(&config.id)?;
        self.finish_change_locked(config, &lock)?;
        match self.paths(&config.id).container_state()? {
            ContainerState::Running(_) => {
                return Err(RuntimeError::AlreadyRunning(config.name.clone()));
            }
            ContainerState::Abandoned(_) => self.repair_locked(config, &lock)?,
            ContainerState::Created | ContainerState::Exited(_) => {}
        }
        let (attached, monitor_streams) = streams(options.attachment)
            .map_err(|error| RuntimeError::system("make pipes", error))?;
        let (reporter, reports) = channel(options.narration)?;
        if options.attachment != Attachment::Detached {
            self.tell_event(Event::container(config, Action::Attach));
        }
        // A signal to the command's process group must not meet the monitor before it has left that group. The monitor
        // unblocks them when it has.
        let signals = SigSet::all()
            .thread_swap_mask(SigmaskHow::SIG_BLOCK)
            .map_err(|error| RuntimeError::system("block signals", error))?;
        // SAFETY: this process has one thread: neither this crate nor its callers start others, and the netlink runtime
        // of the networks runs on the calling thread. So no lock is held by a thread that the child will not have.
        let forked = unsafe { fork() };
        if !matches!(forked, Ok(ForkResult::Child)) {
            // Setting a mask that was one before cannot fail.
            let _ = signals.thread_set_mask();
        }
        match forked.map_err(|error| RuntimeError::system("fork", error))? {
            ForkResult::Child => {
                drop((attached, reports));
                monitor::run(self, config, monitor_streams, (reporter, lock))
            }
            ForkResult::Parent { .. } => {
                drop((reporter, monitor_streams));
                Ok(Started {
                    reports: await_start(reports, config, told)?,
                    streams: attached,
                })
            }
        }
    }

    /// Stops a container and starts it again; `told` hears what the monitor has to say. That somebody else does the same in
    /// this moment is no error.
    ///
    /// # Errors
    /// [`RuntimeError::RemovesItself`], before anything is done; those of stopping and starting.
    pub fn restart(
        &self,
        config: &ContainerConfig,
        patience: Option<Duration>,
        told: &mut dyn FnMut(&Report),
    ) -> Result<(), RuntimeError> {
        if config.auto_remove {
            return Err(RuntimeError::RemovesItself(config.name.clone()));
        }
        self.stop(config, patience)?;
        let options = StartOptions {
            attachment: Attachment::Detached,
            narration: Narration::Silent,
        };
        match self.start(config, options, told) {
            Ok(_) | Err(RuntimeError::AlreadyRunning(_)) => {
                self.tell_event(Event::container(config, Action::Restart));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// Listens until the monitor has said that the program runs, or why it does not.
fn await_start(
    mut reports: Reports,
    config: &ContainerConfig,
    told: &mut dyn FnMut(&Report),
) -> Result<Reports, RuntimeError> {
    loop {
        let report = reports
            .receive()?
            .ok_or_else(|| RuntimeError::MonitorLost(config.name.clone()))?;
        match report {
            Report::Started => return Ok(reports),
            Report::Failed {
                message,
                hint,
                exit_code,
            } => {
                return Err(RuntimeError::StartFailed {
                    message,
                    hint,
                    exit_code,
                });
            }
            Report::Step { .. } | Report::Warned { .. } | Report::Exited { .. } => told(&report),
        }
    }
}

/// The pipes between the command, the monitor and the container.
fn streams(attachment: Attachment) -> std::io::Result<(Option<AttachedStreams>, MonitorStreams)> {
    if attachment == Attachment::Detached {
        return Ok((None, MonitorStreams::default()));
    }
    let (stdout, monitor_stdout) = pipe()?;
    let (stderr, monitor_stderr) = pipe()?;
    let (stdin, monitor_stdin) = match attachment {
        Attachment::OutputAndInput => {
            pipe().map(|(reader, writer)| (Some(writer), Some(reader)))?
        }
        Attachment::Output | Attachment::Detached => (None, None),
    };
    let attached = AttachedStreams {
        stdin,
        stdout,
        stderr,
    };
    let monitor = MonitorStreams {
        stdin: monitor_stdin,
        stdout: Some(monitor_stdout),
        stderr: Some(monitor_stderr),
    };
    Ok((Some(attached), monitor))
}
