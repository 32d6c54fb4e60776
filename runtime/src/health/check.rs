//! What is asked of a container's program, and how often.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::test::HealthTest;
use super::time::HealthTime;

/// A health check as it was asked for, in Docker's keys. What is left out has Docker's default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HealthCheck {
    /// The program that asks.
    pub test: HealthTest,
    /// How long to wait between two checks, and before the first; 30 seconds.
    #[serde(default, skip_serializing_if = "HealthTime::is_unsaid")]
    pub interval: HealthTime,
    /// How long one may take; 30 seconds.
    #[serde(default, skip_serializing_if = "HealthTime::is_unsaid")]
    pub timeout: HealthTime,
    /// How long after the start a check that fails does not count; not at all.
    #[serde(default, skip_serializing_if = "HealthTime::is_unsaid")]
    pub start_period: HealthTime,
    /// How long to wait between two checks in that time; 5 seconds.
    #[serde(default, skip_serializing_if = "HealthTime::is_unsaid")]
    pub start_interval: HealthTime,
    /// How many checks in a row must fail before the container counts as unhealthy; 3. Zero means that nothing is said.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retries: u32,
}

/// What of a health check is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthTerms {
    pub(super) interval: Duration,
    pub(super) start_period: Duration,
    pub(super) start_interval: Duration,
    pub(super) retries: u32,
    /// How long a check may take.
    pub timeout: Duration,
}

impl HealthCheck {
    /// A check of which nothing but the program is said.
    pub fn of(test: HealthTest) -> HealthCheck {
        HealthCheck {
            test,
            interval: HealthTime::default(),
            timeout: HealthTime::default(),
            start_period: HealthTime::default(),
            start_interval: HealthTime::default(),
            retries: 0,
        }
    }

    /// What was asked for, and Docker's defaults for the rest.
    pub fn terms(&self) -> HealthTerms {
        HealthTerms {
            interval: self.interval.unwrap_or(Duration::from_secs(30)),
            start_period: self.start_period.unwrap_or(Duration::ZERO),
            start_interval: self.start_interval.unwrap_or(Duration::from_secs(5)),
            retries: if self.retries == 0 { 3 } else { self.retries },
            timeout: self.timeout.unwrap_or(Duration::from_secs(30)),
        }
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_record_is_in_dockers_form() {
        let mut check = HealthCheck::of(HealthTest::Shell("true".into()));
        let short = json!({"Test": ["CMD-SHELL", "true"]});
        assert_eq!(serde_json::to_value(&check).expect("it has a form"), short);
        check.start_period = "1.5s".parse().expect("a time span");
        check.retries = 7;
        let long =
            json!({"Test": ["CMD-SHELL", "true"], "StartPeriod": 1_500_000_000, "Retries": 7});
        assert_eq!(serde_json::to_value(&check).expect("it has a form"), long);
        for (document, expected) in [(short, check.test.clone()), (long, check.test.clone())] {
            let read: HealthCheck = serde_json::from_value(document).expect("a check");
            assert_eq!(read.test, expected);
        }
    }

    #[test]
    fn what_nobody_says_is_as_with_docker() {
        let terms = HealthCheck::of(HealthTest::Shell("true".into())).terms();
        let seconds = Duration::from_secs;
        assert_eq!(
            terms,
            HealthTerms {
                interval: seconds(30),
                timeout: seconds(30),
                start_period: seconds(0),
                start_interval: seconds(5),
                retries: 3,
            }
        );
    }
}
