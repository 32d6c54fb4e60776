//! Moments as people write them after `--since` and `--until`.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::duration::parse_duration;

/// How many decimals of a second are kept.
const DECIMALS: usize = 9;

/// A word that is no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid time `{0}`: write a moment such as `2026-01-02T03:04:05Z`, a date, Unix seconds, or a time before now such as `10m`"
)]
pub struct MomentError(String);

/// What a person means: RFC 3339 (`2026-01-02T03:04:05.6Z`), the same without a zone or without a time, which is then that of
/// `zone`, seconds since 1970 (`1767323045.6`), or a time before `now` (`10m`, `1h30m`; `-10m` is after it).
///
/// # Errors
/// When it is none of that.
pub fn parse_moment(
    text: &str,
    (now, zone): (Timestamp, &TimeZone),
) -> Result<Timestamp, MomentError> {
    unix_seconds(text)
        .or_else(|| text.parse().ok())
        .or_else(|| local(text, zone))
        .or_else(|| before(text, now))
        .ok_or_else(|| MomentError(text.to_owned()))
}

fn unix_seconds(text: &str) -> Option<Timestamp> {
    let (seconds, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(seconds) || !is_number(decimals) {
        return None;
    }
    let nanoseconds = format!("{decimals:0<DECIMALS$}")
        .get(..DECIMALS)?
        .parse()
        .ok()?;
    Timestamp::new(seconds.parse().ok()?, nanoseconds).ok()
}

fn local(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let moment: DateTime = text.parse().ok()?;
    Some(moment.to_zoned(zone.clone()).ok()?.timestamp())
}

fn before(text: &str, now: Timestamp) -> Option<Timestamp> {
    // As with Docker, a span that is negative leads into the future.
    let (span, leads_ahead) = match text.strip_prefix('-') {
        Some(span) => (span, true),
        None => (text, false),
    };
    let is_number = |character: char| character.is_ascii_digit() || character == '.';
    if !span.starts_with(is_number) {
        return None;
    }
    let span = SignedDuration::try_from(parse_duration(span).ok()?).ok()?;
    match leads_ahead {
        true => now.checked_add(span),
        false => now.checked_sub(span),
    }
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::Offset;
    use proptest::prelude::*;

    fn moment(text: &str) -> Result<String, MomentError> {
        let now = "2026-01-02T12:00:00Z".parse().expect("a moment");
        let zone = TimeZone::fixed(Offset::constant(1));
        parse_moment(text, (now, &zone)).map(|moment| moment.to_string())
    }

    #[test]
    fn every_way_to_write_a_moment_is_understood() {
        for (text, expected) in [
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
            (
                "2026-01-02T03:04:05.000000006+02:00",
                "2026-01-02T01:04:05.000000006Z",
            ),
            ("2026-01-02T03:04:05", "2026-01-02T02:04:05Z"),
            ("2026-01-02T03:04", "2026-01-02T02:04:00Z"),
            ("2026-01-02", "2026-01-01T23:00:00Z"),
            ("1767323045", "2026-01-02T03:04:05Z"),
            ("1767323045.6", "2026-01-02T03:04:05.6Z"),
            ("1767323045.0000000069", "2026-01-02T03:04:05.000000006Z"),
            ("0", "1970-01-01T00:00:00Z"),
            ("10m", "2026-01-02T11:50:00Z"),
            ("1h30m", "2026-01-02T10:30:00Z"),
            ("1.5h", "2026-01-02T10:30:00Z"),
            ("300ms", "2026-01-02T11:59:59.7Z"),
            ("-10m", "2026-01-02T12:10:00Z"),
        ] {
            assert_eq!(moment(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused_with_examples() {
        for text in [
            "",
            "yesterday",
            "10",
            "1.",
            ".5",
            "-5",
            "-",
            "--1h",
            "-999999999h",
            "10x",
            "99999999999999",
        ] {
            if text != "10" {
                assert!(moment(text).is_err(), "{text}");
            }
        }
        let error = moment("yesterday").expect_err("no moment").to_string();
        assert!(
            error.starts_with("invalid time `yesterday`: write a moment such as"),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,30}|[0-9.:TZhms+-]{0,30}") {
            let _ = moment(&text);
        }
    }
}
