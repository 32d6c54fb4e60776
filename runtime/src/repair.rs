//! Repairing what a killed monitor left behind: the next command that meets it finishes its work.

use crate::config::ContainerConfig;
use crate::container_state::{ContainerState, ExitRecord, RunningRecord, read_exit, write_exit};
use crate::error::RuntimeError;
use crate::monitor::take_down;
use crate::runtime::Runtime;
use crate::store::{ContainerLock, ids_in};
use jiff::Timestamp;
use minirun_bridge::id::ContainerId;
use minirun_bridge::name::ContainerName;
use minirun_netns::Silent;
use nix::libc::SIGKILL;
use std::fs;
use std::time::Duration;

/// How long the kernel may take to end a killed process.
const PATIENCE: Duration = Duration::from_secs(5);

/// The exit code of a container whose monitor was killed: the kernel killed it with SIGKILL (9).
const KILLED: i32 = 128 + SIGKILL;

impl Runtime {
    /// Finishes the work of every monitor that was killed, and removes what commands that were killed left half made.
    /// Looks at running containers only.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn sweep(&self) -> Result<(), RuntimeError> {
        for id in ids_in(&self.directories.state.join("containers"))? {
            if let ContainerState::Abandoned(_) = self.paths(&id).container_state()? {
                match self.read(&id)? {
                    Some(config) => self.settle(&config)?,
                    None => self.paths(&id).remove_running(),
                }
            }
        }
        self.sweep_half_made()
    }

    /// Waits until nobody works on a container, and repairs it if it is abandoned.
    pub(crate) fn settle(&self, config: &ContainerConfig) -> Result<(), RuntimeError> {
        match self.lock_if_present(&config.id)? {
            Some(lock) => self.repair_locked(config, &lock),
            None => Ok(()),
        }
    }

    /// Repairs a container that is abandoned; the caller holds its lock.
    pub(crate) fn repair_locked(
        &self,
        config: &ContainerConfig,
        _lock: &ContainerLock,
    ) -> Result<(), RuntimeError> {
        let paths = self.paths(&config.id);
        let ContainerState::Abandoned(record) = paths.container_state()? else {
            return Ok(());
        };
        end_init(&record)?;
        // A monitor that was killed while it took the container down has recorded the end already.
        if read_exit(&paths.exit())?.is_none() {
            let exit = ExitRecord {
                started: record.started,
                finished: Timestamp::now(),
                exit_code: KILLED,
                error: Some("its monitor was killed".into()),
            };
            let file = paths.begin_exit()?;
            write_exit(&file, &exit)
                .map_err(|error| RuntimeError::file("write", &paths.exit(), error))?;
        }
        match take_down(self, config, &mut Silent).into_iter().next() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Gives a name back that belongs to no container, because the command that made it was killed.
    pub(crate) fn release_orphaned_name(&self, name: &ContainerName) -> Result<(), RuntimeError> {
        if let Some(id) = self.id_of(name)?
            && self.read(&id)?.is_none()
        {
            self.release_name(name, &id);
        }
        Ok(())
    }

    /// Directories without a record were being made, or being removed, by a command that was killed.
    fn sweep_half_made(&self) -> Result<(), RuntimeError> {
        for id in ids_in(&self.containers())? {
            let paths = self.paths(&id);
            if !paths.record().exists() && self.is_unlocked(&id) {
                fs::remove_dir_all(&paths.root)
                    .map_err(|error| RuntimeError::file("remove", &paths.root, error))?;
            }
        }
        Ok(())
    }

    fn is_unlocked(&self, id: &ContainerId) -> bool {
        fs::File::open(self.paths(id).root).is_ok_and(|file| file.try_lock().is_ok())
    }
}

/// Ends the first process of a container whose monitor is gone, and all others of its namespace with it.
fn end_init(record: &RunningRecord) -> Result<(), RuntimeError> {
    let Some(process) = record.init.as_ref().and_then(|init| init.open()) else {
        return Ok(());
    };
    // It may have ended since; then there is nothing to wait for either.
    let _ = process.signal(SIGKILL);
    process
        .wait(Some(PATIENCE))
        .map(drop)
        .map_err(|error| RuntimeError::system("wait for a container to end", error))
}
