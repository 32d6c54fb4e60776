//! Starting a container: the command's half. The other half is [`crate::monitor`].

use crate::config::ContainerConfig;
use crate::container_state::ContainerState;
use crate::error::RuntimeError;
use crate::fork::fork_apart;
use crate::monitor::{self, Assignment, MonitorStreams, Occasion, guardian};
use crate::report::{Narration, Report, Reports, channel};
use crate::restart_policy::RestartPolicy;
use crate::runtime::Runtime;
use crate::stop::StopOptions;
use crate::store::ContainerLock;
use nix::unistd::ForkResult;
use std::io::{PipeReader, PipeWriter, pipe};

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
        self.start_for(config, options, (Occasion::Asked, told))
    }

    /// The same for a reason: a start that a policy wants is tried again if it fails.
    pub(crate) fn start_for(
        &self,
        config: &ContainerConfig,
        options: StartOptions,
        (occasion, told): (Occasion, &mut dyn FnMut(&Report)),
    ) -> Result<Started, RuntimeError> {
        let lock = self.lock(&config.id)?;
        // It may have been changed while we waited.
        let config = &self.current_record(&config.id)?;
        self.finish_change_locked(config, &lock)?;
        self.make_way(config, &lock)?;
        let (attached, streams) = streams(options.attachment)
            .map_err(|error| RuntimeError::system("make pipes", error))?;
        let (reporter, reports) = channel(options.narration)?;
        let assignment = Assignment {
            streams,
            reporter,
            lock,
            occasion,
            guardian: None,
        };
        match fork_apart()? {
            ForkResult::Child => {
                drop((attached, reports));
                match config.restart {
                    RestartPolicy::No => monitor::run(self, config, assignment),
                    _ => guardian::begin(self, config, assignment),
                }
            }
            ForkResult::Parent { .. } => {
                let Assignment {
                    streams,
                    reporter,
                    lock,
                    ..
                } = assignment;
                drop((streams, reporter));
                let started = Started {
                    reports: await_start(reports, config, told)?,
                    streams: attached,
                };
                drop(lock);
                Ok(started)
            }
        }
    }

    /// Ends what an earlier start has left, and forgets that somebody had stopped the container.
    fn make_way(&self, config: &ContainerConfig, lock: &ContainerLock) -> Result<(), RuntimeError> {
        match self.paths(&config.id).container_state()? {
            ContainerState::Running(_) => {
                return Err(RuntimeError::AlreadyRunning(config.name.clone()));
            }
            ContainerState::Restarting(_) => self.dismiss_locked(config, lock)?,
            ContainerState::Abandoned(_) => self.repair_locked(config, lock)?,
            ContainerState::Created | ContainerState::Exited(_) => {}
        }
        self.paths(&config.id).unmark_stopped()
    }

    /// Stops a container and starts it again; `told` hears what the monitor has to say. That somebody else does the same in
    /// this moment is no error.
    ///
    /// # Errors
    /// [`RuntimeError::RemovesItself`], before anything is done; those of stopping and starting.
    pub fn restart(
        &self,
        config: &ContainerConfig,
        stop: &StopOptions,
        told: &mut dyn FnMut(&Report),
    ) -> Result<(), RuntimeError> {
        if config.auto_remove {
            return Err(RuntimeError::RemovesItself(config.name.clone()));
        }
        self.stop(config, stop)?;
        let options = StartOptions {
            attachment: Attachment::Detached,
            narration: Narration::Silent,
        };
        match self.start(config, options, told) {
            Ok(_) | Err(RuntimeError::AlreadyRunning(_)) => Ok(()),
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
