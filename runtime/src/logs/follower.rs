//! Reading a log that grows and whose files move.

use super::lines::LineReader;
use super::{LeftOut, LogQuery, LogSink, tail};
use crate::error::RuntimeError;
use crate::log::files::{self, FileNumber, LogFile};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::PathBuf;

/// Where the reading of a log has come to.
pub(super) struct Follower {
    log: PathBuf,
    /// How many files it has at most.
    most: u16,
    query: LogQuery,
    /// The file that is being read; none if there was none yet.
    current: Option<Current>,
    /// Those that are newer, as far as they were seen, the oldest first.
    newer: VecDeque<LogFile>,
    left_out: LeftOut,
}

struct Current {
    lines: LineReader<File>,
    number: FileNumber,
}

impl Follower {
    /// Opens all files and goes to the place from where on to read.
    pub(super) fn open(log: PathBuf, most: u16, query: LogQuery) -> Result<Follower, RuntimeError> {
        let mut follower = Follower {
            log,
            most,
            query,
            current: None,
            newer: VecDeque::new(),
            left_out: LeftOut::default(),
        };
        follower.begin().map_err(|error| follower.fail(error))?;
        Ok(follower)
    }

    fn begin(&mut self) -> io::Result<()> {
        let mut files = files::open_all(&self.log, self.most)?;
        files.reverse();
        let mut readers: Vec<&File> = files.iter().map(|file| &file.file).collect();
        let start = tail::start(&mut readers, &self.query)?;
        self.newer = files.into_iter().skip(start.file).collect();
        if let Some(mut first) = self.newer.front().map(|file| &file.file) {
            first.seek(SeekFrom::Start(start.offset))?;
        }
        for mut file in self.newer.iter().skip(1).map(|file| &file.file) {
            file.rewind()?;
        }
        Ok(())
    }

    /// Gives what has come since.
    pub(super) fn read_on(&mut self, sink: &mut dyn LogSink) -> Result<(), RuntimeError> {
        loop {
            self.read_file(sink)?;
            if self.newer.is_empty() {
                self.newer = self.look().map_err(|error| self.fail(error))?;
                // Whatever the file got before it was moved is there now.
                self.read_file(sink)?;
            }
            let Some(next) = self.newer.pop_front() else {
                return Ok(());
            };
            self.leave_file();
            self.current = Some(Current {
                lines: LineReader::new(next.file),
                number: next.number,
            });
        }
    }

    /// What was not given so far.
    pub(super) fn left_out(mut self) -> LeftOut {
        let damaged = self.current.map_or(0, |current| current.lines.damaged());
        self.left_out.damaged += damaged;
        self.left_out
    }

    /// Gives what is still in the file that is being read.
    fn read_file(&mut self, sink: &mut dyn LogSink) -> Result<(), RuntimeError> {
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        loop {
            let found = match current.lines.next() {
                Ok(Some(found)) => found,
                Ok(None) => break,
                Err(error) => return Err(RuntimeError::file("read", &self.log, error)),
            };
            if self.query.wants(&found) {
                sink.entry(&found)
                    .map_err(|error| RuntimeError::system("write the log", error))?;
            }
        }
        Ok(())
    }

    fn leave_file(&mut self) {
        if let Some(mut current) = self.current.take() {
            current.lines.give_up_line();
            self.left_out.damaged += current.lines.damaged();
        }
    }

    /// The files that are newer than the one that is being read, the oldest first.
    fn look(&mut self) -> io::Result<VecDeque<LogFile>> {
        let known = self.current.as_mut();
        if let Some(current) = known
            && files::newest(&self.log)? == Some(current.number)
        {
            return current.go_back_if_emptied().map(|()| VecDeque::new());
        }
        let known = self.current.as_ref().map(|current| current.number);
        let all = files::open_all(&self.log, self.most)?;
        let mut newer: VecDeque<LogFile> = all
            .into_iter()
            .take_while(|file| Some(file.number) != known)
            .collect();
        // With every file new, others may have come and gone between. A log of one file has always a new one.
        let all_new = newer.len() >= usize::from(self.most);
        self.left_out.missed |= known.is_some() && all_new && self.most > 1;
        newer.make_contiguous().reverse();
        Ok(newer)
    }

    fn fail(&self, error: io::Error) -> RuntimeError {
        RuntimeError::file("read", &self.log, error)
    }
}

impl Current {
    /// Somebody may have emptied the file instead of removing it.
    fn go_back_if_emptied(&mut self) -> io::Result<()> {
        let file = self.lines.source();
        if file.metadata()?.len() < file.stream_position()? {
            file.rewind()?;
            self.lines.give_up_line();
        }
        Ok(())
    }
}
