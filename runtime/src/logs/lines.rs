//! The entries of one file, from its beginning to its end.

use crate::log::{LONGEST_ENTRY, LogEntry};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};

/// How much is read at once, in bytes.
const BLOCK: usize = 64 * 1024;

/// Reads entries.
#[derive(Debug)]
pub(super) struct LineReader<R> {
    source: BufReader<R>,
    /// The beginning of a line whose end was not read yet.
    partial: Vec<u8>,
    /// Whether that line is too long to be an entry, so that nothing of it is kept.
    overlong: bool,
    damaged: usize,
}

impl<R: Read> LineReader<R> {
    pub(super) fn new(source: R) -> LineReader<R> {
        LineReader {
            source: BufReader::with_capacity(BLOCK, source),
            partial: Vec::new(),
            overlong: false,
            damaged: 0,
        }
    }

    /// The next whole line that can be understood; none when there is no more now.
    pub(super) fn next(&mut self) -> io::Result<Option<LogEntry>> {
        loop {
            let block = match self.source.fill_buf() {
                Ok([]) => return Ok(None),
                Ok(block) => block,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let end = block.iter().position(|byte| *byte == b'\n');
            let length = end.map_or(block.len(), |end| end + 1);
            if self.partial.is_empty() && !self.overlong && end.is_some() {
                let found = LogEntry::parse(&block[..length]);
                self.source.consume(length);
                match found {
                    None => self.damaged += 1,
                    found => return Ok(found),
                }
                continue;
            }
            self.keep(length);
            if end.is_some()
                && let Some(found) = self.finish()
            {
                return Ok(Some(found));
            }
        }
    }

    /// How many lines could not be understood.
    pub(super) fn damaged(&self) -> usize {
        self.damaged
    }

    /// What it reads from.
    pub(super) fn source(&mut self) -> &mut R {
        self.source.get_mut()
    }

    /// Forgets the beginning of a line that will have no end.
    pub(super) fn give_up_line(&mut self) {
        if !self.partial.is_empty() || self.overlong {
            self.finish();
        }
    }

    /// How much memory it holds, in bytes.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.source.capacity() + self.partial.capacity()
    }

    /// Adds so many bytes of what was read to the line that is put together.
    fn keep(&mut self, length: usize) {
        if !self.overlong {
            self.partial
                .extend_from_slice(&self.source.buffer()[..length]);
        }
        if self.partial.len() > LONGEST_ENTRY {
            self.overlong = true;
            self.partial = Vec::new();
        }
        self.source.consume(length);
    }

    fn finish(&mut self) -> Option<LogEntry> {
        let found = match self.overlong {
            true => None,
            false => LogEntry::parse(&self.partial),
        };
        self.overlong = false;
        self.partial.clear();
        self.damaged += usize::from(found.is_none());
        found
    }
}
