//! How long a container may take to obey its stop signal, as Docker writes it: seconds, of which a negative number means for ever.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How long is waited before a container is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "i64", into = "i64")]
pub enum StopTimeout {
    /// So many seconds.
    Seconds(u32),
    /// It is never killed.
    Never,
}

/// A text that is no number of seconds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a number of seconds: write a whole number, or `-1` to wait for ever")]
pub struct StopTimeoutError(String);

impl Default for StopTimeout {
    /// As with Docker.
    fn default() -> StopTimeout {
        StopTimeout::Seconds(10)
    }
}

impl StopTimeout {
    /// The time, if there is one.
    pub fn duration(self) -> Option<Duration> {
        match self {
            StopTimeout::Seconds(seconds) => Some(Duration::from_secs(seconds.into())),
            StopTimeout::Never => None,
        }
    }
}

impl From<i64> for StopTimeout {
    fn from(seconds: i64) -> StopTimeout {
        match u32::try_from(seconds) {
            Ok(seconds) => StopTimeout::Seconds(seconds),
            Err(_) if seconds < 0 => StopTimeout::Never,
            Err(_) => StopTimeout::Seconds(u32::MAX),
        }
    }
}

impl From<StopTimeout> for i64 {
    fn from(timeout: StopTimeout) -> i64 {
        match timeout {
            StopTimeout::Seconds(seconds) => seconds.into(),
            StopTimeout::Never => -1,
        }
    }
}

impl FromStr for StopTimeout {
    type Err = StopTimeoutError;

    fn from_str(text: &str) -> Result<StopTimeout, StopTimeoutError> {
        match text.parse::<i64>() {
            Ok(seconds) if seconds <= u32::MAX.into() => Ok(seconds.into()),
            _ => Err(StopTimeoutError(text.to_owned())),
        }
    }
}

impl fmt::Display for StopTimeout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        i64::from(*self).fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_negative_number_means_for_ever() {
        assert_eq!("-1".parse(), Ok(StopTimeout::Never));
        assert_eq!("-20".parse(), Ok(StopTimeout::Never));
        assert_eq!("0".parse(), Ok(StopTimeout::Seconds(0)));
        for text in ["", "1s", "1.5", "4294967296"] {
            assert!(text.parse::<StopTimeout>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_timeout_is_read_as_it_is_written(seconds in proptest::option::of(any::<u32>())) {
            let timeout = seconds.map_or(StopTimeout::Never, StopTimeout::Seconds);
            prop_assert_eq!(timeout.to_string().parse(), Ok(timeout));
            let text = serde_json::to_string(&timeout).unwrap();
            prop_assert_eq!(serde_json::from_str::<StopTimeout>(&text).unwrap(), timeout);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = text.parse::<StopTimeout>();
        }
    }
}
