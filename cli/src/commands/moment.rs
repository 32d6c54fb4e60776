//! `--since` and `--until`: a moment in the past or future, given as a time span before now, a date or a point in time.

use super::until::parse_until;
use jiff::{SignedDuration, Timestamp};
use std::str::FromStr;

/// A moment, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Moment, String> {
        parse_moment(text, Timestamp::now()).map(Moment)
    }
}

/// The moment that a text means. As with Docker, a span that is negative leads into the future, and seconds may have decimals.
fn parse_moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Some(span) = text.strip_prefix('-')
        && let Ok(span) = span.parse::<SignedDuration>()
        && !span.is_negative()
    {
        return now
            .checked_add(span)
            .map_err(|_| format!("`{text}` is too far away"));
    }
    match text.split_once('.') {
        Some((seconds, decimals)) if is_number(seconds) && is_number(decimals) => {
            parse_seconds(seconds, decimals).ok_or_else(|| format!("`{text}` is too far away"))
        }
        _ => parse_until(text, now),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn parse_seconds(seconds: &str, decimals: &str) -> Option<Timestamp> {
    let nanoseconds = format!("{decimals:0<9}");
    Timestamp::new(seconds.parse().ok()?, nanoseconds.get(..9)?.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_can_lie_ahead_and_between_two_seconds() {
        let now: Timestamp = "2026-11-21T09:30:00Z".parse().unwrap();
        for (text, moment) in [
            ("10m", "2026-11-21T09:20:00Z"),
            ("-10m", "2026-11-21T09:40:00Z"),
            ("1795253400", "2026-11-21T09:30:00Z"),
            ("1795253400.5", "2026-11-21T09:30:00.5Z"),
            ("1795253400.000000001", "2026-11-21T09:30:00.000000001Z"),
            ("1795253400.0000000019", "2026-11-21T09:30:00.000000001Z"),
            ("2026-11-21T09:30:00.25Z", "2026-11-21T09:30:00.25Z"),
        ] {
            assert_eq!(
                parse_moment(text, now),
                Ok(moment.parse().unwrap()),
                "{text}"
            );
        }
        for text in [
            "",
            "-",
            "--1h",
            "1.",
            ".5",
            "soon",
            "99999999999999.5",
            "-999999999h",
        ] {
            assert!(parse_moment(text, now).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_understood_or_refused(text in "[-0-9.hmsTZ:a-z]{0,20}") {
            let _ = text.parse::<Moment>();
        }
    }
}
