//! The keys by which a user leaves a terminal while its program goes on, and finding them among what is typed.

use std::fmt;
use std::str::FromStr;

/// What follows `ctrl-` besides letters, in the order of the codes.
const SIGNS: &str = "[\\]^_";

/// The keys, in the order in which they are to be pressed; with none, there is no way to detach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetachKeys(Vec<u8>);

/// A word that names no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKey(String);

impl fmt::Display for UnknownKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "`{}` is no key: use single characters and `ctrl-a` … `ctrl-z`, with commas between them",
            self.0
        )
    }
}

impl std::error::Error for UnknownKey {}

impl Default for DetachKeys {
    fn default() -> DetachKeys {
        DetachKeys(vec![0x10, 0x11])
    }
}

impl FromStr for DetachKeys {
    type Err = UnknownKey;

    fn from_str(text: &str) -> Result<DetachKeys, UnknownKey> {
        if text.is_empty() {
            return Ok(DetachKeys(Vec::new()));
        }
        let keys = text.split(',').map(|word| {
            let unknown = || UnknownKey(word.to_owned());
            key(word).ok_or_else(unknown)
        });
        keys.collect::<Result<_, _>>().map(DetachKeys)
    }
}

/// The byte that a terminal sends for a key.
fn key(word: &str) -> Option<u8> {
    if word == "DEL" {
        return Some(0x7f);
    }
    if let Some(name) = word.strip_prefix("ctrl-") {
        let [name] = name.as_bytes() else {
            return None;
        };
        let is_named =
            name.is_ascii_lowercase() || *name == b'@' || SIGNS.as_bytes().contains(name);
        return is_named.then(|| name.to_ascii_uppercase() - b'@');
    }
    match word.as_bytes() {
        [byte] => Some(*byte),
        _ => None,
    }
}

/// Looks for the keys in what is typed, however it is cut into pieces.
#[derive(Debug)]
pub(super) struct DetachWatch {
    keys: Vec<u8>,
    /// How many of the keys were pressed last. They are held back, because more may follow.
    held: usize,
}

/// Whether the user wants to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Stay,
    Leave,
}

impl DetachWatch {
    pub(super) fn new(DetachKeys(keys): DetachKeys) -> DetachWatch {
        DetachWatch { keys, held: 0 }
    }

    /// Takes what was typed, and adds to `passed` what is meant for the program. Nothing behind the keys is.
    pub(super) fn take(&mut self, typed: &[u8], passed: &mut Vec<u8>) -> Wish {
        if self.keys.is_empty() {
            passed.extend_from_slice(typed);
            return Wish::Stay;
        }
        for byte in typed {
            // What was held is passed on up to where the keys could begin anew.
            while self.held > 0 && self.keys[self.held] != *byte {
                let shorter = self.shorter();
                passed.extend_from_slice(&self.keys[..self.held - shorter]);
                self.held = shorter;
            }
            if self.keys[self.held] != *byte {
                passed.push(*byte);
                continue;
            }
            self.held += 1;
            if self.held == self.keys.len() {
                self.held = 0;
                return Wish::Leave;
            }
        }
        Wish::Stay
    }

    /// How many of the held keys at their end are the first of the keys as well, not counting all of them.
    fn shorter(&self) -> usize {
        let held = &self.keys[..self.held];
        (0..self.held)
            .rev()
            .find(|length| held.ends_with(&self.keys[..*length]))
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(text: &str) -> Vec<u8> {
        text.parse::<DetachKeys>().expect("they are keys").0
    }

    #[test]
    fn keys_are_written_as_docker_writes_them() {
        assert_eq!(keys("ctrl-p,ctrl-q"), DetachKeys::default().0);
        assert_eq!(keys("a"), b"a");
        assert_eq!(keys("ctrl-a,b,Z,-"), b"\x01bZ-");
        assert_eq!(
            keys("ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_,DEL"),
            b"\x00\x1b\x1c\x1d\x1e\x1f\x7f"
        );
        assert_eq!(keys(""), b"");
        for wrong in [
            "ctrl-", "ctrl-A", "ctrl-1", "ctrl-ab", "ab", ",", "a,,b", "ö", "^P",
        ] {
            let error = wrong.parse::<DetachKeys>().expect_err("it is wrong");
            assert!(error.to_string().contains("` is no key"), "{wrong}");
        }
    }

    #[test]
    fn keys_that_break_off_are_passed_on() {
        let mut watch = DetachWatch::new("ctrl-p,ctrl-q".parse().expect("keys"));
        let mut passed = Vec::new();
        assert_eq!(watch.take(b"a\x10", &mut passed), Wish::Stay);
        assert_eq!(passed, b"a");
        assert_eq!(watch.take(b"\x10b\x11\x10", &mut passed), Wish::Stay);
        assert_eq!(passed, b"a\x10\x10b\x11");
        assert_eq!(watch.take(b"\x11more", &mut passed), Wish::Leave);
        assert_eq!(passed, b"a\x10\x10b\x11");
    }

    proptest! {
        #[test]
        fn every_word_is_understood_or_refused(text in "(ctrl-|DEL|,|[a-z@]|.){0,6}") {
            let _ = text.parse::<DetachKeys>();
        }

        #[test]
        fn the_first_occurrence_is_found_and_no_byte_is_lost(
            wanted in prop::collection::vec(0..3_u8, 1..5),
            pieces in prop::collection::vec(prop::collection::vec(0..3_u8, 0..6), 0..8),
        ) {
            let all = pieces.concat();
            let place = all.windows(wanted.len()).position(|part| part == wanted);
            let mut watch = DetachWatch::new(DetachKeys(wanted));
            let mut passed = Vec::new();
            let left = pieces.iter().any(|piece| watch.take(piece, &mut passed) == Wish::Leave);
            prop_assert_eq!(left, place.is_some());
            if !left {
                passed.extend_from_slice(&watch.keys[..watch.held]);
            }
            prop_assert_eq!(&passed[..], &all[..place.unwrap_or(all.len())]);
        }
    }
}
