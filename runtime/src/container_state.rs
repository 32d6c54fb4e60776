//! What state a container is in, as its records and the kernel say together.
//!
//! ```text
//! STATE/containers/<id>/running.json   who watches it and who it is, while it runs
//! STATE/containers/<id>/control        the socket at which its monitor listens
//! STATE/containers/<id>/health.json    whether it does its work, if that is checked
//! ROOT/containers/<id>/exit.json       how it ended; empty while it runs, and locked by its monitor; absent before the first start
//! ROOT/containers/<id>/stopped         that somebody has stopped it since its last start
//! ```
//!
//! `exit.json` is written in place, not renamed: whoever waits for the end opens the file first and can read it even
//! when the container is removed in the same moment.

use crate::error::RuntimeError;
use crate::judgement::judge;
use crate::last_place::LastPlace;
use crate::process_identity::ProcessIdentity;
use crate::restart_policy::Restarts;
use crate::run_usage::RunUsage;
use jiff::Timestamp;
use minirun_bridge::{atomic_file, small_file};
use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, fallocate};
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The container as it was created.
pub(crate) const RECORD: &str = "container.json";

/// How it ended.
pub(crate) const EXIT: &str = "exit.json";

/// The sign that a command is changing it.
pub(crate) const CHANGING: &str = "changing";

/// Who is who, while it runs.
pub(crate) const RUNNING: &str = "running.json";

/// The socket at which a monitor listens.
pub(crate) const CONTROL: &str = "control";

/// The room that is kept for the record of the end, in bytes.
const EXIT_ROOM: i64 = 4096;

/// The longest reason that is recorded, in bytes, so that the record fits its room.
const LONGEST_REASON: usize = 1024;

/// The state of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainerState {
    /// Never started.
    Created,
    /// Its monitor is making it, or watches it.
    Running(RunningRecord),
    /// It has ended, and is to be started again by itself.
    Restarting(Restarting),
    /// It has ended.
    Exited(ExitRecord),
    /// It ran, and nobody recorded how it ended: its monitor was killed, or the host went down. It has to be repaired.
    Abandoned(Option<RunningRecord>),
}

impl ContainerState {
    /// Whether the container runs, or is about to run again without anybody asking.
    pub fn is_up(&self) -> bool {
        matches!(
            self,
            ContainerState::Running(_) | ContainerState::Restarting(_)
        )
    }

    /// How often it was started again by itself.
    pub fn restart_count(&self) -> u32 {
        match self {
            ContainerState::Created | ContainerState::Abandoned(None) => 0,
            ContainerState::Running(record) | ContainerState::Abandoned(Some(record)) => {
                record.restarts.count
            }
            // The next run is counted already.
            ContainerState::Restarting(between) => between.last.restarts.saturating_add(1),
            ContainerState::Exited(exit) => exit.restarts,
        }
    }
}

/// A container between two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restarting {
    /// How the last run ended.
    pub last: ExitRecord,
    /// When the next one begins.
    pub until: Timestamp,
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
    /// The process that outlives the monitor and replaces it, if the container has a restart policy.
    pub guardian: Option<ProcessIdentity>,
    /// How often it was started again by itself.
    pub restarts: Restarts,
    /// Between two runs, what was before and when it goes on. It is the guardian then that watches it.
    pub restarting: Option<Restarting>,
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitRecord {
    /// When its program was started.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// The program's own code, 128+n for a signal, 124 when it ran for too long, 125 to 127 when it could not be started.
    pub exit_code: i32,
    /// The signal that killed its first process, if one did.
    #[serde(default)]
    pub signal: Option<i32>,
    /// Why it could not be started or watched.
    pub error: Option<String>,
    /// Whether the kernel killed one of its processes because its memory was at its limit.
    #[serde(default)]
    pub oom_killed: bool,
    /// What its end came from.
    pub cause: EndCause,
    /// How often it had been started again by itself.
    pub restarts: u32,
    /// The boot that it ran in.
    pub boot: String,
    /// What it has used; none if nobody was there to measure.
    #[serde(default)]
    pub usage: Option<RunUsage>,
}

impl ExitRecord {
    /// Whether it was killed because it ran for as long as it may.
    pub fn timed_out(&self) -> bool {
        self.cause == EndCause::TimedOut
    }
}

