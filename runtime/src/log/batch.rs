//! Lines of output on their way into the log, encoded one after the other in one piece of memory.
//!
//! This is the hot path of a container that writes much: a line costs no allocation, what is the same for all lines of a
//! piece is made once ([`Ending`]), and plain characters are recognised and copied a block at a time.

use super::Stream;
use super::base64;
use jiff::Timestamp;
use std::fmt::Write;
use std::ops::Range;

/// How many bytes are looked at together.
const BLOCK: usize = 16;

/// What a byte of text becomes at most, as `\u001b`.
const LONGEST_ESCAPE: usize = 6;

const TEXT: &[u8] = br#"{"log":""#;
const BYTES: &[u8] = br#"{"base64":""#;

/// What stands behind the content of a line.
#[derive(Debug)]
pub(super) struct Ending(String);

impl Ending {
    /// That of all lines which were read from a stream at one moment.
    pub(super) fn new(stream: Stream, time: Timestamp) -> Ending {
        let mut text = String::with_capacity(80);
        // Writing into memory cannot fail.
        let _ = writeln!(
            text,
            r#"","stream":"{}","time":"{time:.9}"}}"#,
            stream.word()
        );
        Ending(text)
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
        let room = BYTES.len() + longest + ending.0.len();
        if self.memory.len() - self.filled < room {
            self.grow(self.filled + room);
        }
        let begin = self.filled;
        self.put(TEXT);
        let is_text = line.is_ascii() || std::str::from_utf8(line).is_ok();
        if !(is_text && self.put_escaped(line)) {
            self.filled = begin;
            self.put(BYTES);
            let length = base64::encoded_length(line.len());
            let place = self.take(length);
            base64::encode(line, &mut self.memory[place]);
        }
        self.put(ending.0.as_bytes());
    }

    /// Makes room for as many bytes. Of a large piece of memory, what is never written to costs nothing, so there may be
    /// room for the longest line that can be.
    fn grow(&mut self, length: usize) {
        let mut memory = vec![0; length.max(2 * self.memory.len())];
        memory[..self.filled].copy_from_slice(self.bytes());
        self.memory = memory;
    }

    fn put(&mut self, bytes: &[u8]) {
        let place = self.take(bytes.len());
        self.memory[place].copy_from_slice(bytes);
    }

    fn take(&mut self, length: usize) -> Range<usize> {
        let begin = self.filled;
        self.filled += length;
        begin..self.filled
    }

    /// Adds UTF-8 as what stands between the quotes of a JSON string. Says false, having done some of it, if there is a NUL:
    /// what holds those is no text to anybody, and would become six times as long.
    fn put_escaped(&mut self, mut text: &[u8]) -> bool {
        while let Some((block, rest)) = text.split_first_chunk::<BLOCK>() {
            let plain = self.put_block(block);
            if plain == BLOCK {
                text = rest;
                continue;
            }
            if !self.put_escape(block[plain]) {
                return false;
            }
            text = &text[plain + 1..];
        }
        while !text.is_empty() {
            let mut block = [b' '; BLOCK];
            block[..text.len()].copy_from_slice(text);
            let plain = self.put_block(&block);
            let Some(special) = text.get(plain) else {
                self.filled -= plain - text.len();
                break;
            };
            if !self.put_escape(*special) {
                return false;
            }
            text = &text[plain + 1..];
        }
        true
    }

    /// Adds the characters of a block up to the first that does not stand for itself, and says how many those are.
    fn put_block(&mut self, block: &[u8; BLOCK]) -> usize {
        // All are copied, whatever they are: there is room, and those that do not belong are written over.
        let begin = self.filled;
        self.memory[begin..begin + BLOCK].copy_from_slice(block);
        let all_plain = block.iter().fold(true, |all, byte| all & is_plain(*byte));
        let plain = if all_plain {
            BLOCK
        } else {
            plain_prefix(block)
        };
        self.filled += plain;
        plain
    }

    /// Adds a character that does not stand for itself; says false if it is NUL.
    fn put_escape(&mut self, character: u8) -> bool {
        let escape = match character {
            0 => return false,
            b'\n' => br"\n",
            b'"' => br#"\""#,
            b'\\' => br"\\",
            b'\t' => br"\t",
            b'\r' => br"\r",
            control => {
                let hexadecimal = |digit: u8| b"0123456789abcdef"[usize::from(digit)];
                self.put(br"\u00");
                self.put(&[hexadecimal(control >> 4), hexadecimal(control & 15)]);
                return true;
            }
        };
        self.put(escape);
        true
    }
}

/// Whether a byte of UTF-8 stands for itself in a JSON string (RFC 8259, section 7).
fn is_plain(byte: u8) -> bool {
    // Not `&&`: what is computed without branches is computed for a whole block at once.
    (byte >= b' ') & (byte != b'"') & (byte != b'\\')
}

/// How many bytes at the beginning of a block stand for themselves. Eight are computed with at once: a byte below some value
/// borrows from its highest bit when that value is taken away, and what it borrows from its neighbour matters only behind it.
fn plain_prefix(block: &[u8; BLOCK]) -> usize {
    const EACH: u64 = u64::MAX / 0xff;
    let below =
        |word: u64, value: u8| word.wrapping_sub(EACH * u64::from(value)) & !word & (EACH * 0x80);
    let equal = |word: u64, value: u8| below(word ^ (EACH * u64::from(value)), 1);
    let (words, _) = block.as_chunks::<8>();
    let mut before = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let special = below(word, b' ') | equal(word, b'"') | equal(word, b'\\');
        if special != 0 {
            return before + special.trailing_zeros() as usize / 8;
        }
        before += 8;
    }
    before
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
            let expected = block.iter().position(|byte| !is_plain(*byte));
            prop_assert_eq!(plain_prefix(&block), expected.unwrap_or(BLOCK));
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
