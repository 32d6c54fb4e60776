//! The time spans of a health check.

use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration::{DurationError, parse_duration};

/// The shortest time span that a check can have, as with Docker.
const SHORTEST: Duration = Duration::from_millis(1);

/// A time span of a health check; zero means that nothing is said about it. Records have it in nanoseconds, as Docker's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HealthTime(u64);

/// A text that is no time span of a health check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HealthTimeError {
    /// It is no time span.
    #[error(transparent)]
    Duration(#[from] DurationError),
    /// It is too short.
    #[error("the time span `{0}` is too short: write `1ms` or more, or `0` for the default")]
    TooShort(String),
}

impl HealthTime {
    /// Whether nothing is said.
    pub fn is_unsaid(&self) -> bool {
        self.0 == 0
    }

    /// What is said here, else what is said there.
    pub(super) fn or(self, other: HealthTime) -> HealthTime {
        if self.is_unsaid() { other } else { self }
    }

    pub(super) fn unwrap_or(self, usual: Duration) -> Duration {
        if self.is_unsaid() {
            usual
        } else {
            Duration::from_nanos(self.0)
        }
    }
}

impl FromStr for HealthTime {
    type Err = HealthTimeError;

    fn from_str(text: &str) -> Result<HealthTime, HealthTimeError> {
        let time = parse_duration(text)?;
        let too_long = |_| DurationError::TooLong(text.to_owned());
        let nanoseconds = u64::try_from(time.as_nanos()).map_err(too_long)?;
        match nanoseconds == 0 || time >= SHORTEST {
            true => Ok(HealthTime(nanoseconds)),
            false => Err(HealthTimeError::TooShort(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_millisecond_is_the_shortest_time() {
        assert_eq!("1ms".parse(), Ok(HealthTime(1_000_000)));
        assert_eq!("0".parse(), Ok(HealthTime::default()));
        for text in ["999us", "1ns"] {
            let refused = HealthTimeError::TooShort(text.to_owned());
            assert_eq!(text.parse::<HealthTime>(), Err(refused));
        }
        let refused = "-5s".parse::<HealthTime>().unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the time span `-5s` is negative: write one of zero or more"
        );
    }

    #[test]
    fn zero_leaves_the_word_to_others() {
        let zero = HealthTime::default();
        let second: HealthTime = "1s".parse().expect("a time span");
        assert_eq!(zero.or(second), second);
        assert_eq!(second.or(zero), second);
        assert_eq!(zero.unwrap_or(Duration::MAX), Duration::MAX);
        assert_eq!(second.unwrap_or(Duration::MAX), Duration::from_secs(1));
    }
}
