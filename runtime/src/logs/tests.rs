use super::*;
use crate::log::{LogWriter, LoggedStream, Stream};
use crate::log_options::LogLimit;
use proptest::prelude::*;
use std::io::Cursor;
use std::num::NonZeroU16;
use std::path::Path;

const ALL: LogQuery = LogQuery {
    tail: None,
    since: None,
    until: None,
    follow: Follow::No,
};

fn last(lines: usize) -> LogQuery {
    LogQuery {
        tail: Some(lines),
        ..ALL
    }
}

fn moment(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn line(text: &str, second: i64) -> String {
    format!(
        "{{\"log\":\"{text}\\n\",\"stream\":\"stdout\",\"time\":\"{}\"}}\n",
        moment(second)
    )
}

/// What is read, without ends of lines, and how many lines were damaged.
fn read(files: &[&str], query: LogQuery) -> (Vec<String>, usize) {
    let mut files: Vec<_> = files
        .iter()
        .map(|text| Cursor::new(text.as_bytes()))
        .collect();
    let mut found = Vec::new();
    let damaged = read_log(&mut files, query, &mut |entry| {
        let text = String::from_utf8_lossy(&entry.content);
        found.push(text.trim_end().to_owned());
        Ok(())
    });
    (found, damaged.expect("memory can be read"))
}

#[test]
fn damaged_lines_are_counted_and_do_not_end_the_reading() {
    let text = format!("{}{{\"log\":\"to\n{}{{\"lo", line("one", 1), line("two", 2));
    let (found, damaged) = read(&[&text], ALL);
    assert_eq!(found, ["one", "two"]);
    assert_eq!(damaged, 1, "a line without an end may still get one");
}

#[test]
fn the_last_lines_are_found_across_files_and_past_damage() {
    let older = line("one", 1) + &line("two", 2);
    let newer = format!("{}damaged\n\n{}torn", line("three", 3), line("four", 4));
    for (lines, expected) in [
        (0, &[][..]),
        (1, &["four"]),
        (2, &["three", "four"]),
        (3, &["two", "three", "four"]),
        (9, &["one", "two", "three", "four"]),
    ] {
        assert_eq!(read(&[&older, &newer], last(lines)).0, expected, "{lines}");
    }
}

#[test]
fn the_last_lines_are_those_of_the_time_that_was_asked_for() {
    let text: String = (1..=9)
        .map(|second| line(&second.to_string(), second))
        .collect();
    let query = LogQuery {
        since: Some(moment(3)),
        until: Some(moment(6)),
        ..last(2)
    };
    assert_eq!(read(&[&text], query).0, ["5", "6"]);
    assert_eq!(
        read(
            &[&text],
            LogQuery {
                tail: None,
                ..query
            }
        )
        .0,
        ["3", "4", "5", "6"]
    );
    assert_eq!(
        read(
            &[&text],
            LogQuery {
                tail: Some(9),
                ..query
            }
        )
        .0,
        ["3", "4", "5", "6"]
    );
}

#[test]
fn a_line_of_any_length_is_passed_over_in_little_memory() {
    let endless = format!(
        "{}{}\n{}",
        line("one", 1),
        "x".repeat(4 << 20),
        line("two", 2)
    );
    assert_eq!(
        read(&[&endless], ALL),
        (vec!["one".into(), "two".into()], 1)
    );
    assert_eq!(read(&[&endless], last(2)).0, ["one", "two"]);
    let mut lines = LineReader::new(endless.as_bytes());
    while lines.next().expect("memory can be read").is_some() {}
    assert!(lines.memory() <= 2 * crate::log::LONGEST_ENTRY);
}

/// Notes what it is given, and lets something happen before and between.
struct Notes<'a> {
    texts: Vec<String>,
    before_each: Box<dyn FnMut(usize) + 'a>,
}

