//! What the answers to health checks mean, one after another. Pure: times are given, nothing is looked up.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::check::HealthTerms;

/// What is known of a container's health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// Nothing yet.
    #[default]
    Starting,
    /// The last answer that counted was good, or not enough bad ones came since.
    Healthy,
    /// Too many answers in a row were bad.
    Unhealthy,
}

/// The answer of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The program exited with 0 in time.
    Passed,
    /// It did anything else, or could not be executed.
    Failed,
}

/// What all answers so far mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HealthProgress {
    /// What is known now.
    pub status: HealthStatus,
    /// How many checks in a row have failed, of those that count.
    pub failing_streak: u32,
}

impl HealthProgress {
    /// What is known after one more answer, to a question that was asked so long after the start of the program.
    ///
    /// Until the first good answer, bad ones do not count during the start period.
    #[must_use]
    pub fn after(self, outcome: Outcome, asked: Duration, terms: &HealthTerms) -> HealthProgress {
        let is_excused = self.status == HealthStatus::Starting && asked < terms.start_period;
        match outcome {
            Outcome::Passed => HealthProgress {
                status: HealthStatus::Healthy,
                failing_streak: 0,
            },
            Outcome::Failed if is_excused => self,
            Outcome::Failed => {
                let failing_streak = self.failing_streak.saturating_add(1);
                let is_too_much = failing_streak >= terms.retries;
                HealthProgress {
                    status: match is_too_much {
                        true => HealthStatus::Unhealthy,
                        false => self.status,
                    },
                    failing_streak,
                }
            }
        }
    }

    /// How long to wait for the next check, so long after the start of the program.
    pub fn pause(self, running: Duration, terms: &HealthTerms) -> Duration {
        if self.status == HealthStatus::Starting && running < terms.start_period {
            terms.start_interval
        } else {
            terms.interval
        }
    }
}

impl HealthStatus {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            HealthStatus::Starting => "starting",
            HealthStatus::Healthy => "healthy",
            HealthStatus::Unhealthy => "unhealthy",
        }
    }
}

impl fmt::Display for HealthStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::HealthStatus::{Healthy, Starting, Unhealthy};
    use super::Outcome::{Failed, Passed};
    use super::*;
    use proptest::prelude::*;

    const TERMS: HealthTerms = HealthTerms {
        interval: Duration::from_secs(30),
        start_period: Duration::from_secs(60),
        start_interval: Duration::from_secs(5),
        retries: 3,
        timeout: Duration::from_secs(1),
    };

    /// What is known after each of these answers, which come at these seconds.
    fn story(answers: &[(u64, Outcome)]) -> Vec<(HealthStatus, u32)> {
        let mut progress = HealthProgress::default();
        answers
            .iter()
            .map(|(second, outcome)| {
                progress = progress.after(*outcome, Duration::from_secs(*second), &TERMS);
                (progress.status, progress.failing_streak)
            })
            .collect()
    }

    #[test]
    fn failures_count_when_the_start_period_is_over() {
        assert_eq!(
            story(&[
                (5, Failed),
                (59, Failed),
                (60, Failed),
                (90, Failed),
                (120, Failed),
                (150, Failed)
            ]),
            [
                (Starting, 0),
                (Starting, 0),
                (Starting, 1),
                (Starting, 2),
                (Unhealthy, 3),
                (Unhealthy, 4)
            ]
        );
    }

    #[test]
    fn the_first_success_ends_the_start_period() {
        assert_eq!(
            story(&[
                (5, Failed),
                (10, Passed),
                (15, Failed),
                (20, Failed),
                (25, Failed),
                (30, Passed)
            ]),
            [
                (Starting, 0),
                (Healthy, 0),
                (Healthy, 1),
                (Healthy, 2),
                (Unhealthy, 3),
                (Healthy, 0)
            ]
        );
    }

    #[test]
    fn checks_come_faster_until_the_start_is_over() {
        let starting = HealthProgress::default();
        let healthy = starting.after(Passed, Duration::ZERO, &TERMS);
        let seconds = Duration::from_secs;
        assert_eq!(starting.pause(seconds(0), &TERMS), TERMS.start_interval);
        assert_eq!(starting.pause(seconds(60), &TERMS), TERMS.interval);
        assert_eq!(healthy.pause(seconds(0), &TERMS), TERMS.interval);
    }

    fn outcomes() -> impl Strategy<Value = Vec<(u64, Outcome)>> {
        proptest::collection::vec((0..120_u64, prop_oneof![Just(Passed), Just(Failed)]), 0..40)
    }

    proptest! {
        /// What a person would read off the list of answers, counted from its end.
        #[test]
        fn the_latest_answers_decide(mut answers in outcomes()) {
            answers.sort_by_key(|(second, _)| *second);
            let ever = answers.iter().position(|(_, outcome)| *outcome == Passed);
            let counted = answers.iter().enumerate().rev().take_while(|(place, (second, outcome))| {
                *outcome == Failed && (*second >= 60 || ever.is_some_and(|first| first < *place))
            });
            let streak = u32::try_from(counted.count()).expect("a small number");
            let expected = match (streak >= TERMS.retries, ever) {
                (true, _) => Unhealthy,
                (false, Some(_)) => Healthy,
                (false, None) => Starting,
            };
            let last = story(&answers).pop().unwrap_or((Starting, 0));
            prop_assert_eq!(last, (expected, streak));
        }
    }
}
