//! Reading a container's log: from where, how much, and whether to wait for more.

use crate::config::ContainerConfig;
use crate::error::RuntimeError;
use crate::log::LogEntry;
use crate::process_identity::PidFd;
use crate::runtime::Runtime;
use jiff::Timestamp;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// Which entries to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogQuery {
    /// How many of the last ones; none means all.
    pub tail: Option<usize>,
    /// Not those before this moment.
    pub since: Option<Timestamp>,
    /// Whether to wait for more until the container ends.
    pub follow: Follow,
}

/// Whether to wait for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// What is there now.
    No,
    /// Until the container ends.
    UntilTheEnd,
}

impl Runtime {
    /// Hands a container's log to `entry`, one entry after the other, until it says that it wants no more. Lines that
    /// cannot be understood are left out; how many there were is the result.
    ///
    /// # Errors
    /// When the log cannot be read, or `entry` fails.
    pub fn logs(
        &self,
        config: &ContainerConfig,
        query: LogQuery,
        entry: &mut dyn FnMut(LogEntry) -> io::Result<()>,
    ) -> Result<usize, RuntimeError> {
        let path = self.paths(&config.id).log();
        // Both are taken before the first read, so that nothing can be missed between reading and waiting.
        let mut watch = match query.follow {
            Follow::UntilTheEnd => self.watch(config, &path)?,
            Follow::No => None,
        };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(RuntimeError::file("open", &path, error)),
        };
        let mut reader = LogReader {
            path,
            lines: BufReader::new(file),
            partial: Vec::new(),
            damaged: 0,
        };
        let mut told = |found: LogEntry| {
            entry(found).map_err(|error| RuntimeError::system("write the log", error))
        };
        reader.present(query, &mut told)?;
        while let Some(watched) = &watch {
            let ended = watched.wait()?;
            if ended {
                // It may go on by itself. Asked before the last look, so that nothing can be missed in between.
                watch = self.watch(config, &reader.path)?;
            }
            while let Some(found) = reader.next()? {
                if query.since.is_none_or(|since| found.time >= since) {
                    told(found)?;
                }
            }
        }
        Ok(reader.damaged)
    }

    /// What to wait for; nothing if the container does not run.
    fn watch(&self, config: &ContainerConfig, log: &Path) -> Result<Option<Watch>, RuntimeError> {
        let paths = self.paths(&config.id);
        if !paths.container_state()?.is_up() {
            return Ok(None);
        }
        let Some(record) = paths.read_running()? else {
            return Ok(None);
        };
        // Where there is a guardian, it outlives the runs of the container.
        let guardian = record.guardian.and_then(|guardian| guardian.open());
        let Some(watcher) = guardian.or_else(|| record.monitor.open()) else {
            return Ok(None);
        };
        let changes = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)
            .map_err(|error| RuntimeError::system("watch files", error))?;
        changes
            .add_watch(log, AddWatchFlags::IN_MODIFY)
            .map_err(|error| RuntimeError::file("watch", log, error.into()))?;
        Ok(Some(Watch { watcher, changes }))
    }
}

/// A log that grows, and who lives as long as it does.
struct Watch {
    watcher: PidFd,
    changes: Inotify,
}

impl Watch {
    /// Waits for more, or for the end; says whether it was the end.
    fn wait(&self) -> Result<bool, RuntimeError> {
        let mut descriptors = [
            PollFd::new(self.changes.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.watcher.as_fd(), PollFlags::POLLIN),
        ];
        loop {
            match poll(&mut descriptors, PollTimeout::NONE) {
                Ok(_) => break,
                Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(RuntimeError::system("wait for the log", error)),
            }
        }
        // The events say only that there is something; what it is, reading tells.
        let _ = self.changes.read_events();
        Ok(descriptors[1].any().unwrap_or(true))
    }
}

struct LogReader {
    path: PathBuf,
    lines: BufReader<File>,
    partial: Vec<u8>,
    /// How many lines could not be understood.
    damaged: usize,
}

impl LogReader {
    /// Hands over what is there now, or the last `tail` of it.
    fn present(
        &mut self,
        query: LogQuery,
        told: &mut dyn FnMut(LogEntry) -> Result<(), RuntimeError>,
    ) -> Result<(), RuntimeError> {
        let mut last = VecDeque::new();
        while let Some(found) = self.next()? {
            if query.since.is_some_and(|since| found.time < since) {
                continue;
            }
            match query.tail {
                None => told(found)?,
                Some(tail) => {
                    last.push_back(found);
                    if last.len() > tail {
                        last.pop_front();
                    }
                }
            }
        }
        last.into_iter().try_for_each(told)
    }

    /// The next whole line that can be understood; none when there is no more now.
    fn next(&mut self) -> Result<Option<LogEntry>, RuntimeError> {
        loop {
            self.lines
                .read_until(b'\n', &mut self.partial)
                .map_err(|error| RuntimeError::file("read", &self.path, error))?;
            if self.partial.last() != Some(&b'\n') {
                return Ok(None);
            }
            let parsed = LogEntry::parse(&self.partial);
            self.partial.clear();
            match parsed {
                Some(entry) => return Ok(Some(entry)),
                None => self.damaged += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_damaged_line_is_counted_and_does_not_end_the_reading() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        let line = |text| {
            format!(r#"{{"log":"{text}\n","stream":"stdout","time":"2026-01-02T03:04:05Z"}}"#)
        };
        write!(
            file,
            "{}\n{{\"log\":\"to\n{}\n{{\"lo",
            line("one"),
            line("two")
        )
        .expect("room");
        let mut reader = LogReader {
            path: file.path().to_path_buf(),
            lines: BufReader::new(File::open(file.path()).expect("readable")),
            partial: Vec::new(),
            damaged: 0,
        };
        let query = LogQuery {
            tail: None,
            since: None,
            follow: Follow::No,
        };
        let mut read = Vec::new();
        reader
            .present(query, &mut |entry| {
                read.push(entry.content.clone());
                Ok(())
            })
            .expect("nothing fails");
        assert_eq!(read, [b"one\n", b"two\n"]);
        assert_eq!(reader.damaged, 1, "a line without an end may still get one");
    }
}
