//! When a container whose program has ended is started again without anybody asking.

//!
//! The waits between two runs are Docker's: 100 ms at first, twice as long each time, at most a minute, and 100 ms again once a
//! program has run for ten seconds.

use crate::stop_mark::StoppedBy;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

/// How long the first restart is waited for.
const SHORTEST_DELAY: Duration = Duration::from_millis(100);

/// The longest wait.
pub(crate) const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// A program that has run for as long is no longer one that ends at once.
const SETTLED: Duration = Duration::from_secs(10);

/// `--restart`, in Docker's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartPolicy {
    /// Never.
    #[default]
    No,
    /// When it ended with another code than 0; at most so many times since somebody started it, if there is a number.
    OnFailure(Option<NonZeroU32>),
    /// Always, and after a boot also if a user had stopped it.
    Always,
    /// Always, unless a user has stopped it.
    UnlessStopped,
}

/// How often a container was started again by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restarts {
    /// Since a user or the boot started it.
    pub count: u32,
    /// Without having run for a while in between.
    pub in_a_row: u32,
}

/// How a run ended, as far as a policy cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunEnd {
    /// The program's exit code, or that of a start that failed.
    pub exit_code: i32,
    /// How long the program ran.
    pub ran: Duration,
    /// Who had stopped it, if anybody.
    pub stopped: Option<StoppedBy>,
}

/// What follows the end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing.
    End,
    /// Another run.
    Again {
        /// How long that is waited for.
        delay: Duration,
        /// The count with that run.
        restarts: Restarts,
    },
}

impl RestartPolicy {
    /// What follows a run, after as many restarts as there were so far. What somebody has stopped stays stopped.
    pub fn after(self, end: &RunEnd, so_far: Restarts) -> Next {
        if end.stopped.is_some() || !self.wants(end.exit_code, so_far.count) {
            return Next::End;
        }
        let in_a_row = match end.ran >= SETTLED {
            true => 0,
            false => so_far.in_a_row,
        };
        Next::Again {
            delay: delay(in_a_row),
            restarts: Restarts {
                count: so_far.count.saturating_add(1),
                in_a_row: in_a_row.saturating_add(1),
            },
        }
    }

    fn wants(self, exit_code: i32, count: u32) -> bool {
        match self {
            RestartPolicy::No => false,
            RestartPolicy::OnFailure(most) => {
                exit_code != 0 && most.is_none_or(|most| count < most.get())
            }
            RestartPolicy::Always | RestartPolicy::UnlessStopped => true,
        }
    }

    /// The word that Docker calls it by, without a number.
    pub fn name(self) -> &'static str {
        match self {
            RestartPolicy::No => "no",
            RestartPolicy::OnFailure(_) => "on-failure",
            RestartPolicy::Always => "always",
            RestartPolicy::UnlessStopped => "unless-stopped",
        }
    }
}

/// How long is waited after so many restarts in a row.
fn delay(in_a_row: u32) -> Duration {
    let factor = 1u32.checked_shl(in_a_row).unwrap_or(u32::MAX);
    SHORTEST_DELAY.saturating_mul(factor).min(LONGEST_DELAY)
}

/// A word after `--restart` that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown restart policy `{0}`: use `no`, `on-failure`, `on-failure:NUMBER`, `always` or `unless-stopped`"
)]
pub struct RestartPolicyError(String);

impl FromStr for RestartPolicy {
    type Err = RestartPolicyError;

    fn from_str(word: &str) -> Result<RestartPolicy, RestartPolicyError> {
        match word {
            "no" => Ok(RestartPolicy::No),
            "on-failure" => Ok(RestartPolicy::OnFailure(None)),
            "always" => Ok(RestartPolicy::Always),
            "unless-stopped" => Ok(RestartPolicy::UnlessStopped),
            _ => word
                .strip_prefix("on-failure:")
                .and_then(|number| number.parse().ok())
                // Docker understands 0 as no limit.
                .map(|number| RestartPolicy::OnFailure(NonZeroU32::new(number)))
                .ok_or_else(|| RestartPolicyError(word.to_owned())),
        }
    }
}

