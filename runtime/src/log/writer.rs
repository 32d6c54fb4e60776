//! Writing a log.

use super::Stream;
use super::batch::{Batch, Ending};
use super::files;
use super::lines::LineSplitter;
use crate::log_options::LogLimit;
use jiff::Timestamp;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// As much is collected before it is written, in bytes.
const FULL_BATCH: usize = 64 * 1024;

/// One stream on its way into a log.
#[derive(Debug)]
pub struct LoggedStream {
    stream: Stream,
    lines: LineSplitter,
}

impl LoggedStream {
    /// A stream that has just begun.
    pub fn new(stream: Stream) -> LoggedStream {
        LoggedStream {
            stream,
            lines: LineSplitter::default(),
        }
    }

    /// Gives back the memory that it does not need now.
    pub fn rest(&mut self) {
        self.lines.rest();
    }
}

/// Appends to a log, of which it is the only writer.
#[derive(Debug)]
pub struct LogWriter {
    path: PathBuf,
    limit: LogLimit,
    file: File,
    /// How long the file is; somebody may have emptied it, then it is less.
    length: u64,
    /// Whether the file ends in the middle of a line.
    torn: bool,
    batch: Batch,
    /// What went wrong since the last [`LogWriter::flush`].
    failure: Option<io::Error>,
}

impl LogWriter {
    /// Opens a log, which need not exist yet.
    ///
    /// # Errors
    /// The kernel's.
    pub fn open(path: &Path, limit: LogLimit) -> io::Result<LogWriter> {
        let file = files::open_newest(path)?;
        let length = file.metadata()?.len();
        let mut last = [b'\n'];
        if let Some(before_last) = length.checked_sub(1) {
            file.read_exact_at(&mut last, before_last)?;
        }
        Ok(LogWriter {
            path: path.to_path_buf(),
            limit,
            file,
            length,
            torn: last != [b'\n'],
            batch: Batch::default(),
            failure: None,
        })
    }

    /// Adds the lines that end with this piece of a stream to what the next [`LogWriter::flush`] writes; writes at once
    /// when much has been collected.
    pub fn add(&mut self, from: &mut LoggedStream, piece: &[u8], time: Timestamp) {
        let ending = Ending::new(from.stream, time);
        from.lines.push(piece, |line| self.add_line(line, &ending));
    }

    /// Adds what a stream that has ended had left, which is a line without an end.
    pub fn finish(&mut self, from: &mut LoggedStream, time: Timestamp) {
        let ending = Ending::new(from.stream, time);
        from.lines.finish(|line| self.add_line(line, &ending));
    }

    /// Writes what was added.
    ///
    /// # Errors
    /// The kernel's, such as a full disk. What could not be written whole is lost; what is added later is not.
    pub fn flush(&mut self) -> io::Result<()> {
        let written = self.write();
        self.failure.take().map_or(written, Err)
    }

    /// Gives back the memory that it does not need now.
    pub fn rest(&mut self) {
        self.batch.rest();
    }

