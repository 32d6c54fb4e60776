//! Points in time, as Docker writes them.

use std::time::Duration;

use jiff::Timestamp;

/// What Docker shows for a moment that has not come yet.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// How long ago `then` was; no time at all if the clock was set back since.
pub(super) fn elapsed(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

/// The moment in RFC 3339 with as many decimals as it has, in UTC.
pub(super) fn rfc3339(moment: Option<Timestamp>) -> String {
    moment.map_or_else(|| NEVER.to_owned(), |moment| moment.to_string())
}

/// The moment in the form of Docker's listings, `2026-11-21 09:30:00 +0000 UTC`.
pub(super) fn listed(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string()
}

/// A time span in seconds, to the microsecond.
pub fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_moment_is_written_as_docker_writes_it() {
        let then = moment("2026-11-21T10:30:00.120000001+01:00");
        assert_eq!(rfc3339(Some(then)), "2026-11-21T09:30:00.120000001Z");
        assert_eq!(rfc3339(None), "0001-01-01T00:00:00Z");
        assert_eq!(listed(then), "2026-11-21 09:30:00 +0000 UTC");
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_time_pass() {
        let (early, late) = (
            moment("2026-11-21T09:30:00Z"),
            moment("2026-11-21T09:30:05Z"),
        );
        assert_eq!(elapsed(early, late), Duration::from_secs(5));
        assert_eq!(elapsed(late, early), Duration::ZERO);
    }
}
