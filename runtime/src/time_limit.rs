//! How long a container may run: `--timeout`, in seconds or in the words of a time span (`90`, `1.5s`, `2m`).

use crate::duration::{DurationError, parse_duration};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The exit code of a run that lasted too long, which is that of timeout(1).
pub const TIMED_OUT: i32 = 124;

/// What `--timeout` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeLimit {
    /// As long as it likes.
    #[default]
    None,
    /// So long, from the moment at which its program is executed; then it is killed.
    After(Duration),
}

impl TimeLimit {
    /// The time, if there is a limit.
    pub fn duration(self) -> Option<Duration> {
        match self {
            TimeLimit::None => None,
            TimeLimit::After(duration) => Some(duration),
        }
    }
}

impl From<Duration> for TimeLimit {
    fn from(duration: Duration) -> TimeLimit {
        match duration.is_zero() {
            // As with timeout(1).
            true => TimeLimit::None,
            false => TimeLimit::After(duration),
        }
    }
}

impl FromStr for TimeLimit {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<TimeLimit, DurationError> {
        let is_number = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        let parsed = match is_number {
            true => {
                // The text without a unit is what was typed, and so what an error has to name.
                parse_duration(&format!("{text}s")).map_err(|error| match error {
                    DurationError::TooLong(_) => DurationError::TooLong(text.to_owned()),
                    _ => DurationError::Malformed(text.to_owned()),
                })
            }
            false => parse_duration(text),
        };
        parsed.map(TimeLimit::from)
    }
}

impl fmt::Display for TimeLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let duration = self.duration().unwrap_or_default();
        match (duration.as_secs(), duration.subsec_nanos()) {
            (0, 0) => formatter.write_str("0"),
            (seconds, 0) => write!(formatter, "{seconds}s"),
            (seconds, nanoseconds) => {
                let decimals = format!("{nanoseconds:09}");
                write!(formatter, "{seconds}.{}s", decimals.trim_end_matches('0'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_means_seconds_and_nothing_means_no_limit() {
        for (text, milliseconds) in [
            ("90", 90_000),
            ("1.5", 1500),
            ("2m", 120_000),
            ("0.25s", 250),
        ] {
            let limit = TimeLimit::After(Duration::from_millis(milliseconds));
            assert_eq!(text.parse(), Ok(limit), "{text}");
        }
        for text in ["0", "0s", "0.0"] {
            assert_eq!(text.parse(), Ok(TimeLimit::None), "{text}");
        }
        for text in ["", ".", "soon", "1.2.3", "5 s", "１"] {
            let refused = DurationError::Malformed(text.to_owned());
            assert_eq!(text.parse::<TimeLimit>(), Err(refused), "{text}");
        }
        let negative = DurationError::Negative("-5s".to_owned());
        assert_eq!("-5s".parse::<TimeLimit>(), Err(negative));
        let long = "9".repeat(30);
        let refused = DurationError::TooLong(long.clone());
        assert_eq!(long.parse::<TimeLimit>(), Err(refused));
    }

    proptest! {
        #[test]
        fn a_limit_is_read_as_it_is_written(nanoseconds in 0..i64::MAX as u64) {
            let limit = TimeLimit::from(Duration::from_nanos(nanoseconds));
            prop_assert_eq!(limit.to_string().parse(), Ok(limit));
            let text = serde_json::to_string(&limit).unwrap();
            prop_assert_eq!(serde_json::from_str::<TimeLimit>(&text).unwrap(), limit);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,20}") {
            let _ = text.parse::<TimeLimit>();
        }
    }
}