impl LogSink for Notes<'_> {
    fn entry(&mut self, entry: &LogEntry) -> io::Result<()> {
        (self.before_each)(self.texts.len());
        let text = String::from_utf8_lossy(&entry.content);
        self.texts.push(text.trim_end().to_owned());
        Ok(())
    }

    fn pause(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Log {
    directory: tempfile::TempDir,
    writer: LogWriter,
    stream: LoggedStream,
    count: u16,
}

impl Log {
    fn new(size: u64, count: u16) -> Log {
        let directory = tempfile::tempdir().expect("a directory");
        let limit = LogLimit::Files {
            size,
            count: NonZeroU16::new(count).expect("a number"),
        };
        let writer = LogWriter::open(&directory.path().join("log"), limit).expect("it opens");
        Log {
            writer,
            directory,
            count,
            stream: LoggedStream::new(Stream::Stdout),
        }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn write(&mut self, texts: impl IntoIterator<Item = impl AsRef<str>>) {
        for text in texts {
            let line = format!("{}\n", text.as_ref());
            self.writer
                .add(&mut self.stream, line.as_bytes(), moment(1));
            self.writer.flush().expect("there is room");
        }
    }

    fn follower(&self, query: LogQuery) -> Follower {
        Follower::open(self.path().join("log"), self.count, query).expect("readable")
    }
}

fn read_on(follower: &mut Follower) -> Vec<String> {
    let mut notes = Notes {
        texts: Vec::new(),
        before_each: Box::new(|_| ()),
    };
    follower.read_on(&mut notes).expect("readable");
    notes.texts
}

#[test]
fn several_files_between_two_looks_lose_and_repeat_nothing() {
    // One line a file.
    let mut log = Log::new(1, 5);
    let mut follower = log.follower(ALL);
    assert!(read_on(&mut follower).is_empty());
    log.write(["1", "2"]);
    assert_eq!(read_on(&mut follower), ["1", "2"]);
    log.write(["3", "4", "5"]);
    assert_eq!(read_on(&mut follower), ["3", "4", "5"]);
    assert!(read_on(&mut follower).is_empty());
    log.write(["6"]);
    assert_eq!(read_on(&mut follower), ["6"]);
    assert_eq!(follower.left_out(), LeftOut::default());
}

#[test]
fn what_went_before_it_could_be_read_is_told() {
    let mut log = Log::new(1, 3);
    log.write(["1"]);
    let mut follower = log.follower(ALL);
    assert_eq!(read_on(&mut follower), ["1"]);
    log.write(["2", "3", "4", "5"]);
    assert_eq!(read_on(&mut follower), ["3", "4", "5"]);
    assert!(follower.left_out().missed);
}

#[test]
fn files_that_go_while_they_are_read_are_read_to_their_end() {
    let mut log = Log::new(1, 3);
    log.write(["1", "2", "3"]);
    let mut follower = log.follower(ALL);
    let mut more = ["4", "5", "6"].into_iter();
    let mut notes = Notes {
        texts: Vec::new(),
        before_each: Box::new(|_| log.write(more.next())),
    };
    follower.read_on(&mut notes).expect("readable");
    assert_eq!(notes.texts, ["1", "2", "3", "4", "5", "6"]);
}

#[test]
fn a_log_that_was_emptied_is_read_from_its_beginning() {
    let mut log = Log::new(1 << 20, 3);
    log.write(["1", "2"]);
    let mut follower = log.follower(ALL);
    assert_eq!(read_on(&mut follower), ["1", "2"]);
    std::fs::write(log.path().join("log"), "").expect("it can be emptied");
    assert!(read_on(&mut follower).is_empty());
    log.write(["3"]);
    assert_eq!(read_on(&mut follower), ["3"]);
}

#[test]
fn only_the_last_lines_and_what_comes_later_can_be_followed() {
    let mut log = Log::new(1, 3);
    log.write(["1", "2", "3"]);
    let mut follower = log.follower(last(2));
    log.write(["4"]);
    assert_eq!(read_on(&mut follower), ["2", "3", "4"]);
    let mut follower = log.follower(last(0));
    log.write(["5"]);
    assert_eq!(read_on(&mut follower), ["5"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_last_lines_are_the_end_of_all_lines(
        files in prop::collection::vec(
            prop::collection::vec(
                prop_oneof![
                    4 => ("[a-z]{0,200}", 1_i64..9).prop_map(|(text, second)| line(&text, second)),
                    1 => "\\PC{0,30}\n?",
                    1 => (0_usize..150_000).prop_map(|length| "y".repeat(length)),
                ],
                0..12,
            ),
            0..4,
        ),
        tail in 0_usize..20,
        since in prop::option::of(1_i64..9),
        until in prop::option::of(1_i64..9),
    ) {
        let files: Vec<String> = files.into_iter().map(|lines| lines.concat()).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let query = LogQuery {
            since: since.map(moment),
            until: until.map(moment),
            ..ALL
        };
        let (all, _) = read(&files, query);
        let (found, _) = read(&files, LogQuery { tail: Some(tail), ..query });
        prop_assert_eq!(&found[..], &all[all.len().saturating_sub(tail)..]);
    }

    #[test]
    fn no_bytes_make_the_reader_fail(
        bytes: Vec<u8>,
        tail in prop::option::of(0_usize..4),
    ) {
        let mut files = [Cursor::new(bytes)];
        read_log(&mut files, LogQuery { tail, ..ALL }, &mut |_| Ok(())).expect("memory can be read");
    }
}
