//! Time spans in Docker's words: `1m30s`, `500ms`, `1.5h`.
//!
//! A time span is one or more numbers, each with its unit, or `0`. A number may have decimals. The units are `h`, `m`, `s`,
//! `ms`, `us` and `ns`.

use std::time::Duration;

/// The units, and how many nanoseconds each has. No word stands before one that it is the beginning of.
const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The longest time span in nanoseconds, as with Docker, about 292 years.
const LONGEST: u128 = i64::MAX as u128;

/// More decimals than these are less than a nanosecond of an hour.
const MOST_DECIMALS: usize = 13;

/// A text that is no time span.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// It cannot be read.
    #[error("`{0}` is not a time span: write one such as `30s`, `1m30s` or `500ms`")]
    Malformed(String),
    /// It is below zero.
    #[error("the time span `{0}` is negative: write one of zero or more")]
    Negative(String),
    /// It is too long.
    #[error("the time span `{0}` is too long: write one of less than 292 years")]
    TooLong(String),
}

/// The time span that a text means.
///
/// # Errors
/// When it is none, or one below zero.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let malformed = || DurationError::Malformed(text.to_owned());
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut total = 0;
    if rest.is_empty() {
        return Err(malformed());
    }
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    while !rest.is_empty() {
        let part;
        (part, rest) = one_part(rest).ok_or_else(malformed)?;
        total = part
            .checked_add(total)
            .filter(|total| *total <= LONGEST)
            .ok_or_else(|| DurationError::TooLong(text.to_owned()))?;
    }
    match u64::try_from(total) {
        Ok(0) => Ok(Duration::ZERO),
        Ok(_) if negative => Err(DurationError::Negative(text.to_owned())),
        Ok(nanoseconds) => Ok(Duration::from_nanos(nanoseconds)),
        Err(_) => Err(DurationError::TooLong(text.to_owned())),
    }
}

/// The first number with its unit, in nanoseconds, and what follows it. One that is too long to count is longer than
/// [`LONGEST`].
fn one_part(text: &str) -> Option<(u128, &str)> {
    let (whole, rest) = digits(text);
    let (decimals, rest) = rest.strip_prefix('.').map_or(("", rest), digits);
    if whole.is_empty() && decimals.is_empty() {
        return None;
    }
    let mut units = UNITS.iter();
    let (rest, unit) = units.find_map(|(word, unit)| Some((rest.strip_prefix(word)?, unit)))?;
    let whole = match whole {
        "" => 0,
        // Only too many digits keep digits from being a number.
        whole => whole.parse().unwrap_or(u128::MAX),
    };
    let decimals = &decimals[..decimals.len().min(MOST_DECIMALS)];
    let places = u32::try_from(decimals.len()).ok()?;
    let fraction = decimals.parse().unwrap_or(0_u128) * unit / 10_u128.pow(places);
    Some((whole.saturating_mul(*unit).saturating_add(fraction), rest))
}

/// The digits that a text begins with, and the rest.
fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|character: char| !character.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_docker_understands_is_understood() {
        for (text, nanoseconds) in [
            ("0", 0),
            ("-0", 0),
            ("+0s", 0),
            ("-0ms", 0),
            ("1ns", 1),
            ("30s", 30_000_000_000),
            ("+5s", 5_000_000_000),
            ("1m30s", 90_000_000_000),
            ("30s1m", 90_000_000_000),
            ("500ms", 500_000_000),
            ("1h2m3s4ms5us6ns", 3_723_004_005_006),
            ("1.5h", 5_400_000_000_000),
            ("1.5h30.5s", 5_430_500_000_000),
            (".5s", 500_000_000),
            ("5.s", 5_000_000_000),
            ("2µs", 2_000),
            ("2μs", 2_000),
            ("0.33333333333333333333s", 333_333_333),
            ("9223372036854775807ns", 9_223_372_036_854_775_807),
        ] {
            let expected = Duration::from_nanos(nanoseconds);
            assert_eq!(parse_duration(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_span_is_refused() {
        for text in [
            "", "-", "+", "5", ".", "s", ".s", "1.5", "1x", "5 s", " 5s", "5s ", "1d", "1m-5s",
            "--5s", "1e3s", "5S", "1..5s", "٣s",
        ] {
            let refused = DurationError::Malformed(text.to_owned());
            assert_eq!(parse_duration(text), Err(refused), "{text}");
        }
        let negative = DurationError::Negative("-1.5s".into());
        assert_eq!(parse_duration("-1.5s"), Err(negative));
        for text in ["9223372036854775808ns", "2562048h", &("9".repeat(99) + "h")] {
            let refused = DurationError::TooLong(text.to_owned());
            assert_eq!(parse_duration(text), Err(refused), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_understood_or_refused(text in "\\PC{0,20}") {
            let _ = parse_duration(&text);
        }

        #[test]
        fn anything_that_looks_like_one_is_understood_or_too_long(
            text in "([0-9]{1,20}(\\.[0-9]{0,20})?(ns|us|ms|s|m|h)){1,4}"
        ) {
            let understood = parse_duration(&text);
            prop_assert!(matches!(understood, Ok(_) | Err(DurationError::TooLong(_))));
        }

        #[test]
        fn the_parts_add_up(hours in 0..1000_u64, minutes in 0..100_000_u64, milliseconds in 0..1_000_000_u64) {
            let text = format!("{hours}h{minutes}m{milliseconds}ms");
            let expected = Duration::from_millis(hours * 3_600_000 + minutes * 60_000 + milliseconds);
            prop_assert_eq!(parse_duration(&text), Ok(expected));
        }
    }
}
