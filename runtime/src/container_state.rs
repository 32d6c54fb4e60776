//! What state a container is in, as its records and the kernel say together.
//!
//! ```text
//! STATE/containers/<id>/running.json   who watches it and who it is, while it runs
//! ROOT/containers/<id>/exit.json       how it ended; empty while it runs, absent before the first start
//! ```
//!
//! `exit.json` is written in place, not renamed: whoever waits for the end opens the file first and can read it even
//! when the container is removed in the same moment.

use crate::error::RuntimeError;
use crate::process_identity::ProcessIdentity;
use jiff::Timestamp;
use minirun_bridge::atomic_file;
use minirun_bridge::publication::Publication;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

/// The state of a container.
#[derive(Debug, Clone, PartialEq)]
pub enum ContainerState {
    /// Never started.
    Created,
    /// Its monitor is making it, or watches it.
    Running(RunningRecord),
    /// It has ended.
    Exited(ExitRecord),
    /// The records say that it runs, but its monitor is gone; it has to be repaired.
    Abandoned(RunningRecord),
}

/// Who is who, while a container runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningRecord {
    /// The process that watches it.
    pub monitor: ProcessIdentity,
    /// Its first process; none while it is being made.
    pub init: Option<ProcessIdentity>,
    /// When its program was started.
    pub started: Timestamp,
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitRecord {
    /// When its program was started.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// The program's own code, 128+n for a signal, 125 to 127 when it could not be started.
    pub exit_code: i32,
    /// Why it could not be started or watched.
    pub error: Option<String>,
}

/// What a container takes up again at its next start, saved as `last.json` beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastPlace {
    /// The address it had.
    pub address: Option<Ipv4Addr>,
    /// The host ports it had.
    pub publications: Vec<Publication>,
}

/// The directories of one container.
#[derive(Debug, Clone)]
pub struct ContainerPaths {
    /// What outlives a boot.
    pub root: PathBuf,
    /// What dies with it.
    pub state: PathBuf,
}

impl ContainerPaths {
    /// The container as it was created.
    pub fn record(&self) -> PathBuf {
        self.root.join("container.json")
    }

    /// The OCI specification of its latest start.
    pub fn specification(&self) -> PathBuf {
        self.root.join("config.json")
    }

    /// How it ended.
    pub fn exit(&self) -> PathBuf {
        self.root.join("exit.json")
    }

    /// What it takes up again at its next start.
    pub fn last_place(&self) -> PathBuf {
        self.root.join("last.json")
    }

    /// What its program wrote.
    pub fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// Who is who, while it runs.
    pub fn running(&self) -> PathBuf {
        self.state.join("running.json")
    }

    /// The state of the container. From the moment its end is recorded it has ended, even while its monitor is still
    /// taking it down.
    ///
    /// # Errors
    /// When a record exists and cannot be read.
    pub fn container_state(&self) -> Result<ContainerState, RuntimeError> {
        let running = self.read_running()?;
        // Read second: a monitor writes the end before it forgets that the container ran.
        let exit = read_exit(&self.exit())?;
        Ok(match (running, exit) {
            (None, Some(exit)) => ContainerState::Exited(exit),
            (None, None) => ContainerState::Created,
            (Some(record), exit) => match (record.monitor.is_alive(), exit) {
                (true, Some(exit)) => ContainerState::Exited(exit),
                (true, None) => ContainerState::Running(record),
                // A monitor that finished its work between two looks has left nothing to repair.
                (false, Some(exit)) if self.read_running()?.is_none() => {
                    ContainerState::Exited(exit)
                }
                (false, _) => ContainerState::Abandoned(record),
            },
        })
    }

    fn read_running(&self) -> Result<Option<RunningRecord>, RuntimeError> {
        Ok(atomic_file::read_json_if_present(&self.running())?)
    }

    /// Writes who is who, in a directory that is made if need be.
    ///
    /// # Errors
    /// When the state directory cannot be written to.
    pub fn write_running(&self, record: &RunningRecord) -> Result<(), RuntimeError> {
        if !self.state.exists() {
            fs::create_dir_all(&self.state)
                .map_err(|error| RuntimeError::file("create", &self.state, error))?;
        }
        Ok(atomic_file::write_json(&self.running(), record)?)
    }

    /// Makes an empty record of the end, for waiters to open.
    ///
    /// # Errors
    /// When the container's directory cannot be written to.
    pub fn begin_exit(&self) -> Result<File, RuntimeError> {
        let path = self.exit();
        let fail = |error| RuntimeError::file("create", &path, error);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(fail(error)),
            _ => {}
        }
        File::create_new(&path).map_err(fail)
    }

    /// Forgets that it runs.
    pub fn remove_running(&self) {
        let _ = fs::remove_file(self.running());
        let _ = fs::remove_dir(&self.state);
    }
}

/// Writes how it ended into the file that waiters hold open.
///
/// # Errors
/// The kernel's.
pub fn write_exit(mut file: &File, record: &ExitRecord) -> io::Result<()> {
    let text = serde_json::to_vec(record).map_err(io::Error::other)?;
    file.write_all(&text)
}

/// How the container ended, if it has.
///
/// # Errors
/// When the file exists and cannot be read.
pub fn read_exit(path: &Path) -> Result<Option<ExitRecord>, RuntimeError> {
    match File::open(path) {
        Ok(file) => read_exit_file(&file).map_err(|error| RuntimeError::file("read", path, error)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RuntimeError::file("read", path, error)),
    }
}

/// How the container ended, from a file that was opened earlier.
///
/// # Errors
/// The kernel's, or that the text is not a record.
pub fn read_exit_file(mut file: &File) -> io::Result<Option<ExitRecord>> {
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    if text.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(io::Error::other)
}