impl fmt::Display for RestartPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())?;
        match self {
            RestartPolicy::OnFailure(Some(most)) => write!(formatter, ":{most}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHORT: Duration = Duration::from_secs(1);

    fn end(exit_code: i32) -> RunEnd {
        RunEnd {
            exit_code,
            ran: SHORT,
            stopped: None,
        }
    }

    fn policy() -> impl Strategy<Value = RestartPolicy> {
        prop_oneof![
            Just(RestartPolicy::No),
            Just(RestartPolicy::Always),
            Just(RestartPolicy::UnlessStopped),
            proptest::option::of(1u32..)
                .prop_map(|most| { RestartPolicy::OnFailure(most.and_then(NonZeroU32::new)) }),
        ]
    }

    fn run_end() -> impl Strategy<Value = RunEnd> {
        let stopped =
            proptest::option::of(prop_oneof![Just(StoppedBy::User), Just(StoppedBy::Host)]);
        (0..=255, 0u64..100_000, stopped).prop_map(|(exit_code, milliseconds, stopped)| RunEnd {
            exit_code,
            ran: Duration::from_millis(milliseconds),
            stopped,
        })
    }

    /// What follows each of these ends, one after the other, as long as there is a next run.
    fn delays(policy: RestartPolicy, ends: &[RunEnd]) -> Vec<u128> {
        let mut so_far = Restarts::default();
        let mut delays = Vec::new();
        for end in ends {
            match policy.after(end, so_far) {
                Next::Again { delay, restarts } => {
                    delays.push(delay.as_millis());
                    so_far = restarts;
                }
                Next::End => break,
            }
        }
        delays
    }

    #[test]
    fn the_waits_double_up_to_a_minute_and_begin_anew_after_a_long_run() {
        let mut ends = vec![end(1); 12];
        ends[10].ran = SETTLED;
        assert_eq!(
            delays(RestartPolicy::Always, &ends),
            [
                100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 100, 200
            ]
        );
        let ends = vec![end(1); 40];
        let all = delays(RestartPolicy::Always, &ends);
        assert_eq!(&all[9..12], [51_200, 60_000, 60_000]);
        assert_eq!(all[39], 60_000);
    }

    #[test]
    fn only_failures_count_for_on_failure_and_only_so_many() {
        let three: RestartPolicy = "on-failure:3".parse().unwrap();
        assert_eq!(delays(three, &[end(1); 9]).len(), 3);
        assert_eq!(delays(three, &[end(1), end(0), end(1)]).len(), 1);
        let without_end: RestartPolicy = "on-failure:0".parse().unwrap();
        assert_eq!(delays(without_end, &[end(127); 9]).len(), 9);
        assert_eq!(delays(RestartPolicy::No, &[end(1)]).len(), 0);
    }

    proptest! {
        #[test]
        fn what_somebody_has_stopped_is_never_started_again(
            policy in policy(), mut end in run_end(), count: u32, in_a_row: u32,
        ) {
            let so_far = Restarts { count, in_a_row };
            end.stopped.get_or_insert(StoppedBy::User);
            prop_assert_eq!(policy.after(&end, so_far), Next::End);
        }

        #[test]
        fn every_wait_is_within_its_bounds_and_every_restart_is_counted(
            policy in policy(), end in run_end(), count: u32, in_a_row: u32,
        ) {
            let so_far = Restarts { count, in_a_row };
            if let Next::Again { delay, restarts } = policy.after(&end, so_far) {
                prop_assert!((SHORTEST_DELAY..=LONGEST_DELAY).contains(&delay));
                prop_assert_eq!(restarts.count, count.saturating_add(1));
                prop_assert!(restarts.in_a_row >= 1);
                prop_assert!(end.ran < SETTLED || delay == SHORTEST_DELAY);
            }
        }

        #[test]
        fn a_limit_is_never_passed(most in 1u32..50, codes in proptest::collection::vec(0..3, 0..100)) {
            let policy = RestartPolicy::OnFailure(NonZeroU32::new(most));
            let ends: Vec<RunEnd> = codes.iter().map(|code| end(*code)).collect();
            let failures = codes.iter().take_while(|code| **code != 0).count();
            prop_assert_eq!(delays(policy, &ends).len(), failures.min(most as usize));
        }

        #[test]
        fn a_policy_is_read_as_it_is_written(policy in policy()) {
            prop_assert_eq!(policy.to_string().parse(), Ok(policy));
        }

        #[test]
        fn any_word_is_read_or_refused(word in ".*") {
            if let Err(error) = word.parse::<RestartPolicy>() {
                prop_assert!(error.to_string().contains(&word));
            }
        }
    }
}
