//! Cutting a stream into lines.

use std::io::BufRead;

/// A line longer than this is split, so that the monitor's memory stays small.
pub(super) const LONGEST_LINE: usize = 16 * 1024;

/// Cuts a stream into lines. It keeps a copy of the line that has no end yet, and of no other.
#[derive(Debug, Default)]
pub(super) struct LineSplitter {
    unfinished: Vec<u8>,
}

impl LineSplitter {
    /// Takes a piece of the stream and hands every line that is complete now to `line`.
    pub(super) fn push(&mut self, mut piece: &[u8], mut line: impl FnMut(&[u8])) {
        while !piece.is_empty() {
            let room = LONGEST_LINE.saturating_sub(self.unfinished.len());
            let near = &piece[..piece.len().min(room)];
            let length = through_newline(near);
            let ended = near[..length].ends_with(b"\n");
            let taken = if self.unfinished.is_empty() && (ended || length == LONGEST_LINE) {
                let whole = if ended {
                    length
                } else {
                    whole_characters(near)
                };
                line(&near[..whole]);
                whole
            } else {
                self.unfinished.extend_from_slice(&near[..length]);
                if ended || self.unfinished.len() >= LONGEST_LINE {
                    self.hand_over(&mut line);
                }
                length
            };
            piece = &piece[taken..];
        }
    }

    /// Hands over what is left when the stream has ended.
    pub(super) fn finish(&mut self, mut line: impl FnMut(&[u8])) {
        if !self.unfinished.is_empty() {
            line(&self.unfinished);
            self.unfinished = Vec::new();
        }
    }

    /// Gives back the memory that it does not need now.
    pub(super) fn rest(&mut self) {
        self.unfinished.shrink_to_fit();
    }

    /// Hands over the line that was put together from several pieces, or as much of it as is no torn character.
    fn hand_over(&mut self, line: &mut impl FnMut(&[u8])) {
        let cut = match self.unfinished.last() {
            Some(b'\n') => self.unfinished.len(),
            _ => whole_characters(&self.unfinished),
        };
        line(&self.unfinished[..cut]);
        self.unfinished.drain(..cut);
    }
}

/// How many bytes there are up to the end of the first line, or at all if it has none.
fn through_newline(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    // Reading from memory cannot fail.
    rest.skip_until(b'\n').unwrap_or(bytes.len())
}

/// How many bytes from the beginning hold no unfinished character at their end: torn in two, both halves would stop being
/// text.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => error.valid_up_to(),
        _ => bytes.len(),
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
    fn lines_are_put_together_from_pieces_and_the_last_needs_no_end() {
        assert_eq!(
            split(&[b"one\ntw", b"o\n", b"three"]),
            [&b"one\n"[..], b"two\n", b"three"]
        );
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let text = format!("a{}", "\u{fc}".repeat(LONGEST_LINE));
        for pieces in [
            &[text.as_bytes()][..],
            &[&text.as_bytes()[..7], &text.as_bytes()[7..]],
        ] {
            let lines = split(pieces);
            assert_eq!(lines.len(), 3);
            assert!(lines.iter().all(|line| line.len() <= LONGEST_LINE));
            assert!(lines.iter().all(|line| std::str::from_utf8(line).is_ok()));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_byte_is_lost_or_added_and_every_line_but_a_long_one_has_its_end(
            pieces in prop::collection::vec(
                prop::collection::vec(prop_oneof![9 => any::<u8>(), 1 => Just(b'\n')], 0..20_000), 0..4)
        ) {
            let borrowed: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let lines = split(&borrowed);
            prop_assert_eq!(lines.concat(), pieces.concat());
            for line in &lines {
                prop_assert!(!line.is_empty() && line.len() <= LONGEST_LINE);
                prop_assert!(!line[..line.len() - 1].contains(&b'\n'));
            }
        }
    }
}
