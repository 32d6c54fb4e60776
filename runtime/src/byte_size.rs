//! Sizes as people write them: `10m`, `512k`, `1.5g`.

use std::fmt;
use std::str::FromStr;

/// The units, largest first, each 1024 of the next: what a person writes and how many bytes it is.
const UNITS: [(char, u64); 5] = [
    ('t', 1 << 40),
    ('g', 1 << 30),
    ('m', 1 << 20),
    ('k', 1 << 10),
    ('b', 1),
];

/// The most digits that are read behind a point; more say nothing about whole bytes that anybody means.
const MOST_DECIMALS: u32 = 9;

/// A number of bytes. Written with a unit of `b`, `k`, `m`, `g` or `t`, in either case, or with none for bytes; `kb` and `kib`
/// mean `k`, as with Docker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

/// A word that is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid size `{0}`: write a number with `b`, `k`, `m` or `g`, such as `10m`")]
pub struct ByteSizeError(String);

impl FromStr for ByteSize {
    type Err = ByteSizeError;

    fn from_str(text: &str) -> Result<ByteSize, ByteSizeError> {
        bytes(text)
            .map(ByteSize)
            .ok_or_else(|| ByteSizeError(text.to_owned()))
    }
}

/// With the largest unit that leaves a whole number; what is shown can be read again.
impl fmt::Display for ByteSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fitting = UNITS
            .iter()
            .find(|(_, factor)| self.0 >= *factor && self.0.is_multiple_of(*factor));
        match fitting {
            Some((unit, factor)) => write!(formatter, "{}{unit}", self.0 / factor),
            None => write!(formatter, "{}b", self.0),
        }
    }
}

fn bytes(text: &str) -> Option<u64> {
    let end = text
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor = factor(unit)?;
    let (whole, decimals) = match number.split_once('.') {
        Some((whole, decimals)) => (whole, digits(decimals)?),
        None => (number, ""),
    };
    let whole: u64 = digits(whole)?.parse().ok()?;
    whole
        .checked_mul(factor)?
        .checked_add(fraction(decimals, factor)?)
}

fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// What decimals of a unit are in bytes, rounded down.
fn fraction(decimals: &str, factor: u64) -> Option<u64> {
    if decimals.is_empty() {
        return Some(0);
    }
    let count = u32::try_from(decimals.len()).ok()?;
    let denominator = (count <= MOST_DECIMALS).then(|| 10_u128.pow(count))?;
    let numerator: u64 = decimals.parse().ok()?;
    u64::try_from(u128::from(numerator) * u128::from(factor) / denominator).ok()
}

fn factor(unit: &str) -> Option<u64> {
    let unit = unit.to_ascii_lowercase();
    let letter = match unit.as_str() {
        "" => 'b',
        _ => unit.chars().next()?,
    };
    let rest = unit.get(1..).unwrap_or_default();
    let known = rest.is_empty() || letter != 'b' && ["b", "ib"].contains(&rest);
    let (_, factor) = UNITS.iter().find(|(known, _)| *known == letter)?;
    known.then_some(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_way_to_write_a_size_is_understood() {
        for (text, expected) in [
            ("0", 0),
            ("1", 1),
            ("12b", 12),
            ("10k", 10 << 10),
            ("10K", 10 << 10),
            ("10kb", 10 << 10),
            ("10KiB", 10 << 10),
            ("10m", 10 << 20),
            ("1.5g", 3 << 29),
            ("2t", 2 << 40),
            ("16777215t", 16_777_215 << 40),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(expected)), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused_with_an_example() {
        for text in [
            "",
            "m",
            "-1",
            "+1",
            "1.",
            ".5m",
            "1.2.3m",
            "10x",
            "10bb",
            "10mm",
            "1 m",
            "16777216t",
            "99999999999999999999",
            "1.0000000000m",
            "1\u{fc}",
        ] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
        assert_eq!(
            "many".parse::<ByteSize>().unwrap_err().to_string(),
            "invalid size `many`: write a number with `b`, `k`, `m` or `g`, such as `10m`"
        );
    }

    #[test]
    fn a_size_is_shown_with_the_largest_unit_that_fits() {
        for (bytes, expected) in [
            (0, "0b"),
            (1000, "1000b"),
            (1024, "1k"),
            (20 << 20, "20m"),
            (3 << 29, "1536m"),
        ] {
            assert_eq!(ByteSize(bytes).to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_as_the_same(bytes: u64) {
            prop_assert_eq!(ByteSize(bytes).to_string().parse(), Ok(ByteSize(bytes)));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,20}|[0-9.]{0,22}[bkmgtiBKMGT]{0,3}") {
            let _ = text.parse::<ByteSize>();
        }
    }
}
