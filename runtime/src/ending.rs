//! Waiting for containers to end.

use crate::config::ContainerConfig;
use crate::container_state::{ContainerState, ExitRecord, read_exit_file};
use crate::error::RuntimeError;
use crate::process_identity::PidFd;
use crate::repair::KILLED;
use crate::runtime::Runtime;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::time::Duration;

/// The end of a container's run, still to come or just met.
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
    /// The end of a container's run, to be waited for. A container that has ended has its end behind it, once its monitor has
    /// taken it down; so has one that waits to be started again by itself.
    ///
    /// # Errors
    /// When its records cannot be read.
    pub fn ending(&self, config: &ContainerConfig) -> Result<Ending, RuntimeError> {
        let paths = self.paths(&config.id);
        // One that runs and removes itself at its end may do so between any two looks, and a run that has just begun has a
        // record of its own. So it is opened before it is known whether the container runs, and again when that is known.
        let before = File::open(paths.exit()).ok();
        let state = paths.container_state()?;
        let exit_file = File::open(paths.exit()).ok().or(before);
        let monitor = match state {
            ContainerState::Running(record) => record.monitor.open(),
            ContainerState::Abandoned(_) | ContainerState::Exited(_) => {
                self.settle(config)?;
                None
            }
            ContainerState::Created | ContainerState::Restarting(_) => None,
        };
        Ok(Ending { exit_file, monitor })
    }

    /// Waits for the end that [`Runtime::ending`] found and says the exit code; at once for a container that has ended, 0 for
    /// one that never ran.
    ///
    /// # Errors
    /// When its records cannot be read.
    pub fn wait(&self, config: &ContainerConfig, ending: &Ending) -> Result<i32, RuntimeError> {
        if ending.exit_file.is_none() && ending.monitor.is_none() {
            return Ok(0);
        }
        if let Some(exit) = ending.wait(None)? {
            return Ok(exit.exit_code);
        }
        // Its monitor was killed. The repair writes into the file that we hold open.
        self.settle(config)?;
        Ok(ending.wait(None)?.map_or(KILLED, |exit| exit.exit_code))
    }
}

/// The same file from its beginning, since it may be read more than once.
fn rewound(mut file: &File) -> io::Result<&File> {
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}