/// What the end of a container came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndCause {
    /// Its program ended.
    Program,
    /// Its time was over, and it was killed.
    TimedOut,
    /// It could not be started.
    StartFailed,
    /// Its monitor was killed, or could not go on.
    MonitorLost,
    /// The host went down.
    HostDown,
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
        self.root.join(RECORD)
    }

    /// The OCI specification of its latest start.
    pub fn specification(&self) -> PathBuf {
        self.root.join("config.json")
    }

    /// How it ended.
    pub fn exit(&self) -> PathBuf {
        self.root.join(EXIT)
    }

    /// The sign that a command is changing it.
    pub fn changing(&self) -> PathBuf {
        self.root.join(CHANGING)
    }

    /// The sign that somebody has stopped it.
    pub fn stopped(&self) -> PathBuf {
        self.root.join("stopped")
    }

    /// What it takes up again at its next start.
    pub fn last_place(&self) -> PathBuf {
        self.root.join("last.json")
    }

    /// Where its monitor listens, while it runs.
    pub fn control(&self) -> PathBuf {
        self.state.join(CONTROL)
    }

    /// What it takes up again at its next start; nothing if it never ran.
    ///
    /// # Errors
    /// When the record exists and cannot be read.
    pub fn read_last_place(&self) -> Result<LastPlace, RuntimeError> {
        let last = atomic_file::read_json_if_present(&self.last_place())?;
        Ok(last.unwrap_or_default())
    }

    /// The directory of all volumes, which is beside that of all containers.
    pub fn volumes(&self) -> PathBuf {
        let root = self.root.ancestors().nth(2).unwrap_or(&self.root);
        root.join("volumes")
    }

    /// What its program wrote.
    pub fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// Who is who, while it runs.
    pub fn running(&self) -> PathBuf {
        self.state.join(RUNNING)
    }

    /// Whether it does its work, while it runs and after the first check.
    pub fn health(&self) -> PathBuf {
        self.state.join("health.json")
    }

    /// The state of the container.
    ///
    /// # Errors
    /// When a record exists and cannot be read.
    pub fn container_state(&self) -> Result<ContainerState, RuntimeError> {
        judge(&mut &*self)
    }

    /// Who is who, if anybody is on record.
    ///
    /// # Errors
    /// When the record exists and cannot be read.
    pub fn read_running(&self) -> Result<Option<RunningRecord>, RuntimeError> {
        Ok(atomic_file::read_json_if_present(&self.running())?)
    }

    /// Writes who is who, in a directory that is made if need be. The caller holds the container's lock.
    ///
    /// # Errors
    /// When the state directory cannot be written to.
    pub fn write_running(&self, record: &RunningRecord) -> Result<(), RuntimeError> {
        match atomic_file::replace_json(&self.running(), record) {
            Err(error) if error.lacks_directory() => {}
            outcome => return Ok(outcome?),
        }
        // Whoever reaches the socket in it has the container's terminal and input.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.state)
            .map_err(|error| RuntimeError::file("create", &self.state, error))?;
        Ok(atomic_file::replace_json(&self.running(), record)?)
    }

    /// Makes an empty record of the end, for waiters to open, with room for what will be written into it: a full disk must
    /// not make an exit code disappear.
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
        let file = File::create_new(&path).map_err(fail)?;
        match fallocate(&file, FallocateFlags::FALLOC_FL_KEEP_SIZE, 0, EXIT_ROOM) {
            // Some file systems cannot reserve room; there the write may fail later.
            Ok(()) | Err(Errno::EOPNOTSUPP) => Ok(file),
            Err(error) => {
                // An empty record would say that the container ran.
                let _ = fs::remove_file(&path);
                Err(fail(error.into()))
            }
        }
    }

    /// The record of the end that [`ContainerPaths::begin_exit`] made and nobody has written to yet.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open_exit(&self) -> Result<File, RuntimeError> {
        let path = self.exit();
        File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| RuntimeError::file("open", &path, error))
    }

    /// Removes the socket at which a monitor listened.
    pub fn remove_control(&self) {
        let _ = fs::remove_file(self.control());
    }

    /// Forgets that it runs.
    pub fn remove_running(&self) {
        let _ = fs::remove_file(self.health());
        let _ = fs::remove_file(self.running());
        // What is left in most cases is nothing.
        if fs::remove_dir(&self.state).is_err() {
            self.remove_control();
            atomic_file::remove(&self.health());
            atomic_file::remove(&self.running());
            let _ = fs::remove_dir(&self.state);
        }
    }
}

/// Writes how it ended into the file that waiters hold open.
///
/// # Errors
/// The kernel's.
pub fn write_exit(mut file: &File, record: &ExitRecord) -> io::Result<()> {
    let mut record = record.clone();
    if let Some(reason) = &mut record.error {
        reason.truncate(reason.floor_char_boundary(LONGEST_REASON));
    }
    let text = serde_json::to_vec(&record).map_err(io::Error::other)?;
    file.write_all(&text)
}

/// What the record of the end says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// There is none: the container never ran.
    NeverBegun,
    /// It is empty: the container runs, or nobody saw it end.
    Missing,
    /// It ended like this.
    Recorded(ExitRecord),
}

/// What the record of the end says.
///
/// # Errors
/// When the file exists and cannot be read.
pub fn read_end(path: &Path) -> Result<End, RuntimeError> {
    match fs::metadata(path) {
        // Nearly always, and then there is nothing to read.
        Ok(metadata) if metadata.len() == 0 => return Ok(End::Missing),
        _ => {}
    }
    match File::open(path) {
        Ok(file) => match read_exit_file(&file) {
            Ok(Some(exit)) => Ok(End::Recorded(exit)),
            Ok(None) => Ok(End::Missing),
            Err(error) => Err(RuntimeError::file("read", path, error)),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(End::NeverBegun),
        Err(error) => Err(RuntimeError::file("read", path, error)),
    }
}

/// How the container ended, from a file that was opened earlier.
///
/// # Errors
/// The kernel's, or that the text is not a record.
pub fn read_exit_file(file: &File) -> io::Result<Option<ExitRecord>> {
    parse_exit(&small_file::read_rest(file)?)
}

/// How the container ended, from the text of the record; none if that is empty.
///
/// # Errors
/// That the text is not a record.
pub(crate) fn parse_exit(text: &[u8]) -> io::Result<Option<ExitRecord>> {
    if text.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(text)
        .map(Some)
        .map_err(io::Error::other)
}
