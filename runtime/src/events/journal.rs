//! The file that everybody appends to.
//!
//! A line is written with one write(2) under an exclusive lock on the file, in the order of its time. The lock keeps nobody for
//! longer than such a write. A file that is renamed while somebody waits for its lock is left alone by them, so a generation is
//! complete as soon as it has its new name.

use super::event::Event;
use jiff::Timestamp;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The size from which on a file is replaced by a new one, in bytes.
pub(super) const FULL: u64 = 1024 * 1024;

/// Environments and labels may hold secrets, so only their owner reads the lines.
const MODE: u32 = 0o600;

/// The files of one host.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    pub(super) directory: PathBuf,
    current: PathBuf,
    previous: PathBuf,
}

/// Both generations as they were at one moment.
pub(super) struct Generations {
    pub(super) previous: Option<File>,
    pub(super) current: File,
}

impl Journal {
    /// The journal in a state directory. Nothing is made or looked at until it is needed.
    pub(super) fn of(state: &Path) -> Journal {
        Journal {
            directory: state.to_path_buf(),
            current: state.join("events"),
            previous: state.join("events.1"),
        }
    }

    /// Where lines are appended.
    pub(super) fn path(&self) -> &Path {
        &self.current
    }

    /// Appends what has just happened.
    pub(super) fn append(&self, mut event: Event) -> io::Result<()> {
        let mut file = self.lock_current()?;
        event.time = Timestamp::now();
        let Some(line) = event.line() else {
            return Err(ErrorKind::FileTooLarge.into());
        };
        match file.write(&line)? {
            written if written == line.len() => Ok(()),
            _ => Err(ErrorKind::StorageFull.into()),
        }
    }

    /// The file to append to, locked. The lock goes with it.
    fn lock_current(&self) -> io::Result<File> {
        loop {
            let file = self.open_current()?;
            file.lock()?;
            let found = file.metadata()?;
            if !self.is_current(&found)? {
                continue;
            }
            if found.len() < FULL {
                return Ok(file);
            }
            fs::rename(&self.current, &self.previous)?;
        }
    }

    /// Opens both generations. No lock is taken: whoever reads may be stopped at any time and must not stop those who write.
    pub(super) fn generations(&self) -> io::Result<Generations> {
        loop {
            let current = self.open_current()?;
            let previous = match File::open(&self.previous) {
                Ok(file) => Some(file),
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
            // If one has taken the other's place meanwhile, a third may be missing here.
            if self.is_current(&current.metadata()?)? {
                return Ok(Generations { previous, current });
            }
        }
    }

    fn open_current(&self) -> io::Result<File> {
        let open = || {
            OpenOptions::new()
                .read(true)
                .append(true)
                .create(true)
                .mode(MODE)
                .custom_flags(libc::O_NOFOLLOW)
                .open(&self.current)
        };
        match open() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(&self.directory)?;
                open()
            }
            outcome => outcome,
        }
    }

    fn is_current(&self, open: &Metadata) -> io::Result<bool> {
        match fs::symlink_metadata(&self.current) {
            Ok(named) => Ok(identity(&named) == identity(open)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// What tells a file that is held open from every other.
pub(super) fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}
