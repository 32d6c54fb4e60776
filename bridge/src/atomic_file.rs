//! Records that are either the old one or the new one, never half of one.
//!
//! Theory of operation: (1) the text is written to `.<name>.new` beside the record, under an exclusive `flock` on that file; (2) the
//! file is renamed over the record while the lock is still held. The temporary name is always the same for one record, so what a
//! killed writer left behind is overwritten by the next one and nothing piles up. A second writer that waited for the lock may wake up
//! holding a file that has become the record meanwhile; it notices, because the name no longer leads to that file, and begins again.
//!
//! A record that is written under another lock only has one writer at a time, who needs neither the lock on the temporary file nor to
//! look whether it is still there ([`replace_json`]).
//!
//! Nothing is synced to the disk: a record guards against a process that dies, not against a machine that loses power.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::small_file;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Records may hold passwords from a container's environment, so only their owner reads them.
const RECORD_MODE: u32 = 0o600;

/// Why a record could not be read or written; each names the record's path.
#[derive(Debug, thiserror::Error)]
pub enum AtomicFileError {
    /// The path has no file name, so nothing can be written beside it.
    #[error("cannot write `{}`: it is not the path of a file", path.display())]
    NotAFile {
        /// The path as given.
        path: PathBuf,
    },
    /// The new text could not be written to the temporary file.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// The temporary file.
        path: PathBuf,
        /// What the kernel answered.
        source: io::Error,
    },
    /// The temporary file could not take the record's place.
    #[error("cannot replace `{}`: {source}", path.display())]
    Replace {
        /// The record.
        path: PathBuf,
        /// What the kernel answered.
        source: io::Error,
    },
    /// The record could not be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The record.
        path: PathBuf,
        /// What the kernel answered.
        source: io::Error,
    },
    /// The record was read, but does not say what it should.
    #[error("cannot understand `{}`: {source}", path.display())]
    Parse {
        /// The record.
        path: PathBuf,
        /// Line, column and what was expected there.
        source: serde_json::Error,
    },
    /// The value has no JSON form.
    #[error("cannot put `{}` into JSON: {source}", path.display())]
    Serialize {
        /// The record that was to be written.
        path: PathBuf,
        /// What could not be expressed.
        source: serde_json::Error,
    },
}

