//! `until=…`: only what was made before a moment, given as a time span before now, a date or a point in time.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minirun_runtime::moment::parse_moment;

/// The moment that a text means.
///
/// # Errors
/// When it is none of them.
pub fn parse_until(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    parse_moment(text, (now, &TimeZone::UTC)).map_err(|_| {
        format!(
            "`{text}` is not a moment: write a time span such as `24h`, a date such as `2026-01-31`, or `2026-01-31T12:00:00Z`"
        )
    })
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
        for text in ["", "yesterday", "-"] {
            assert!(parse_until(text, now).is_err(), "{text}");
        }
    }
}
