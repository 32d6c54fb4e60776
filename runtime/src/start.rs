//! Starting a container: the command's half. The other half is [`crate::monitor`].

use crate::config::ContainerConfig;
use crate::container_state::ContainerState;
use crate::create::{CreateRequest, NetworkWanted};
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::forerunner::{Ahead, Forerunner};
use crate::fork::fork_apart;
use crate::monitor::{self, Assignment, Occasion, guardian};
use crate::report::{Narration, Report, Reports, channel};
use crate::restart_policy::RestartPolicy;
use crate::runtime::Runtime;
use crate::security::user_namespace::UserNamespaceChoice;
use crate::stop::StopOptions;
use crate::store::ContainerLock;
use crate::streams::{AttachedStreams, Attachment, CommandEnds};
use crate::terminal::WindowSize;
use nix::unistd::ForkResult;
use std::os::fd::OwnedFd;

/// How to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartOptions {
    /// The streams.
    pub attachment: Attachment,
    /// Whether steps are told.
    pub narration: Narration,
    /// How large the window of whoever starts it is, if that is a terminal.
    pub window: Option<WindowSize>,
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
        self.start_for((config, options), (Occasion::Asked, told))
    }

    /// The same for a container that the caller has just created, and holds since: nobody can have changed it. The forerunner is
    /// one that was sent before.
    ///
    /// # Errors
    /// As [`Runtime::start`].
    pub fn start_created(
        &self,
        (config, lock): (&ContainerConfig, ContainerLock),
        forerunner: Option<Forerunner>,
        options: StartOptions,
        told: &mut dyn FnMut(&Report),
    ) -> Result<Started, RuntimeError> {
        let ahead = forerunner.map_or_else(Ahead::default, Forerunner::arrive);
        self.start_locked((config, lock), ahead, options, (Occasion::New, told))
    }

    /// Has made what the start of such a container will need, while it is created. None if it will not. One may have been sent
    /// already, on the guess that it would be of use.
    pub fn forerunner_for(
        &self,
        request: &CreateRequest,
        sent: Option<Forerunner>,
    ) -> Option<Forerunner> {
        let has_network = match request.network {
            NetworkWanted::Networks(_) | NetworkWanted::None => true,
            NetworkWanted::Host | NetworkWanted::Container(_) => false,
        };
        // The network of users of its own must be theirs.
        let is_of_host = request.security.user_namespace == UserNamespaceChoice::Host;
        match has_network && is_of_host {
            true => sent.or_else(Forerunner::send),
            false => None,
        }
    }

    /// The same for a reason: a start that a policy wants is tried again if it fails.
    pub(crate) fn start_for(
        &self,
        (config, options): (&ContainerConfig, StartOptions),
        reason: (Occasion, &mut dyn FnMut(&Report)),
    ) -> Result<Started, RuntimeError> {
        let lock = self.lock(&config.id)?;
        // It may have been changed while we waited.
        let config = &self.current_record(&config.id)?;
        self.finish_change_locked(config, &lock)?;
        self.make_way(config, &lock)?;
        self.start_locked((config, lock), Ahead::default(), options, reason)
    }

    fn start_locked(
        &self,
        (config, lock): (&ContainerConfig, ContainerLock),
        ahead: Ahead,
        options: StartOptions,
        (occasion, told): (Occasion, &mut dyn FnMut(&Report)),
    ) -> Result<Started, RuntimeError> {
        let wanted = (options.attachment, options.window);
        let (ends, streams) = CommandEnds::of_start(&config.process, wanted)
            .map_err(|error| RuntimeError::system("make pipes", error))?;
        let (reporter, reports) = channel(options.narration)?;
        if options.attachment != Attachment::Detached {
            self.tell_event(Event::container(config, Action::Attach));
        }
        let assignment = Assignment {
            ahead,
            streams,
            reporter,
            lock,
            occasion,
            guardian: None,
        };
        match fork_apart()? {
            ForkResult::Child => {
                drop((ends, reports));
                match config.restart {
                    RestartPolicy::No => monitor::run(self, config, assignment),
                    _ => guardian::begin(self, config, assignment),
                }
            }
            ForkResult::Parent { .. } => {
                let Assignment {
                    ahead,
                    streams,
                    reporter,
                    lock,
                    ..
                } = assignment;
                drop((streams, reporter, ahead));
                let (reports, handed) = await_start(reports, config, told)?;
                drop(lock);
                let complete = |ends: CommandEnds| ends.complete(&config.process, handed);
                Ok(Started {
                    reports,
                    streams: ends.map(complete).transpose()?,
                })
            }
        }
    }

    /// Ends what an earlier start has left, and forgets that somebody had stopped the container.
    fn make_way(&self, config: &ContainerConfig, lock: &ContainerLock) -> Result<(), RuntimeError> {
        match self.paths(&config.id).container_state()? {
            ContainerState::Running(_) if self.is_paused(config)? => {
                return Err(RuntimeError::Paused(config.name.clone()));
            }
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
            window: None,
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

/// Listens until the monitor has said that the program runs, or why it does not. With that it hands out what the program's
/// input is written to.
fn await_start(
    mut reports: Reports,
    config: &ContainerConfig,
    told: &mut dyn FnMut(&Report),
) -> Result<(Reports, Option<OwnedFd>), RuntimeError> {
    loop {
        let (report, handed) = reports
            .receive_with()?
            .ok_or_else(|| RuntimeError::MonitorLost(config.name.clone()))?;
        match report {
            Report::Started { .. } => {
                told(&report);
                return Ok((reports, handed));
            }
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
            Report::Step { .. } | Report::Warned { .. } | Report::Exited(_) => told(&report),
        }
    }
}
