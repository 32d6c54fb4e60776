//! Reading and writing the small files by which the kernel shows a group.

use super::directory::is_gone;
use super::error::CgroupError;
use minirun_bridge::small_file;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;

/// Lists the processes of a group, and takes those that are to be moved into it.
pub(super) const PROCESSES: &str = "cgroup.procs";

/// The whole text; none if there is no such file, or its group is gone.
pub(super) fn read(path: &Path) -> Result<Option<String>, CgroupError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(source) if is_gone(&source) => Ok(None),
        Err(source) => Err(CgroupError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Replaces the value. The file is never created.
pub(super) fn write(path: &Path, value: &str) -> Result<(), CgroupError> {
    raw_write(path, value).map_err(|source| CgroupError::Write {
        value: value.trim_end().to_owned(),
        path: path.to_owned(),
        source,
    })
}

/// Moves a process into the group whose list this is. One that has ended meanwhile needs no moving.
pub(super) fn admit(processes: &Path, pid: i32) -> Result<(), CgroupError> {
    match raw_write(processes, &pid.to_string()) {
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
        outcome => outcome.map_err(|source| CgroupError::Write {
            value: pid.to_string(),
            path: processes.to_owned(),
            source,
        }),
    }
}

/// The numbers that a file lists; none if it is not there.
pub(super) fn numbers<T: FromStr>(path: &Path) -> Result<Vec<T>, CgroupError> {
    let text = read(path)?.unwrap_or_default();
    Ok(text
        .split_ascii_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect())
}

/// The only number in a file; none if it is not there, or there is a word instead.
pub(super) fn number(path: &Path) -> Result<Option<u64>, CgroupError> {
    let text = match small_file::read(path) {
        Ok(text) => text,
        Err(source) if is_gone(&source) => return Ok(None),
        Err(source) => {
            return Err(CgroupError::Read {
                path: path.to_owned(),
                source,
            });
        }
    };
    Ok(number_in(&text))
}

/// The only number in the text of a file; none if there is a word instead.
pub(super) fn number_in(text: &[u8]) -> Option<u64> {
    let text = str::from_utf8(text).unwrap_or_default();
    text.split_ascii_whitespace()
        .find_map(|word| word.parse().ok())
}

/// The number behind a word at the beginning of a line, as in `inactive_file 4096`.
pub(super) fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let (word, value) = line.split_once(' ')?;
        (word == name).then(|| value.trim().parse().ok()).flatten()
    })
}

/// The kernel takes each write by itself, so there is one, even of no text but the end of a line.
fn raw_write(path: &Path, value: &str) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(path)?
        .write_all(value.as_bytes())
}
