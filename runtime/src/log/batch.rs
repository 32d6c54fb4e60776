//! Lines of output on their way into the log, encoded one after the other in one piece of memory.
//!
//! This is the hot path of a container that writes much: a line costs no allocation, what is the same for all lines of a
//! piece is made once ([`Ending`]), and plain characters are recognised and copied a block at a time.

use super::Stream;
use super::base64;
use jiff::Timestamp;
use std::fmt::Write;

/// How many bytes are looked at together.
const BLOCK: usize = 16;

/// What a byte of text becomes at most, as `\u001b`.
const LONGEST_ESCAPE: usize = 6;

const TEXT: &[u8] = br#"{"log":""#;
const BYTES: &[u8] = br#"{"base64":""#;

/// What stands behind the content of a line, and in front of that the end of a line.
#[derive(Debug)]
pub(super) struct Ending(String);

impl Ending {
    /// That of all lines which were read from a stream at one moment.
    pub(super) fn new(stream: Stream, time: Timestamp) -> Ending {
        let mut text = String::with_capacity(80);
        // Writing into memory cannot fail.
        let _ = writeln!(
            text,
            r#"\n","stream":"{}","time":"{time:.9}"}}"#,
            stream.word()
        );
        Ending(text)
    }

    fn of_ended_line(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn of_unended_line(&self) -> &[u8] {
        &self.0.as_bytes()[br"\n".len()..]
    }
}

/// Encoded lines, all of them whole.
#[derive(Debug, Default)]
pub(super) struct Batch {
    memory: Vec<u8>,
    filled: usize,
}

impl Batch {
    /// The lines.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.memory[..self.filled]
    }

    /// Forgets the lines, but keeps the memory.
    pub(super) fn clear(&mut self) {
        self.filled = 0;
    }

    /// Gives back all memory. There must be no lines.
    pub(super) fn rest(&mut self) {
        if self.filled == 0 {
            self.memory = Vec::new();
        }
    }

    /// Adds a line of output.
    pub(super) fn add(&mut self, line: &[u8], ending: &Ending) {
        let longest = line.len().saturating_mul(LONGEST_ESCAPE) + BLOCK;
        let room = BYTES.len() + longest + ending.of_ended_line().len();
        if self.memory.len() - self.filled < room {
            self.grow(self.filled + room);
        }
        let (text, ending_of_text) = match line {
            [text @ .., b'\n'] => (text, ending.of_ended_line()),
            text => (text, ending.of_unended_line()),
        };
        let begin = self.filled;
        self.put(TEXT);
        match escape(text, &mut self.memory[self.filled..]) {
            Some(length) => {
                self.filled += length;
                self.put(ending_of_text);
            }
            None => {
                self.filled = begin;
                self.put(BYTES);
                let length = base64::encoded_length(line.len());
                let place = self.filled..self.filled + length;
                base64::encode(line, &mut self.memory[place]);
                self.filled += length;
                self.put(ending.of_unended_line());
            }
        }
    }

    /// Makes room for as many bytes. Of a large piece of memory, what is never written to costs nothing, so there may be
    /// room for the longest line that can be.
    fn grow(&mut self, length: usize) {
        let mut memory = vec![0; length.max(2 * self.memory.len())];
        memory[..self.filled].copy_from_slice(self.bytes());
        self.memory = memory;
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.memory[self.filled..self.filled + bytes.len()].copy_from_slice(bytes);
        self.filled += bytes.len();
    }
}

/// Writes text as what stands between the quotes of a JSON string, and says how long that is; none if it is no text, because
/// it is not UTF-8 or holds a NUL, which is no character to anybody and would become six times as long. There must be room
/// for each byte escaped and one block more.
fn escape(text: &[u8], to: &mut [u8]) -> Option<usize> {
    std::str::from_utf8(text).ok()?;
    let mut at = 0;
    let mut rest = text;
    while let Some((block, behind)) = rest.split_first_chunk::<BLOCK>() {
        // All are copied, whatever they are: there is room, and those that do not belong are written over.
        to[at..at + BLOCK].copy_from_slice(block);
        if block.iter().fold(true, |all, byte| all & is_plain(*byte)) {
            at += BLOCK;
            rest = behind;
            continue;
        }
        let plain = plain_prefix(block);
        at += plain;
        at += put_escape(block[plain], &mut to[at..])?;
        rest = &rest[plain + 1..];
    }
    for byte in rest {
        if is_plain(*byte) {
            to[at] = *byte;
            at += 1;
        } else {
            at += put_escape(*byte, &mut to[at..])?;
        }
    }
    Some(at)
}

