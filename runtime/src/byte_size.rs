//! A number of bytes as people type it: `512m`, `1.5g`, `65536`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The units, from the greatest to the smallest, each 1024 of the next.
const UNITS: [(char, u64); 6] = [
    ('p', 1 << 50),
    ('t', 1 << 40),
    ('g', 1 << 30),
    ('m', 1 << 20),
    ('k', 1 << 10),
    ('b', 1),
];

/// A number of bytes. Its text is a whole number of the greatest unit that leaves no rest.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ByteSize(pub u64);

/// The text is no number of bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ByteSizeError {
    /// It is not a number with a unit behind it.
    #[error("`{0}` is not a size: write a number and b, k, m, g, t or p behind it, such as `512m`")]
    Malformed(String),
    /// It is more than the kernel can count.
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

impl FromStr for ByteSize {
    type Err = ByteSizeError;

    /// As Docker reads sizes: units are powers of 1024, in either case, with or without `b` or `ib` behind them; a number
    /// alone counts bytes; what is less than a byte is cut off.
    fn from_str(text: &str) -> Result<ByteSize, ByteSizeError> {
        let malformed = || ByteSizeError::Malformed(text.to_owned());
        let end = text
            .find(|character: char| !character.is_ascii_digit() && character != '.')
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let factor = factor_of(unit.strip_prefix(' ').unwrap_or(unit)).ok_or_else(malformed)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let is_number =
            |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) {
            return Err(malformed());
        }
        let too_large = || ByteSizeError::TooLarge(text.to_owned());
        let whole: u64 = whole.parse().map_err(|_| too_large())?;
        let bytes = whole.checked_mul(factor).ok_or_else(too_large)?;
        let bytes = bytes
            .checked_add(part(fraction, factor))
            .ok_or_else(too_large)?;
        // The kernel's interfaces count in signed numbers.
        match i64::try_from(bytes) {
            Ok(_) => Ok(ByteSize(bytes)),
            Err(_) => Err(too_large()),
        }
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS
            .iter()
            .find(|(_, factor)| self.0 != 0 && self.0.is_multiple_of(*factor));
        let (unit, factor) = unit.copied().unwrap_or(('b', 1));
        write!(formatter, "{}{unit}", self.0 / factor)
    }
}

/// How many bytes a unit has; `k`, `kb` and `kib` are the same.
fn factor_of(unit: &str) -> Option<u64> {
    let unit = unit.to_ascii_lowercase();
    let letter = match unit.as_str() {
        "" | "b" => 'b',
        longer => {
            let rest = longer.strip_suffix('b').unwrap_or(longer);
            let rest = rest.strip_suffix('i').unwrap_or(rest);
            let mut letters = rest.chars();
            let letter = letters.next().filter(|letter| *letter != 'b')?;
            letters.next().is_none().then_some(letter)?
        }
    };
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == letter)?;
    Some(*factor)
}

/// The part of a unit that the digits behind the point stand for. More digits than are read here are less than a byte.
fn part(digits: &str, factor: u64) -> u64 {
    let (mut bytes, mut divisor) = (0_u128, 1_u128);
    for digit in digits.bytes().take(18) {
        divisor *= 10;
        bytes = bytes * 10 + u128::from(digit - b'0');
    }
    (bytes * u128::from(factor) / divisor) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(text: &str) -> u64 {
        text.parse::<ByteSize>().unwrap().0
    }

    #[test]
    fn sizes_are_read_as_docker_reads_them() {
        for (text, expected) in [
            ("0", 0),
            ("42", 42),
            ("42b", 42),
            ("32k", 32 << 10),
            ("32kB", 32 << 10),
            ("32KiB", 32 << 10),
            ("512m", 512 << 20),
            ("1.5g", 3 << 29),
            ("64 MB", 64 << 20),
            ("2T", 2 << 40),
            ("1p", 1 << 50),
            ("0.0005k", 0),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in [
            "", "m", "-1", "1.2.3", ".5", "1.", "5x", "5bb", "5bi", "5mm", "1e3", "5  m", "0x1",
            " 1",
        ] {
            assert_eq!(
                text.parse::<ByteSize>(),
                Err(ByteSizeError::Malformed(text.into())),
                "{text}"
            );
        }
        for text in ["99999999999999999999", "9223372036854775808", "8192p"] {
            assert_eq!(
                text.parse::<ByteSize>(),
                Err(ByteSizeError::TooLarge(text.into())),
                "{text}"
            );
        }
    }

    #[test]
    fn a_size_is_written_in_the_greatest_unit_that_fits() {
        for (bytes, text) in [
            (0, "0b"),
            (1, "1b"),
            (1536, "1536b"),
            (6 << 20, "6m"),
            (3 << 29, "1536m"),
            (1 << 30, "1g"),
        ] {
            assert_eq!(ByteSize(bytes).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn a_size_survives_being_written_and_read(bytes in 0..=i64::MAX as u64, unit in 0..6_u32) {
            let size = ByteSize(bytes >> (10 * unit) << (10 * unit));
            prop_assert_eq!(size.to_string().parse(), Ok(size));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "([0-9.]{0,30}[ bkmgtpiBKMi]{0,4}|\\PC*)") {
            let _ = text.parse::<ByteSize>();
        }
    }
}
