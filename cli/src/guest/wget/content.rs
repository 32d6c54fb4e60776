//! The content of an answer, with its framing taken off (RFC 9112, sections 6 and 7).

use std::io::{self, BufRead, Read};

use crate::guest::http::{Head, HeadError, read_line};
use crate::guest::program::Failure;
use crate::guest::reason::reason;

/// The longest line between chunks, and the most of fields behind them, in bytes.
const LONGEST_CHUNK_LINE: usize = 4 * 1024;

/// How the end of the content is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// So many bytes are still to come.
    Length(u64),
    /// So many bytes of this chunk are still to come, then the next chunk.
    Chunk(u64),
    /// A chunk's line is next.
    ChunkLine,
    /// It lasts as long as the connection.
    UntilClosed,
    /// There is no more.
    Ended,
}

/// Content that is being read.
pub struct Content<R> {
    reader: R,
    framing: Framing,
    label: String,
}

impl Framing {
    /// The framing that a head announces; nothing if its length is no number.
    pub fn of(status: u16, head: &Head) -> Option<Self> {
        if matches!(status, 204 | 304) {
            return Some(Self::Length(0));
        }
        if head.lists("transfer-encoding", "chunked") {
            return Some(Self::ChunkLine);
        }
        match head.field("content-length") {
            None => Some(Self::UntilClosed),
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().map(Self::Length)
            }
            Some(_) => None,
        }
    }
}

impl<R: BufRead> Content<R> {
    /// Content that comes from `reader`; `label` names the server in messages.
    pub fn new(reader: R, framing: Framing, label: &str) -> Self {
        let label = label.to_owned();
        Self {
            reader,
            framing,
            label,
        }
    }

    /// Reads the next bytes; 0 at the end of the content.
    ///
    /// # Errors
    ///
    /// If the connection breaks, nothing comes in time, or the content ends before it is complete.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        if self.framing == Framing::ChunkLine {
            self.framing = self.next_chunk()?;
        }
        let (Framing::Length(left) | Framing::Chunk(left)) = self.framing else {
            return match self.framing {
                Framing::UntilClosed => self.read_at_most(buffer, u64::MAX),
                _ => Ok(0),
            };
        };
        if left == 0 {
            return Ok(0);
        }
        let count = self.read_at_most(buffer, left)?;
        if count == 0 {
            return Err(self.incomplete(&format!("{left} bytes are missing")));
        }
        let left = left - count as u64;
        self.framing = match self.framing {
            Framing::Chunk(_) if left == 0 => self.end_chunk()?,
            Framing::Chunk(_) => Framing::Chunk(left),
            _ => Framing::Length(left),
        };
        Ok(count)
    }

    fn read_at_most(&mut self, buffer: &mut [u8], most: u64) -> Result<usize, Failure> {
        let mut limited = self.reader.by_ref().take(most);
        loop {
            match limited.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.incomplete(&explain_read(&error))),
                Ok(count) => return Ok(count),
            }
        }
    }

    /// Reads the line before a chunk; the last chunk is empty and may be followed by fields, which nobody here needs.
    fn next_chunk(&mut self) -> Result<Framing, Failure> {
        let line = self.line()?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let is_number = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u64::from_str_radix(digits, 16) {
            Ok(0) if is_number => {
                let mut room = LONGEST_CHUNK_LINE;
                while !self.line_within(&mut room)?.is_empty() {}
                Ok(Framing::Ended)
            }
            Ok(size) if is_number => Ok(Framing::Chunk(size)),
            _ => Err(self.incomplete("a chunk has no size")),
        }
    }

    fn end_chunk(&mut self) -> Result<Framing, Failure> {
        match self.line()?.is_empty() {
            true => Ok(Framing::ChunkLine),
            false => Err(self.incomplete("a chunk does not end where it should")),
        }
    }

    fn line(&mut self) -> Result<String, Failure> {
        self.line_within(&mut { LONGEST_CHUNK_LINE })
    }

    fn line_within(&mut self, room: &mut usize) -> Result<String, Failure> {
        let problem = match read_line(&mut self.reader, room) {
            Ok(Some(line)) => return Ok(line),
            Ok(None) | Err(HeadError::Truncated) => "it closed the connection".to_owned(),
            Err(HeadError::Read(error)) => explain_read(&error),
            Err(HeadError::TooLong | HeadError::Malformed) => "a chunk has no size".to_owned(),
        };
        Err(self.incomplete(&problem))
    }

    fn incomplete(&self, problem: &str) -> Failure {
        let label = &self.label;
        Failure::new(format!("the answer of {label} is not complete: {problem}"))
    }
}

/// Why reading failed; the kernel reports a time-out as if the socket were one that never waits.
pub fn explain_read(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            "it is silent for too long".to_owned()
        }
        _ => reason(error),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_all(bytes: &[u8], framing: Framing) -> Result<Vec<u8>, Failure> {
        let mut content = Content::new(bytes, framing, "web:80");
        let mut result = Vec::new();
        let mut buffer = [0; 3];
        loop {
            match content.read(&mut buffer)? {
                0 => return Ok(result),
                count => result.extend(&buffer[..count]),
            }
        }
    }

    #[test]
    fn a_chunk_that_is_cut_or_has_no_size_is_told() {
        for (bytes, problem) in [
            ("", "it closed the connection"),
            ("5\r\nhel", "2 bytes are missing"),
            ("5\r\nhelloX\r\n", "a chunk does not end where it should"),
            ("5\r\nhello\r\n", "it closed the connection"),
            ("5\r\nhello\r\n0\r\n", "it closed the connection"),
            ("\r\n", "a chunk has no size"),
            ("+5\r\nhello\r\n", "a chunk has no size"),
            ("ffffffffffffffffff\r\n", "a chunk has no size"),
        ] {
            let message = format!("the answer of web:80 is not complete: {problem}");
            let error = read_all(bytes.as_bytes(), Framing::ChunkLine).unwrap_err();
            assert_eq!(error, Failure::new(message), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn chunks_join_to_what_was_cut(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 0..10)) {
            let mut bytes = Vec::new();
            for part in &parts {
                bytes.extend(format!("{:X}\r\n", part.len()).bytes());
                bytes.extend(part);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\n\r\n");
            prop_assert_eq!(read_all(&bytes, Framing::ChunkLine).unwrap(), parts.concat());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
            let _ = read_all(&bytes, Framing::ChunkLine);
            prop_assert_eq!(read_all(&bytes, Framing::UntilClosed).unwrap(), bytes);
        }
    }
}