/// Writes a character that does not stand for itself, and says how long it has become; none if it is NUL.
fn put_escape(character: u8, to: &mut [u8]) -> Option<usize> {
    let short = match character {
        0 => return None,
        b'\n' => b'n',
        b'\t' => b't',
        b'\r' => b'r',
        b'"' | b'\\' => character,
        control => {
            let hexadecimal = |digit: u8| b"0123456789abcdef"[usize::from(digit)];
            to[..4].copy_from_slice(br"\u00");
            to[4] = hexadecimal(control >> 4);
            to[5] = hexadecimal(control & 15);
            return Some(LONGEST_ESCAPE);
        }
    };
    to[..2].copy_from_slice(&[b'\\', short]);
    Some(2)
}

/// Whether a byte of UTF-8 stands for itself in a JSON string (RFC 8259, section 7).
fn is_plain(byte: u8) -> bool {
    // Not `&&`: what is computed without branches is computed for a whole block at once.
    (byte >= b' ') & (byte != b'"') & (byte != b'\\')
}

/// How many bytes at the beginning of a block stand for themselves, which are not all. Eight are computed with at once: a byte
/// below some value borrows from its highest bit when that value is taken away, and what it borrows from its neighbour
/// matters only behind it.
fn plain_prefix(block: &[u8; BLOCK]) -> usize {
    const EACH: u64 = u64::MAX / 0xff;
    let below =
        |word: u64, value: u8| word.wrapping_sub(EACH * u64::from(value)) & !word & (EACH * 0x80);
    let equal = |word: u64, value: u8| below(word ^ (EACH * u64::from(value)), 1);
    let special = |word: [u8; 8]| {
        let word = u64::from_le_bytes(word);
        below(word, b' ') | equal(word, b'"') | equal(word, b'\\')
    };
    let (words, _) = block.as_chunks::<8>();
    match special(words[0]) {
        0 => 8 + special(words[1]).trailing_zeros() as usize / 8,
        special => special.trailing_zeros() as usize / 8,
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::LogEntry;
    use super::*;
    use proptest::prelude::*;

    fn encoded(line: &[u8]) -> String {
        let mut batch = Batch::default();
        let time = "2026-01-02T03:04:05.000000006Z".parse().expect("a time");
        batch.add(line, &Ending::new(Stream::Stdout, time));
        String::from_utf8(batch.bytes().to_vec()).expect("JSON is UTF-8")
    }

    #[test]
    fn a_line_reads_as_dockers_does() {
        assert_eq!(
            encoded("say \"h\u{fc}\"\t\x1b[0m\\\n".as_bytes()),
            concat!(
                r#"{"log":"say \"hü\"\t\u001b[0m\\\n","#,
                r#""stream":"stdout","time":"2026-01-02T03:04:05.000000006Z"}"#,
                "\n"
            )
        );
    }

    #[test]
    fn what_is_no_text_is_base64() {
        for (line, expected) in [(&b"\xff\n"[..], "/wo="), (b"tar\0\0\0", "dGFyAAAA")] {
            let text = encoded(line);
            assert!(
                text.starts_with(&format!(r#"{{"base64":"{expected}","stream""#)),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn bytes_that_stand_for_themselves_are_counted_right(
            block in prop::array::uniform16(prop_oneof![any::<u8>(), Just(b'a'), 0x1d_u8..0x24, 0x5a_u8..0x5e])
        ) {
            if let Some(special) = block.iter().position(|byte| !is_plain(*byte)) {
                prop_assert_eq!(plain_prefix(&block), special);
            }
        }

        #[test]
        fn every_line_is_json_and_comes_back_as_it_was(
            line in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..100),
                "(\\PC|[\\x00-\\x1f\"\\\\]){0,100}".prop_map(String::into_bytes),
                "[a-z\"]{0,100}\n".prop_map(String::into_bytes),
            ],
            nanosecond in 0..i64::MAX,
        ) {
            let time = Timestamp::from_nanosecond(nanosecond.into()).expect("in range");
            let mut batch = Batch::default();
            batch.add(b"before\n", &Ending::new(Stream::Stdout, time));
            let before = batch.bytes().len();
            batch.add(&line, &Ending::new(Stream::Stderr, time));
            let text = &batch.bytes()[before..];
            prop_assert_eq!(text.iter().position(|byte| *byte == b'\n'), Some(text.len() - 1));
            let value: serde_json::Value = serde_json::from_slice(text).expect("JSON");
            prop_assert_eq!(&value["stream"], "stderr");
            let entry = LogEntry::parse(text).expect("what was written");
            prop_assert_eq!((entry.content.as_slice(), entry.time), (line.as_slice(), time));
        }
    }
}
