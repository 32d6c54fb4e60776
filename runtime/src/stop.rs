//! Ending containers: asking, killing, and waiting for the end.

use crate::config::ContainerConfig;
use crate::container_state::{
    ContainerState, ExitRecord, RunningRecord, read_exit, read_exit_file,
};
use crate::error::RuntimeError;
use crate::process_identity::PidFd;
use crate::runtime::Runtime;
use crate::signal::StopSignal;
use nix::libc::SIGKILL;
use std::fs::File;
use std::io;
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
            Some(file) => read_exit_file(file)
                .map_err(|error| RuntimeError::system("read how the container ended", error)),
            None => Ok(None),
        }
    }
}

impl Runtime {
    /// The end of a container, to be waited for. A container that has ended has its end behind it.
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
            ContainerState::Abandoned(_) => {
                self.settle(config)?;
                return Ok(Ending {
                    exit_file: File::open(paths.exit()).ok(),
                    monitor: None,
                });
            }
            ContainerState::Created | ContainerState::Exited(_) => None,
        };
        Ok(Ending { exit_file, monitor })
    }

    /// Waits for a container to end and says its exit code; at once for one that has, 0 for one that never ran.
    ///
    /// # Errors
    /// When its records cannot be read.
    pub fn wait(&self, config: &ContainerConfig) -> Result<i32, RuntimeError> {
        let met = self.ending(config)?.wait(None)?;
        let exit = match met {
            Some(exit) => Some(exit),
            None => read_exit(&self.paths(&config.id).exit())?,
        };
        Ok(exit.map_or(0, |exit| exit.exit_code))
    }

    /// Asks a container to end with its stop signal, kills it when it does not in time, and waits until everything of it
    /// is taken down. A container that does not run is stopped already.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn stop(
        &self,
        config: &ContainerConfig,
        patience: Option<Duration>,
    ) -> Result<(), RuntimeError> {
        let ending = self.ending(config)?;
        let patience =
            patience.unwrap_or_else(|| Duration::from_secs(u64::from(config.stop_timeout_seconds)));
        match self.signal(config, config.stop_signal) {
            Err(RuntimeError::NotRunning(_)) => {
                ending.wait(None)?;
                return Ok(());
            }
            result => result?,
        }
        let ended = match self.running_init(config)? {
            Some(init) => init
                .wait(Some(patience))
                .map_err(|error| RuntimeError::system("wait for the container", error))?,
            None => true,
        };
        if !ended {
            self.kill(config)?;
        }
        ending.wait(None).map(drop)
    }

    /// Kills a container, if it runs, without waiting.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn kill(&self, config: &ContainerConfig) -> Result<(), RuntimeError> {
        match self.running_init(config)? {
            Some(init) => ignore_ended(init.signal(SIGKILL)),
            None => Ok(()),
        }
    }

    /// Sends a signal to a container's first process.
    ///
    /// # Errors
    /// [`RuntimeError::NotRunning`].
    pub fn signal(&self, config: &ContainerConfig, signal: StopSignal) -> Result<(), RuntimeError> {
        match self.running_init(config)? {
            Some(init) => ignore_ended(init.signal(signal.number())),
            None => Err(RuntimeError::NotRunning(config.name.clone())),
        }
    }

    /// The first process, if the container runs. One that is just being made is waited for.
    fn running_init(&self, config: &ContainerConfig) -> Result<Option<PidFd>, RuntimeError> {
        let init = |record: RunningRecord| record.init.and_then(|init| init.open());
        match self.paths(&config.id).container_state()? {
            ContainerState::Running(record) if record.init.is_none() => {
                // The lock is held from the first record of the monitor to the one that names the process.
                drop(self.lock_if_present(&config.id)?);
                match self.paths(&config.id).container_state()? {
                    ContainerState::Running(record) => Ok(init(record)),
                    _ => Ok(None),
                }
            }
            ContainerState::Running(record) => Ok(init(record)),
            ContainerState::Abandoned(_) => {
                self.settle(config)?;
                Ok(None)
            }
            ContainerState::Created | ContainerState::Exited(_) => Ok(None),
        }
    }
}

/// A process that ended in this moment needs no signal any more.
fn ignore_ended(outcome: io::Result<()>) -> Result<(), RuntimeError> {
    match outcome {
        Err(error) if error.raw_os_error() == Some(nix::libc::ESRCH) => Ok(()),
        outcome => outcome.map_err(|error| RuntimeError::system("signal the container", error)),
    }
}
