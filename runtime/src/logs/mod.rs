//! Reading a container's log: from where, how much, and whether to wait for more.
//!
//! Theory of operation
//!
//! 1. All files of the log are opened at once (`log::files`), so that none can go while it is read, and read from the
//!    oldest to the newest (`lines`). For the last lines only, the place where they begin is looked for from the end (`tail`).
//! 2. Whoever follows then waits for a change of the container's directory or the end of its monitor (`watch`). Both are
//!    watched from before the first read, so nothing can be missed between reading and waiting.
//! 3. A file that has ended and is not the newest any more is read to its end once more, because what it got before it was
//!    moved may have come after the last look. Then come all that are newer (`Follower::read_on`).
//!
//! A log may be damaged, or made by somebody else: a line is never held in memory beyond the length of the longest that is
//! written, and one that cannot be understood is passed over and counted.

mod follower;
mod lines;
mod tail;
mod watch;

use crate::config::ContainerConfig;
use crate::error::RuntimeError;
use crate::log::LogEntry;
use crate::log_options::LogOptions;
use crate::runtime::Runtime;
use follower::Follower;
use jiff::Timestamp;
use lines::LineReader;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::BorrowedFd;
use watch::{News, Watch};

/// Which entries to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogQuery {
    /// How many of the last ones; none means all.
    pub tail: Option<usize>,
    /// Not those before this moment.
    pub since: Option<Timestamp>,
    /// Not those after this moment.
    pub until: Option<Timestamp>,
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

impl LogQuery {
    fn wants(&self, entry: &LogEntry) -> bool {
        self.since.is_none_or(|since| entry.time >= since)
            && self.until.is_none_or(|until| entry.time <= until)
    }
}

/// Who is given the entries of a log.
pub trait LogSink {
    /// Takes the next entry.
    ///
    /// # Errors
    /// When no more entries are wanted.
    fn entry(&mut self, entry: &LogEntry) -> io::Result<()>;

    /// All that are there now were given; it may be long until the next.
    ///
    /// # Errors
    /// When no more entries are wanted.
    fn pause(&mut self) -> io::Result<()>;

    /// Where it can be seen that no more entries are wanted, by an error or a hang-up.
    fn end(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

/// What was not given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// How many lines could not be understood.
    pub damaged: usize,
    /// Whether files may have gone while the log was followed, before they could be read.
    pub missed: bool,
}

impl Runtime {
    /// Gives a container's log to `sink`, one entry after the other.
    ///
    /// # Errors
    /// [`RuntimeError::NoLog`]; when the log cannot be read, or `sink` fails.
    pub fn logs(
        &self,
        config: &ContainerConfig,
        query: LogQuery,
        sink: &mut dyn LogSink,
    ) -> Result<LeftOut, RuntimeError> {
        let LogOptions::JsonFile(limit) = config.log else {
            return Err(RuntimeError::NoLog(config.name.clone()));
        };
        let told = |error| RuntimeError::system("write the log", error);
        let log = self.paths(&config.id).log();
        let mut watch = match query.follow {
            Follow::UntilTheEnd => self.watch_log(config)?,
            Follow::No => None,
        };
        let mut follower = Follower::open(log, limit.files(), query)?;
        follower.read_on(sink)?;
        while let Some(watched) = &watch {
            sink.pause().map_err(told)?;
            match watched.wait(query.until, sink.end())? {
                News::Change => {}
                News::Over => break,
                // It may have been started again already.
                News::End => watch = self.watch_log(config)?,
            }
            follower.read_on(sink)?;
        }
        sink.pause().map_err(told)?;
        Ok(follower.left_out())
    }

    /// What to wait for while more may come; nothing if the container has ended for good. This is the one place that decides.
    fn watch_log(&self, config: &ContainerConfig) -> Result<Option<Watch>, RuntimeError> {
        Watch::of(&self.paths(&config.id))
    }
}

/// Gives the entries of a log that does not grow, which lies in these files, the oldest first; says how many lines could not
/// be understood.
///
/// # Errors
/// When a file cannot be read, or `entry` fails.
pub fn read_log<R: Read + Seek>(
    files: &mut [R],
    query: LogQuery,
    entry: &mut dyn FnMut(&LogEntry) -> io::Result<()>,
) -> io::Result<usize> {
    let start = tail::start(files, &query)?;
    let mut damaged = 0;
    for (number, file) in files.iter_mut().enumerate().skip(start.file) {
        let offset = if number == start.file {
            start.offset
        } else {
            0
        };
        file.seek(SeekFrom::Start(offset))?;
        let mut lines = LineReader::new(file);
        while let Some(found) = lines.next()? {
            if query.wants(&found) {
                entry(&found)?;
            }
        }
        damaged += lines.damaged();
    }
    Ok(damaged)
}

#[cfg(test)]
mod tests;
