//! The log of a container: one JSON object a line, as Docker's `json-file` driver writes it, so that `jq` reads it.
//!
//! `{"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.678901234Z"}`. Output that is not UTF-8 is kept byte for
//! byte, as `"bytes":[…]` in place of `"log"`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// A line longer than this is split, so that the monitor's memory stays small.
const LONGEST_LINE: usize = 16 * 1024;

/// Which of its two streams a program wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One line that a program wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The line with its end, if it is UTF-8.
    #[serde(rename = "log", default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// The line with its end, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<Vec<u8>>,
    /// Where it was written.
    pub stream: Stream,
    /// When it was read, in UTC.
    pub time: Timestamp,
}

impl LogEntry {
    /// A line of output.
    pub fn new(line: &[u8], stream: Stream, time: Timestamp) -> LogEntry {
        let (text, bytes) = match std::str::from_utf8(line) {
            Ok(text) => (Some(text.to_string()), None),
            Err(_) => (None, Some(line.to_vec())),
        };
        LogEntry {
            text,
            bytes,
            stream,
            time,
        }
    }

    /// What the program wrote, byte for byte.
    pub fn content(&self) -> &[u8] {
        match (&self.text, &self.bytes) {
            (Some(text), _) => text.as_bytes(),
            (None, Some(bytes)) => bytes,
            (None, None) => &[],
        }
    }
}

/// Cuts a stream into lines.
#[derive(Debug, Default)]
pub struct LineSplitter {
    unfinished: Vec<u8>,
}

impl LineSplitter {
    /// Takes a piece of the stream and hands every line that is complete now to `line`.
    pub fn push(&mut self, mut piece: &[u8], mut line: impl FnMut(&[u8])) {
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            let (head, tail) = piece.split_at(end + 1);
            if self.unfinished.is_empty() {
                line(head);
            } else {
                self.unfinished.extend_from_slice(head);
                line(&self.unfinished);
                self.unfinished.clear();
            }
            piece = tail;
        }
        self.unfinished.extend_from_slice(piece);
        if self.unfinished.len() >= LONGEST_LINE {
            // A character must not be torn in two, or both halves would stop being text.
            let cut = whole_characters(&self.unfinished);
            line(&self.unfinished[..cut]);
            self.unfinished.drain(..cut);
        }
    }

    /// Hands over what is left when the stream has ended.
    pub fn finish(&mut self, mut line: impl FnMut(&[u8])) {
        if !self.unfinished.is_empty() {
            line(&self.unfinished);
            self.unfinished.clear();
        }
    }
}

/// How many bytes from the beginning hold no unfinished character at their end.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => error.valid_up_to(),
        _ => bytes.len(),
    }
}

/// Appends to a log.
#[derive(Debug)]
pub struct LogWriter {
    file: File,
    buffer: Vec<u8>,
}

impl LogWriter {
    /// Opens a log, which need not exist yet.
    ///
    /// # Errors
    /// The kernel's.
    pub fn open(path: &Path) -> io::Result<LogWriter> {
        Ok(LogWriter {
            file: File::options().create(true).append(true).open(path)?,
            buffer: Vec::new(),
        })
    }

    /// Adds an entry to what the next [`LogWriter::flush`] writes.
    pub fn add(&mut self, entry: &LogEntry) {
        // Serialising an entry into memory cannot fail: its keys are strings and its values are plain.
        if serde_json::to_writer(&mut self.buffer, entry).is_ok() {
            self.buffer.push(b'\n');
        }
    }

    /// Writes what was added, in one piece.
    ///
    /// # Errors
    /// The kernel's, such as a full disk.
    pub fn flush(&mut self) -> io::Result<()> {
        let written = self.file.write_all(&self.buffer);
        self.buffer.clear();
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut splitter = LineSplitter::default();
        let mut lines = Vec::new();
        for piece in pieces {
            splitter.push(piece, |line| lines.push(line.to_vec()));
        }
        splitter.finish(|line| lines.push(line.to_vec()));
        lines
    }

    #[test]
    fn an_entry_reads_as_dockers_does() {
        let time: Timestamp = "2026-01-02T03:04:05.000000006Z".parse().expect("a time");
        let entry = LogEntry::new(b"hello\n", Stream::Stdout, time);
        assert_eq!(
            serde_json::to_string(&entry).expect("plain"),
            r#"{"log":"hello\n","stream":"stdout","time":"2026-01-02T03:04:05.000000006Z"}"#
        );
    }

    #[test]
    fn bytes_that_are_no_text_come_back_as_they_were() {
        let entry = LogEntry::new(&[0xff, b'\n'], Stream::Stderr, Timestamp::UNIX_EPOCH);
        let text = serde_json::to_string(&entry).expect("plain");
        let back: LogEntry = serde_json::from_str(&text).expect("what was written");
        assert_eq!(back.content(), [0xff, b'\n']);
    }

    #[test]
    fn lines_are_put_together_from_pieces_and_the_last_needs_no_end() {
        assert_eq!(
            split(&[b"one\ntw", b"o\n", b"three"]),
            [&b"one\n"[..], b"two\n", b"three"]
        );
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_or_added(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20_000), 0..4)) {
            let borrowed: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(split(&borrowed).concat(), pieces.concat());
        }
    }
}
