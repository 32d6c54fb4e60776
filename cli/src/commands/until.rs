//! `until=…`: only what was made before a moment, given as a time span before now, a date or a point in time.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};

/// The moment that a text means.
///
/// # Errors
/// When it is none of them.
pub fn parse_until(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let refused = || {
        format!(
            "`{text}` is not a moment: write a time span such as `24h`, a date such as `2026-01-31`, or `2026-01-31T12:00:00Z`"
        )
    };
    if let Ok(seconds) = text.parse::<i64>() {
        return Timestamp::from_second(seconds).map_err(|_| refused());
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    if let Ok(moment) = text.parse::<civil::DateTime>() {
        let zoned = moment.to_zoned(TimeZone::UTC).map_err(|_| refused())?;
        return Ok(zoned.timestamp());
    }
    let span: SignedDuration = text.parse().map_err(|_| refused())?;
    if span.is_negative() {
        return Err(refused());
    }
    now.checked_sub(span).map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_can_be_given_in_several_ways() {
        let now: Timestamp = "2026-11-21T09:30:00Z".parse().unwrap();
        for (text, moment) in [
            ("24h", "2026-11-20T09:30:00Z"),
            ("1h30m", "2026-11-21T08:00:00Z"),
            ("2026-01-31", "2026-01-31T00:00:00Z"),
            ("2026-01-31T12:00:00", "2026-01-31T12:00:00Z"),
            ("2026-01-31T12:00:00+01:00", "2026-01-31T11:00:00Z"),
            ("0", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(
                parse_until(text, now),
                Ok(moment.parse().unwrap()),
                "{text}"
            );
        }
        for text in ["", "yesterday", "-1h"] {
            assert!(parse_until(text, now).is_err(), "{text}");
        }
    }
}