    fn add_line(&mut self, line: &[u8], ending: &Ending) {
        self.batch.add(line, ending);
        if self.batch.bytes().len() >= FULL_BATCH {
            self.failure = self.write().err().or(self.failure.take());
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let batch = std::mem::take(&mut self.batch);
        let outcome = self.write_lines(batch.bytes());
        self.batch = batch;
        self.batch.clear();
        outcome
    }

    /// Writes whole lines, and begins a new file where the old one is full.
    fn write_lines(&mut self, mut lines: &[u8]) -> io::Result<()> {
        let mut begun = Ok(());
        while !lines.is_empty() {
            let fitting = self.fitting(lines);
            if fitting == 0 {
                // If there cannot be a new file, the old one takes as much again before that is tried once more.
                begun = self.begin_file();
                continue;
            }
            let (now, later) = lines.split_at(fitting);
            self.append(now)?;
            lines = later;
        }
        begun
    }

    /// How many bytes of these lines still belong into this file. An empty one takes at least one line.
    fn fitting(&self, lines: &[u8]) -> usize {
        let LogLimit::Files { size, .. } = self.limit else {
            return lines.len();
        };
        let room = usize::try_from(size.saturating_sub(self.length)).unwrap_or(usize::MAX);
        if room >= lines.len() {
            return lines.len();
        }
        match lines[..room].iter().rposition(|byte| *byte == b'\n') {
            Some(last) => last + 1,
            None if self.length > 0 => 0,
            None => {
                let first = lines.iter().position(|byte| *byte == b'\n');
                first.map_or(lines.len(), |first| first + 1)
            }
        }
    }

    fn begin_file(&mut self) -> io::Result<()> {
        let known = std::mem::take(&mut self.length);
        let length = self.file.metadata()?.len();
        if length < known {
            // Somebody has emptied it.
            self.length = length;
            return Ok(());
        }
        self.file = files::rotate(&self.path, self.limit.files())?;
        self.torn = false;
        Ok(())
    }

    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.torn {
            self.file.write_all(b"\n")?;
            self.torn = false;
        }
        let (arrived, outcome) = write_counted(&mut self.file, lines);
        self.settle(&lines[..arrived]);
        outcome
    }

    /// Cuts off what stands behind the last whole line of what has arrived.
    fn settle(&mut self, arrived: &[u8]) {
        let loose = loose_end(arrived);
        self.torn = loose > 0 && cut_off(&self.file, loose as u64).is_err();
        self.length += (arrived.len() - loose) as u64;
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
    use super::super::entry::LogEntry;
    use super::*;
    use proptest::prelude::*;
    use std::num::NonZeroU16;
    use tempfile::TempDir;

    const TIME: Timestamp = Timestamp::UNIX_EPOCH;

    /// What a line takes in the file besides its own characters, as long as those are plain.
    const FRAME: usize =
        r#"{"log":"\n","stream":"stdout","time":"1970-01-01T00:00:00.000000000Z"}"#.len() + 1;

    fn log(limit: LogLimit) -> (TempDir, PathBuf, LogWriter) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("log");
        let writer = LogWriter::open(&path, limit).expect("the log opens");
        (directory, path, writer)
    }

    fn files_of(size: u64, count: u16) -> LogLimit {
        let count = NonZeroU16::new(count).expect("a number");
        LogLimit::Files { size, count }
    }

    fn add(writer: &mut LogWriter, text: &str) {
        let mut stream = LoggedStream::new(Stream::Stdout);
        writer.add(&mut stream, text.as_bytes(), TIME);
    }

    fn write(writer: &mut LogWriter, text: &str) {
        add(writer, text);
        writer.flush().expect("there is room");
    }

    fn contents(path: &Path) -> Vec<Option<String>> {
        let text = std::fs::read_to_string(path).expect("the log is readable");
        text.lines()
            .map(|line| String::from_utf8(LogEntry::parse(line.as_bytes())?.content).ok())
            .collect()
    }