impl AtomicFileError {
    /// Whether the record simply is not there, which many callers treat as an answer rather than a failure.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Whether the record could not be written because its directory is not there.
    pub fn lacks_directory(&self) -> bool {
        matches!(self, Self::Write { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// Puts `bytes` at `path`, so that a reader sees the whole old text or the whole new one. The directory must exist; the file gets mode
/// 0600. Writers of one path take turns; a killed writer leaves nothing that the next one does not clean up.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), AtomicFileError> {
    let temporary = temporary_path(path)?;
    let write_error = |source| AtomicFileError::Write {
        path: temporary.clone(),
        source,
    };
    let mut file = open_locked(&temporary).map_err(write_error)?;
    file.set_len(0)
        .and_then(|()| file.write_all(bytes))
        .map_err(write_error)?;
    std::fs::rename(&temporary, path).map_err(|source| AtomicFileError::Replace {
        path: path.to_owned(),
        source,
    })
}

/// Reads the JSON record at `path`. A missing record is an error for which [`AtomicFileError::is_missing`] holds.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, AtomicFileError> {
    let bytes = small_file::read(path).map_err(|source| AtomicFileError::Read {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&bytes).map_err(|source| AtomicFileError::Parse {
        path: path.to_owned(),
        source,
    })
}

/// Reads a record, or nothing if there is none.
///
/// # Errors
///
/// As [`read_json`], except when the file is missing.
pub fn read_json_if_present<T: DeserializeOwned>(
    path: &Path,
) -> Result<Option<T>, AtomicFileError> {
    match read_json(path) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes a record, if there is one, and what a killed writer of it may have left. Nobody may be writing it.
pub fn remove(path: &Path) {
    // What cannot be removed is met again by whoever removes the directory.
    let _ = std::fs::remove_file(path);
    if let Ok(temporary) = temporary_path(path) {
        let _ = std::fs::remove_file(temporary);
    }
}

/// Writes `value` as indented JSON with a final newline, as [`write_atomically`] does.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), AtomicFileError> {
    write_atomically(path, &indented(path, value)?)
}

/// Writes a record as [`write_json`] does, for a caller who holds the lock under which alone this record is written: with half of the
/// system calls.
pub fn replace_json<T: Serialize>(path: &Path, value: &T) -> Result<(), AtomicFileError> {
    let bytes = indented(path, value)?;
    let temporary = temporary_path(path)?;
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(RECORD_MODE)
        .custom_flags(libc::O_NOFOLLOW)
        .open(&temporary)
        .and_then(|mut file| file.write_all(&bytes))
        .map_err(|source| AtomicFileError::Write {
            path: temporary.clone(),
            source,
        })?;
    std::fs::rename(&temporary, path).map_err(|source| AtomicFileError::Replace {
        path: path.to_owned(),
        source,
    })
}

fn indented<T: Serialize>(path: &Path, value: &T) -> Result<Vec<u8>, AtomicFileError> {
    let mut bytes =
        serde_json::to_vec_pretty(value).map_err(|source| AtomicFileError::Serialize {
            path: path.to_owned(),
            source,
        })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// `.<name>.new` in the record's own directory, because a rename must not cross file systems.
pub(crate) fn temporary_path(path: &Path) -> Result<PathBuf, AtomicFileError> {
    let name = path.file_name().ok_or_else(|| AtomicFileError::NotAFile {
        path: path.to_owned(),
    })?;
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(".new");
    Ok(path.with_file_name(temporary))
}

/// Opens the temporary file under its lock. The lock lives as long as the returned file.
fn open_locked(temporary: &Path) -> io::Result<File> {
    loop {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(RECORD_MODE)
            .custom_flags(libc::O_NOFOLLOW)
            .open(temporary)?;
        file.lock()?;
        if is_still_at(&file, temporary)? {
            return Ok(file);
        }
    }
}

/// Whether `path` leads to the open `file`; false when another writer has renamed it away.
fn is_still_at(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match std::fs::symlink_metadata(path) {
        Ok(named) => Ok((open.dev(), open.ino()) == (named.dev(), named.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_replaced_and_nothing_else_is_left_in_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bridge.json");
        write_atomically(&path, b"a long first text").unwrap();
        write_atomically(&path, b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        let mode = std::fs::metadata(&path).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_a_killed_writer_left_is_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bridge.json");
        std::fs::write(directory.path().join(".bridge.json.new"), b"half of a very").unwrap();
        write_atomically(&path, b"whole").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn many_writers_at_once_never_mix_their_texts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("record");
        write_atomically(&path, &[b'0'; 100]).unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4u8 {
                let path = &path;
                scope.spawn(move || {
                    for round in 0..50usize {
                        let text = vec![b'a' + writer; 100 + round * usize::from(writer)];
                        write_atomically(path, &text).unwrap();
                        let seen = std::fs::read(path).unwrap();
                        assert!(seen.len() >= 100);
                        assert!(seen.iter().all(|byte| *byte == seen[0]));
                    }
                });
            }
        });
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_record_comes_back_from_json_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("record.json");
        write_json(&path, &vec!["a", "b"]).unwrap();
        assert_eq!(read_json::<Vec<String>>(&path).unwrap(), ["a", "b"]);
        assert!(std::fs::read_to_string(&path).unwrap().ends_with("]\n"));
    }

    #[test]
    fn a_record_that_has_one_writer_is_replaced_over_what_a_killed_one_left() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("record.json");
        std::fs::write(
            directory.path().join(".record.json.new"),
            "half of a very long",
        )
        .unwrap();
        replace_json(&path, &vec!["a"]).unwrap();
        replace_json(&path, &vec!["b"]).unwrap();
        assert_eq!(read_json::<Vec<String>>(&path).unwrap(), ["b"]);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        let mode = std::fs::metadata(&path).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_missing_record_is_told_apart_from_a_broken_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("record.json");
        assert!(read_json::<u8>(&path).unwrap_err().is_missing());
        std::fs::write(&path, "{").unwrap();
        let error = read_json::<u8>(&path).unwrap_err();
        assert!(!error.is_missing());
        assert!(error.to_string().contains("record.json"));
    }

    #[test]
    fn a_directory_that_is_not_there_is_named_in_the_error() {
        let error = write_atomically(Path::new("/nonexistent/record"), b"").unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot write `/nonexistent/.record.new`: No such file or directory (os error 2)"
        );
        assert!(matches!(
            write_atomically(Path::new("/"), b"").unwrap_err(),
            AtomicFileError::NotAFile { .. }
        ));
    }
}
