//! The lines of a log on their way to standard output and standard error.

use minirun_runtime::log::{LogEntry, Stream};
use minirun_runtime::logs::LogSink;
use std::io::{self, Stdout, Write};
use std::os::fd::{AsFd, BorrowedFd};

/// How much is collected before it is written, in bytes.
const BLOCK: usize = 64 * 1024;

/// Whether it is shown when a line was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// In front of it.
    Shown,
    /// Not at all.
    Hidden,
}

/// Writes each line where the program wrote it. Lines for one stream are collected as long as none comes for the other, so
/// that a terminal, which shows both, shows them in their order.
#[derive(Debug)]
pub struct LogLines {
    times: Times,
    collected: Vec<u8>,
    stream: Stream,
    output: Stdout,
}

impl LogLines {
    /// Lines with or without times.
    pub fn new(times: Times) -> LogLines {
        LogLines {
            times,
            collected: Vec::new(),
            stream: Stream::Stdout,
            output: io::stdout(),
        }
    }
}

impl LogSink for LogLines {
    fn entry(&mut self, entry: &LogEntry) -> io::Result<()> {
        if self.stream != entry.stream || self.collected.len() >= BLOCK {
            self.pause()?;
            self.stream = entry.stream;
        }
        if self.times == Times::Shown {
            write!(self.collected, "{:.9} ", entry.time)?;
        }
        self.collected.extend_from_slice(&entry.content);
        Ok(())
    }

    fn pause(&mut self) -> io::Result<()> {
        match self.stream {
            Stream::Stdout => {
                let mut output = self.output.lock();
                output.write_all(&self.collected)?;
                output.flush()?;
            }
            Stream::Stderr => io::stderr().lock().write_all(&self.collected)?,
        }
        self.collected.clear();
        Ok(())
    }

    fn end(&self) -> Option<BorrowedFd<'_>> {
        Some(self.output.as_fd())
    }
}