    fn whole(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_line_that_a_killed_writer_left_in_part_does_not_spoil_the_next() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("log");
        std::fs::write(&path, r#"{"log":"to"#).expect("a torn line");
        let mut writer = LogWriter::open(&path, LogLimit::Unlimited).expect("the log opens");
        write(&mut writer, "one\n");
        write(&mut writer, "two\n");
        assert_eq!(contents(&path), [None, whole("one\n"), whole("two\n")]);
    }

    #[test]
    fn a_full_disk_costs_lines_but_tears_none() {
        let (_directory, path, mut writer) = log(LogLimit::Unlimited);
        add(&mut writer, "one\ntwo\n");
        let collected = writer.batch.bytes().to_vec();
        writer.batch.clear();
        // As if the disk had become full in the middle of the second line.
        let arrived = collected.len() - 5;
        writer.file.write_all(&collected[..arrived]).expect("room");
        writer.settle(&collected[..arrived]);
        write(&mut writer, "three\n");
        assert_eq!(contents(&path), [whole("one\n"), whole("three\n")]);
    }

    #[test]
    fn a_log_that_was_emptied_meanwhile_is_not_filled_with_zeros() {
        let (_directory, path, mut writer) = log(LogLimit::Unlimited);
        write(&mut writer, "one\n");
        std::fs::write(&path, "").expect("the log can be emptied");
        writer.settle(b"torn");
        assert_eq!(std::fs::read(&path).expect("readable"), b"");
    }

    #[test]
    fn a_file_is_as_large_as_it_may_be_and_lines_are_never_torn() {
        let two_lines = 2 * (FRAME + 4) as u64;
        let (_directory, path, mut writer) = log(files_of(two_lines, 3));
        write(&mut writer, "1111\n2222\n3333\n");
        write(&mut writer, "4444\n");
        write(&mut writer, "5555\n6666\n7777\n");
        let file = |suffix: &str| contents(&PathBuf::from(format!("{}{suffix}", path.display())));
        assert_eq!(file(".2"), [whole("3333\n"), whole("4444\n")]);
        assert_eq!(file(".1"), [whole("5555\n"), whole("6666\n")]);
        assert_eq!(file(""), [whole("7777\n")]);
    }

    #[test]
    fn a_line_that_is_larger_than_a_file_has_one_of_its_own() {
        let (_directory, path, mut writer) = log(files_of(1, 2));
        write(&mut writer, "one\ntwo\n");
        assert_eq!(contents(&path), [whole("two\n")]);
        assert_eq!(contents(&path.with_extension("1")), [whole("one\n")]);
    }

    #[test]
    fn an_emptied_file_is_filled_again_before_the_next_begins() {
        let (_directory, path, mut writer) = log(files_of(2 * (FRAME + 4) as u64, 2));
        write(&mut writer, "1111\n2222\n");
        std::fs::write(&path, "").expect("the log can be emptied");
        write(&mut writer, "3333\n4444\n");
        assert_eq!(contents(&path), [whole("3333\n"), whole("4444\n")]);
        assert!(!path.with_extension("1").exists());
    }

    #[test]
    fn where_there_can_be_no_new_file_the_old_one_goes_on() {
        let (_directory, path, mut writer) = log(files_of(1, 2));
        write(&mut writer, "one\n");
        let obstacle = path.with_extension("next");
        std::fs::create_dir(&obstacle).expect("it is free");
        for text in ["two\n", "three\n"] {
            add(&mut writer, text);
            writer.flush().expect_err("the file cannot be made");
        }
        assert_eq!(
            contents(&path),
            [whole("one\n"), whole("two\n"), whole("three\n")]
        );
    }

    #[test]
    fn no_memory_is_kept_after_much_output() {
        let (_directory, _path, mut writer) = log(LogLimit::Unlimited);
        let mut stream = LoggedStream::new(Stream::Stdout);
        writer.add(&mut stream, &vec![0; 1 << 20], TIME);
        writer.flush().expect("there is room");
        writer.rest();
        stream.rest();
        assert_eq!(
            format!("{:?}", writer.batch),
            format!("{:?}", Batch::default())
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_files_together_hold_the_newest_lines(
            lines in prop::collection::vec("[a-z]{0,40}\n", 1..60),
            size in 1_u64..2000,
            count in 1_u16..5,
        ) {
            let (_directory, path, mut writer) = log(files_of(size, count));
            for some in lines.chunks(7) {
                write(&mut writer, &some.concat());
            }
            let mut kept = Vec::new();
            for age in (0..count).rev() {
                let file = match age {
                    0 => path.clone(),
                    age => path.with_extension(age.to_string()),
                };
                if let Ok(status) = file.metadata() {
                    let found = contents(&file);
                    prop_assert!(status.len() <= size || found.len() == 1);
                    kept.extend(found.into_iter().map(|line| line.expect("whole")));
                }
            }
            prop_assert!(!kept.is_empty());
            prop_assert_eq!(&kept[..], &lines[lines.len() - kept.len()..]);
        }
    }
}
