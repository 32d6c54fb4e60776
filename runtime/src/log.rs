//! The log of a container: one JSON object a line, as Docker's `json-file` driver writes it, so that `jq` reads it.
//!
//! `{"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.678901234Z"}`. Output that is not UTF-8 is kept byte for
//! byte, as `"bytes":[…]` in place of `"log"`.
//!
//! Every line of the file is whole: what a full disk lets through only in part is cut off again, and what a killed monitor
//! left in part is ended before anything is added.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// A line longer than this is split, so that the monitor's memory stays small.
const LONGEST_LINE: usize = 16 * 1024;

/// As much is collected before it is written, in bytes.
const FULL_BUFFER: usize = 16 * 1024;

/// As much memory is kept between two pieces of output, in bytes: one byte of output may take six in the log, but seldom
/// does, and there are many monitors.
const KEPT_BUFFER: usize = 2 * FULL_BUFFER;

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
    pub fn push(&mut self, piece: &[u8], mut line: impl FnMut(&[u8])) {
        for part in piece.chunks(LONGEST_LINE) {
            self.push_part(part, &mut line);
        }
        self.unfinished.shrink_to(KEPT_BUFFER);
    }

    fn push_part(&mut self, mut piece: &[u8], line: &mut impl FnMut(&[u8])) {
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

/// Appends to a log, of which it is the only writer.
#[derive(Debug)]
pub struct LogWriter {
    file: File,
    /// Whether the file ends in the middle of a line.
    torn: bool,
    buffer: Vec<u8>,
    /// What went wrong since the last [`LogWriter::flush`].
    failure: Option<io::Error>,
}

impl LogWriter {
    /// Opens a log, which need not exist yet.
    ///
    /// # Errors
    /// The kernel's.
    pub fn open(path: &Path) -> io::Result<LogWriter> {
        let file = File::options()
            .create(true)
            .read(true)
            .append(true)
            .open(path)?;
        let length = file.metadata()?.len();
        let mut last = [b'\n'];
        if let Some(before_last) = length.checked_sub(1) {
            file.read_exact_at(&mut last, before_last)?;
        }
        Ok(LogWriter {
            file,
            torn: last != [b'\n'],
            buffer: Vec::new(),
            failure: None,
        })
    }

    /// Adds an entry to what the next [`LogWriter::flush`] writes; writes at once when much has been collected.
    pub fn add(&mut self, entry: &LogEntry) {
        // Serialising an entry into memory cannot fail: its keys are strings and its values are plain.
        if serde_json::to_writer(&mut self.buffer, entry).is_ok() {
            self.buffer.push(b'\n');
        }
        if self.buffer.len() >= FULL_BUFFER {
            self.failure = self.write().err().or(self.failure.take());
        }
    }

    /// Writes what was added.
    ///
    /// # Errors
    /// The kernel's, such as a full disk. What could not be written whole is lost; what is added later is not.
    pub fn flush(&mut self) -> io::Result<()> {
        let written = self.write();
        self.failure.take().map_or(written, Err)
    }

    fn write(&mut self) -> io::Result<()> {
        if self.torn && !self.buffer.is_empty() {
            self.buffer.insert(0, b'\n');
        }
        let (arrived, outcome) = write_counted(&mut self.file, &self.buffer);
        let mut buffer = std::mem::take(&mut self.buffer);
        if arrived > 0 {
            self.settle(&buffer[..arrived]);
        }
        buffer.clear();
        buffer.shrink_to(KEPT_BUFFER);
        self.buffer = buffer;
        outcome
    }

    /// Cuts off what stands behind the last whole line of what has arrived.
    fn settle(&mut self, arrived: &[u8]) {
        let loose = loose_end(arrived);
        self.torn = loose > 0 && cut_off(&self.file, loose as u64).is_err();
    }
}

/// How many bytes stand behind the last line that has an end.
fn loose_end(bytes: &[u8]) -> usize {
    let last = bytes.iter().rposition(|byte| *byte == b'\n');
    bytes.len() - last.map_or(0, |end| end + 1)
}

/// Writes what can be written, and says how much that was.
fn write_counted(file: &mut File, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(0) => return (written, Err(ErrorKind::WriteZero.into())),
            Ok(length) => written += length,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}

/// Shortens a file from its end. Its length is asked for, because others may have emptied it meanwhile.
fn cut_off(file: &File, length: u64) -> io::Result<()> {
    let all = file.metadata()?.len();
    file.set_len(all.saturating_sub(length))
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

    fn entry(text: &str) -> LogEntry {
        LogEntry::new(text.as_bytes(), Stream::Stdout, Timestamp::UNIX_EPOCH)
    }

    fn contents(path: &Path) -> Vec<Option<String>> {
        let text = std::fs::read_to_string(path).expect("the log is readable");
        text.lines()
            .map(|line| serde_json::from_str::<LogEntry>(line).ok()?.text)
            .collect()
    }

    #[test]
    fn a_line_that_a_killed_writer_left_in_part_does_not_spoil_the_next() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("log");
        std::fs::write(&path, r#"{"log":"to"#).expect("a torn line");
        let mut writer = LogWriter::open(&path).expect("the log opens");
        for text in ["one\n", "two\n"] {
            writer.add(&entry(text));
            writer.flush().expect("there is room");
        }
        let whole = |text: &str| Some(text.to_string());
        assert_eq!(contents(&path), [None, whole("one\n"), whole("two\n")]);
    }

    #[test]
    fn a_full_disk_costs_lines_but_tears_none() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("log");
        let mut writer = LogWriter::open(&path).expect("the log opens");
        writer.add(&entry("one\n"));
        writer.add(&entry("two\n"));
        let collected = std::mem::take(&mut writer.buffer);
        // As if the disk had become full in the middle of the second line.
        let arrived = collected.len() - 5;
        writer.file.write_all(&collected[..arrived]).expect("room");
        writer.settle(&collected[..arrived]);
        writer.add(&entry("three\n"));
        writer.flush().expect("there is room again");
        let whole = |text: &str| Some(text.to_string());
        assert_eq!(contents(&path), [whole("one\n"), whole("three\n")]);
    }

    #[test]
    fn a_log_that_was_emptied_meanwhile_is_not_filled_with_zeros() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("log");
        let mut writer = LogWriter::open(&path).expect("the log opens");
        writer.add(&entry("one\n"));
        writer.flush().expect("there is room");
        std::fs::write(&path, "").expect("the log can be emptied");
        writer.settle(b"torn");
        assert_eq!(std::fs::read(&path).expect("readable"), b"");
    }

    #[test]
    fn little_memory_is_kept_after_much_output() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut writer = LogWriter::open(&directory.path().join("log")).expect("the log opens");
        let mut splitter = LineSplitter::default();
        splitter.push(&vec![0; 1 << 20], |line| {
            writer.add(&LogEntry::new(line, Stream::Stdout, Timestamp::UNIX_EPOCH));
        });
        writer.flush().expect("there is room");
        assert!(writer.buffer.capacity() <= KEPT_BUFFER);
        assert!(splitter.unfinished.capacity() <= KEPT_BUFFER);
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_or_added(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20_000), 0..4)) {
            let borrowed: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(split(&borrowed).concat(), pieces.concat());
        }
    }
}
