//! One line of a log, read back.

use super::{Stream, base64};
use jiff::Timestamp;
use serde::Deserialize;
use std::borrow::Cow;

/// One line that a program wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// What the program wrote, byte for byte.
    pub content: Vec<u8>,
    /// Where it was written.
    pub stream: Stream,
    /// When it was read, in UTC.
    pub time: Timestamp,
}

/// What stands in the file; keys of others are passed over.
#[derive(Deserialize)]
struct Document<'text> {
    #[serde(borrow, default)]
    log: Option<Cow<'text, str>>,
    #[serde(borrow, default)]
    base64: Option<Cow<'text, str>>,
    stream: Stream,
    time: Timestamp,
}

impl LogEntry {
    /// Reads a line of a log; none if it is damaged.
    pub fn parse(line: &[u8]) -> Option<LogEntry> {
        let document: Document = serde_json::from_slice(line).ok()?;
        let content = match (document.log, document.base64) {
            (Some(text), _) => text.into_owned().into_bytes(),
            (None, Some(text)) => base64::decode(&text)?,
            (None, None) => return None,
        };
        Some(LogEntry {
            content,
            stream: document.stream,
            time: document.time,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_docker_wrote_is_read_and_what_is_damaged_is_not() {
        let entry = LogEntry::parse(
            br#"{"log":"h\u00fc\u003c\n","stream":"stderr","attrs":{"a":"b"},"time":"2026-01-02T03:04:05Z"}"#,
        )
        .expect("a line");
        assert_eq!(entry.content, "h\u{fc}<\n".as_bytes());
        assert_eq!(entry.stream, Stream::Stderr);
        for damaged in [
            &b""[..],
            b"\n",
            b"null",
            br#"{"log":"to"#,
            br#"{"stream":"stdout","time":"2026-01-02T03:04:05Z"}"#,
            br#"{"base64":"?","stream":"stdout","time":"2026-01-02T03:04:05Z"}"#,
            br#"{"log":"a","stream":"stdlog","time":"2026-01-02T03:04:05Z"}"#,
            br#"{"log":"a","stream":"stdout","time":"yesterday"}"#,
            b"{\"log\":\"\xff\",\"stream\":\"stdout\",\"time\":\"2026-01-02T03:04:05Z\"}",
        ] {
            assert_eq!(LogEntry::parse(damaged), None, "{damaged:?}");
        }
    }
}
