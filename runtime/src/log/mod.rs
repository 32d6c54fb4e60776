//! The log of a container: one JSON object a line, as Docker's `json-file` driver writes it, so that `jq` reads it.
//!
//! `{"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.678901234Z"}`. Output that is no text, because it is not
//! UTF-8 or holds a NUL, is kept byte for byte, as `"base64":"…"` in place of `"log"`; `jq` shows both with
//! `.log // (.base64 | @base64d)`.
//!
//! A stream is cut into `lines`, those are encoded into a `batch`, and the `writer` appends that to the newest of the log's
//! `files`. Every line of a file is whole: what a full disk lets through only in part is cut off again, and what a killed
//! monitor left in part is ended before anything is added.

mod base64;
mod batch;
mod entry;
pub(crate) mod files;
mod lines;
mod writer;

pub use entry::LogEntry;
use serde::Deserialize;
pub use writer::{LogWriter, LoggedStream};

/// The longest line of a log that is read, in bytes: the longest that is written, with every byte escaped, and what stands
/// around it, and some room for what others would write there.
pub(crate) const LONGEST_ENTRY: usize = 8 * lines::LONGEST_LINE;

/// Which of its two streams a program wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// The word for it in a log.
    fn word(self) -> &'static str {
        match self {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        }
    }
}
