//! The identity of a container: 32 random bytes, written as 64 hexadecimal digits.

use std::fmt;
use std::io;
use std::str::FromStr;

use crate::random::random_bytes;
use crate::serde_as_string::serde_as_string;

/// How many hexadecimal digits the short form of an id has, as in Docker.
pub const SHORT_ID_LENGTH: usize = 12;

const ID_BYTES: usize = 32;

/// The id of one container: unique, never given out again, displayed as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerId([u8; ID_BYTES]);

/// Why a text is not a container id, or why none could be made.
#[derive(Debug, thiserror::Error)]
pub enum ContainerIdError {
    /// The text is not exactly 64 digits.
    #[error(
        "invalid container id `{text}`: it has {length} characters; a full id has 64 hexadecimal digits"
    )]
    Length {
        /// What was given.
        text: String,
        /// Its length in characters.
        length: usize,
    },
    /// The text holds something other than `0`–`9` and `a`–`f`.
    #[error(
        "invalid container id `{text}`: `{character}` is not a lower-case hexadecimal digit; use `0` to `9` and `a` to `f`"
    )]
    Digit {
        /// What was given.
        text: String,
        /// The first character that does not belong.
        character: char,
    },
    /// The kernel gave no random bytes.
    #[error("cannot make a container id: no random bytes from the kernel: {source}")]
    Random {
        /// What `getrandom(2)` answered.
        source: io::Error,
    },
}

impl ContainerId {
    /// A new id from the kernel's random source.
    ///
    /// The short form is the default host name, so one that consists of decimal digits only, and could be read as a
    /// number or an address, is drawn again.
    pub fn random() -> Result<Self, ContainerIdError> {
        loop {
            let id = Self(random_bytes().map_err(|source| ContainerIdError::Random { source })?);
            if id
                .short()
                .contains(|digit: char| digit.is_ascii_alphabetic())
            {
                return Ok(id);
            }
        }
    }

    /// The first 12 hexadecimal digits: what `ps` shows and what a container without `--hostname` is called inside.
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(SHORT_ID_LENGTH);
        text
    }
}

/// All digits are written at once: whoever lists a thousand containers writes several thousand ids into paths.
impl fmt::Display for ContainerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 2 * ID_BYTES];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            pair[0] = digit_of(byte >> 4);
            pair[1] = digit_of(byte & 0xf);
        }
        formatter.write_str(str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for ContainerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ContainerId({self})")
    }
}

impl FromStr for ContainerId {
    type Err = ContainerIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if !text.as_bytes().iter().all(is_digit) {
            return Err(wrong_digit(text));
        }
        if text.len() != 2 * ID_BYTES {
            return Err(ContainerIdError::Length {
                text: text.to_owned(),
                length: text.len(),
            });
        }
        let mut bytes = [0u8; ID_BYTES];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = digit_value(pair[0]) << 4 | digit_value(pair[1]);
        }
        Ok(Self(bytes))
    }
}

serde_as_string!(ContainerId);

/// What is wrong with a text that has something else than digits in it.
fn wrong_digit(text: &str) -> ContainerIdError {
    let is_digit = |character: &char| matches!(character, '0'..='9' | 'a'..='f');
    let wrong = text.chars().find(|character| !is_digit(character));
    ContainerIdError::Digit {
        text: text.to_owned(),
        character: wrong.unwrap_or_default(),
    }
}

/// The digit of a value that is known to be below 16.
fn digit_of(value: u8) -> u8 {
    match value {
        0..10 => b'0' + value,
        _ => b'a' + value - 10,
    }
}

/// The value of a digit that is known to be `0`–`9` or `a`–`f`.
fn digit_value(digit: u8) -> u8 {
    if digit.is_ascii_digit() {
        digit - b'0'
    } else {
        digit - b'a' + 10
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_random_id_reads_back_and_has_a_letter_in_its_short_form() {
        let id = ContainerId::random().unwrap();
        assert_eq!(id.to_string().parse::<ContainerId>().unwrap(), id);
        assert_eq!(id.short().len(), SHORT_ID_LENGTH);
        assert!(id.to_string().starts_with(&id.short()));
        assert!(
            id.short()
                .contains(|digit: char| digit.is_ascii_alphabetic())
        );
    }

    #[test]
    fn every_digit_is_written_as_it_is_read() {
        let text = "0123456789abcdef".repeat(4);
        assert_eq!(text.parse::<ContainerId>().unwrap().to_string(), text);
    }

    #[test]
    fn an_id_is_saved_as_its_text() {
        let id = ContainerId([0xab; ID_BYTES]);
        let saved = serde_json::to_string(&id).unwrap();
        assert_eq!(saved, format!("\"{}\"", "ab".repeat(32)));
        assert_eq!(serde_json::from_str::<ContainerId>(&saved).unwrap(), id);
    }

    #[test]
    fn what_is_wrong_with_an_id_is_said() {
        let error = "ab12".parse::<ContainerId>().unwrap_err().to_string();
        assert_eq!(
            error,
            "invalid container id `ab12`: it has 4 characters; a full id has 64 hexadecimal digits"
        );
        let error = "AB".parse::<ContainerId>().unwrap_err().to_string();
        assert!(
            error.contains("`A` is not a lower-case hexadecimal digit"),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_survive_display_and_parse(bytes: [u8; ID_BYTES]) {
            let id = ContainerId(bytes);
            prop_assert_eq!(id.to_string().parse::<ContainerId>().unwrap(), id);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            let _ = text.parse::<ContainerId>();
        }
    }
}
