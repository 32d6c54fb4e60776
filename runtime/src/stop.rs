//! Ending containers: asking, killing, and waiting for the end.

use crate::config::ContainerConfig;
use crate::container_state::{ContainerState, ExitRecord, RunningRecord, read_exit_file};
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::process_identity::PidFd;
use crate::repair::KILLED;
use crate::runtime::Runtime;
use crate::signal::StopSignal;
use nix::libc::SIGKILL;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::time::Duration;

/// The end of a container, still to come or just met.
#[derive(Debug)]
pub struct Ending {
    exit_file: Option<File>,
    monitor: Option<PidFd>,
}

impl Ending {
    /// Waits until the container has ended and everything of it is taken down, or the time is over. Says how it ended.
    ///
    /// # Errors
    /// The kernel's.
    pub fn wait(&self, patience: Option<Duration>) -> Result<Option<ExitRecord>, RuntimeError> {
        if let Some(monitor) = &self.monitor
            && !monitor
                .wait(patience)
                .map_err(|error| RuntimeError::system("wait for the container", error))?
        {
            return Ok(None);
        }
        match &self.exit_file {
            Some(file) => rewound(file)
                .and_then(read_exit_file)
                .map_err(|error| RuntimeError::system("read how the container ended", error)),
            None => Ok(None),
        }
    }
}

impl Runtime {
    /// The end of a container, to be waited for. A container that has ended has its end behind it, once its monitor has
    /// taken it down.
    ///
    /// # Errors
    /// When its records cannot be read.
    pub fn ending(&self, config: &ContainerConfig) -> Result<Ending, RuntimeError> {
        let paths = self.paths(&config.id);
        let state = paths.container_state()?;
        // Opened before the monitor can be seen to end, so that it is readable even if the container is removed then.
        let exit_file = File::open(paths.exit()).ok();
        let monitor = match state {
            ContainerState::Running(record) => record.monitor.open(),
            ContainerState::Abandoned(_) | ContainerState::Exited(_) => {
                self.settle(config)?;
                None
            }
            ContainerState::Created => None,
        };
        Ok(Ending { exit_file, monitor })
    }

    /// Waits for a container to end and says its exit code; at once for one that has, 0 for one that never ran.
    ///
    /// # Errors
    /// When its records cannot be read.
    pub fn wait(&self, config: &ContainerConfig) -> Result<i32, RuntimeError> {
        if self.paths(&config.id).container_state()? == ContainerState::Created {
            return Ok(0);
        }
        let ending = self.ending(config)?;
        if let Some(exit) = ending.wait(None)? {
            return Ok(exit.exit_code);
        }
        // Its monitor was killed. The repair writes into the file that we hold open.
        self.settle(config)?;
        Ok(ending.wait(None)?.map_or(KILLED, |exit| exit.exit_code))
    }

    /// Asks a container to end with its stop signal, kills it when it does not in time, and waits until everything of it
    /// is taken down. A container that does not run is stopped already; one whose program has not begun has nothing to
    /// lose and is killed.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn stop(
        &self,
        config: &ContainerConfig,
        patience: Option<Duration>,
    ) -> Result<(), RuntimeError> {
        let usual = Duration::from_secs(u64::from(config.stop_timeout_seconds));
        let ending = self.ending(config)?;
        match self.running(config)? {
            Some(record) => match record.init.and_then(|init| init.open()) {
                Some(init) => {
                    self.tell_signal(config, config.stop_signal.number());
                    ignore_ended(init.signal(config.stop_signal.number()))?;
                    let ended = init
                        .wait(Some(patience.unwrap_or(usual)))
                        .map_err(|error| RuntimeError::system("wait for the container", error))?;
                    if !ended {
                        self.kill(config)?;
                    }
                }
                None => self.kill(config)?,
            },
            None => return ending.wait(None).map(drop),
        }
        if ending.wait(None)?.is_none() {
            // The monitor was killed; what it had made is still there.
            self.settle(config)?;
        }
        self.tell_event(Event::container(config, Action::Stop));
        Ok(())
    }

    /// Kills a container, if it runs, without waiting. One whose program has not begun is killed with its monitor.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn kill(&self, config: &ContainerConfig) -> Result<(), RuntimeError> {
        let Some(record) = self.running(config)? else {
            return Ok(());
        };
        let victim = record.init.as_ref().unwrap_or(&record.monitor);
        match victim.open() {
            Some(process) => {
                self.tell_signal(config, SIGKILL);
                ignore_ended(process.signal(SIGKILL))
            }
            None => Ok(()),
        }
    }

    /// Sends a signal to a container's first process. If its program has not begun yet, that is waited for, unless the
    /// signal is SIGKILL.
    ///
    /// # Errors
    /// [`RuntimeError::NotRunning`].
    pub fn signal(&self, config: &ContainerConfig, signal: StopSignal) -> Result<(), RuntimeError> {
        let not_running = || RuntimeError::NotRunning(config.name.clone());
        let mut record = self.running(config)?.ok_or_else(not_running)?;
        if signal == StopSignal::KILL {
            return self.kill(config);
        }
        if record.init.is_none() {
            // The lock is held from before the monitor is made until its program runs.
            self.settle(config)?;
            record = self.running(config)?.ok_or_else(not_running)?;
        }
        match record.init.and_then(|init| init.open()) {
            Some(init) => {
                self.tell_signal(config, signal.number());
                ignore_ended(init.signal(signal.number()))
            }
            None => Err(not_running()),
        }
    }

    /// Tells of a signal before it is sent, so that nobody hears of what it does first.
    fn tell_signal(&self, config: &ContainerConfig, number: i32) {
        self.tell_event(Event::container(config, Action::Kill).with("signal", number));
    }

    /// Who is who, if the container runs.
    fn running(&self, config: &ContainerConfig) -> Result<Option<RunningRecord>, RuntimeError> {
        match self.paths(&config.id).container_state()? {
            ContainerState::Running(record) => Ok(Some(record)),
            _ => Ok(None),
        }
    }
}

/// The same file from its beginning, since it may be read more than once.
fn rewound(mut file: &File) -> io::Result<&File> {
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// A process that ended in this moment needs no signal any more.
fn ignore_ended(outcome: io::Result<()>) -> Result<(), RuntimeError> {
    match outcome {
        Err(error) if error.raw_os_error() == Some(nix::libc::ESRCH) => Ok(()),
        outcome => outcome.map_err(|error| RuntimeError::system("signal the container", error)),
    }
}
