//! Logs, whoever wrote them: reading never fails, and the last lines are the end of all lines.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use minirun_runtime::logs::{Follow, LogQuery, read_log};
use std::io::Cursor;

/// What stands between the files of a log.
const BORDER: u8 = 0x1e;

/// What is read.
fn read(bytes: &[u8], query: LogQuery) -> Vec<Vec<u8>> {
    let mut files: Vec<_> = bytes
        .split(|byte| *byte == BORDER)
        .map(Cursor::new)
        .collect();
    let mut found = Vec::new();
    let mut keep = |entry: &minirun_runtime::log::LogEntry| {
        found.push(entry.content.clone());
        Ok(())
    };
    if let Err(error) = read_log(&mut files, query, &mut keep) {
        panic!("memory can be read: {error}");
    }
    found
}

fuzz_target!(|input: (u8, bool, &[u8])| {
    let (tail, from_then, bytes) = input;
    let query = LogQuery {
        tail: None,
        since: from_then.then_some(Timestamp::UNIX_EPOCH),
        until: None,
        follow: Follow::No,
    };
    let tail = usize::from(tail % 8);
    let all = read(bytes, query);
    let last = read(
        bytes,
        LogQuery {
            tail: Some(tail),
            ..query
        },
    );
    assert_eq!(last, all[all.len().saturating_sub(tail)..]);
});
