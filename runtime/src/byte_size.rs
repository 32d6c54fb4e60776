//! Numbers of bytes as people type them: `64m`, `1.5g`, `4096`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The letters of units, each 1024 times the one before.
const UNITS: [char; 6] = ['k', 'm', 'g', 't', 'p', 'e'];

/// How many digits behind the point are looked at; more than these say less than a byte.
const MOST_DECIMALS: usize = 18;

/// A number of bytes.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ByteSize(u64);

/// Why a text is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ByteSizeError {
    /// It is not a number with a unit.
    #[error(
        "`{0}` is not a size: write a number of bytes, or one with a unit such as `64m` or `1.5g`"
    )]
    Syntax(String),
    /// It is more than can be counted.
    #[error("`{0}` is too large a size")]
    TooLarge(String),
}

impl ByteSize {
    /// This many bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// How many bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

/// `64m`, `64M`, `64mb` and `64MiB` are the same: units are powers of 1024, as with Docker.
impl FromStr for ByteSize {
    type Err = ByteSizeError;

    fn from_str(text: &str) -> Result<Self, ByteSizeError> {
        let wrong = || ByteSizeError::Syntax(text.to_owned());
        let end = text
            .find(|character: char| !character.is_ascii_digit() && character != '.')
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let factor = factor(unit).ok_or_else(wrong)?;
        let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
        let is_number =
            |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        if !is_number(whole) || !is_number(decimals) {
            return Err(wrong());
        }
        let too_large = || ByteSizeError::TooLarge(text.to_owned());
        let whole: u128 = whole.parse().map_err(|_| too_large())?;
        let decimals = &decimals[..decimals.len().min(MOST_DECIMALS)];
        let scale = 10_u128.pow(decimals.len() as u32);
        let fraction = decimals.parse::<u128>().map_err(|_| wrong())?;
        let bytes = whole
            .checked_mul(factor)
            .and_then(|whole| whole.checked_add(fraction * factor / scale));
        bytes
            .and_then(|bytes| u64::try_from(bytes).ok())
            .filter(|bytes| *bytes <= i64::MAX as u64)
            .map(Self)
            .ok_or_else(too_large)
    }
}

/// What a number with this behind it is multiplied by.
fn factor(unit: &str) -> Option<u128> {
    let unit = unit.strip_prefix(' ').unwrap_or(unit).to_ascii_lowercase();
    let mut letters = unit.chars();
    match letters.next() {
        None => Some(1),
        Some('b') if letters.next().is_none() => Some(1),
        Some(letter) => {
            let exponent = UNITS.iter().position(|known| *known == letter)? + 1;
            ["", "b", "i", "ib"]
                .contains(&letters.as_str())
                .then(|| 1024_u128.pow(exponent as u32))
        }
    }
}

/// The number alone, which is what the kernel and records want.
impl fmt::Display for ByteSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(text: &str) -> Option<u64> {
        text.parse::<ByteSize>().ok().map(ByteSize::bytes)
    }

    #[test]
    fn units_are_powers_of_1024_however_they_are_written() {
        for (text, expected) in [
            ("0", 0),
            ("512", 512),
            ("512b", 512),
            ("2m", 2 << 20),
            ("2M", 2 << 20),
            ("2mb", 2 << 20),
            ("2MiB", 2 << 20),
            ("2 m", 2 << 20),
            ("1.5g", 3 << 29),
            ("0.5k", 512),
            ("10G", 10 << 30),
            ("1t", 1 << 40),
        ] {
            assert_eq!(bytes(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_named() {
        for text in [
            "", "m", "-1", "1x", "1mm", "1.m", ".5m", "1.2.3", "0x10", "1 000", "bb", "1  m",
        ] {
            let error = text.parse::<ByteSize>().unwrap_err();
            assert_eq!(error, ByteSizeError::Syntax(text.to_owned()));
        }
        for text in [
            "9999999999999999999",
            "8e",
            "99999999999999999999999999999999999999999",
        ] {
            let error = text.parse::<ByteSize>().unwrap_err();
            assert_eq!(error, ByteSizeError::TooLarge(text.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in ".*") {
            let _ = text.parse::<ByteSize>();
        }

        #[test]
        fn what_it_shows_it_reads(bytes in 0..i64::MAX as u64) {
            let size = ByteSize::from_bytes(bytes);
            prop_assert_eq!(size.to_string().parse(), Ok(size));
        }
    }
}
