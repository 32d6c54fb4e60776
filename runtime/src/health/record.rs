//! What is shown of a container's health, saved as `health.json` in its state while it runs.

use jiff::Timestamp;
use minirun_bridge::atomic_file;
use serde::{Deserialize, Serialize};

use super::progress::{HealthProgress, HealthStatus};
use crate::container_state::ContainerPaths;
use crate::error::RuntimeError;

/// How many results are kept.
const MOST_RESULTS: usize = 5;

/// A container's health, in Docker's keys. Before the first check there is no record of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Health {
    /// What is known.
    pub status: HealthStatus,
    /// How many checks in a row have failed, of those that count.
    pub failing_streak: u32,
    /// The latest results, oldest first.
    pub log: Vec<HealthResult>,
}

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HealthResult {
    /// When it began.
    pub start: Timestamp,
    /// When it was over.
    pub end: Timestamp,
    /// The program's exit code; -1 if it has none, because it could not be executed or took too long.
    pub exit_code: i32,
    /// What it wrote, or why there is no exit code.
    pub output: String,
}

impl Health {
    /// What is on record; nothing if no check is over yet.
    ///
    /// # Errors
    /// When the record exists and cannot be read.
    pub(crate) fn read(paths: &ContainerPaths) -> Result<Option<Health>, RuntimeError> {
        Ok(atomic_file::read_json_if_present(&paths.health())?)
    }

    /// Adds a result to what is on record, and what it means.
    ///
    /// # Errors
    /// When the record cannot be read or written.
    pub(crate) fn note(
        paths: &ContainerPaths,
        result: HealthResult,
        progress: HealthProgress,
    ) -> Result<(), RuntimeError> {
        let mut health = Health::read(paths)?.unwrap_or_default();
        health.add(result, progress);
        Ok(atomic_file::write_json(&paths.health(), &health)?)
    }

    fn add(&mut self, result: HealthResult, progress: HealthProgress) {
        let surplus = (self.log.len() + 1).saturating_sub(MOST_RESULTS);
        self.log.drain(..surplus);
        self.log.push(result);
        self.status = progress.status;
        self.failing_streak = progress.failing_streak;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn result(exit_code: i32) -> HealthResult {
        HealthResult {
            start: "2026-11-21T09:30:00Z".parse().expect("a moment"),
            end: "2026-11-21T09:30:00.5Z".parse().expect("a moment"),
            exit_code,
            output: "ok\n".into(),
        }
    }

    #[test]
    fn only_the_latest_results_are_kept() {
        let mut health = Health::default();
        for exit_code in 0..7 {
            health.add(result(exit_code), HealthProgress::default());
        }
        let codes: Vec<i32> = health.log.iter().map(|result| result.exit_code).collect();
        assert_eq!(codes, [2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_record_is_in_dockers_form() {
        let mut health = Health::default();
        let progress = HealthProgress {
            status: HealthStatus::Unhealthy,
            failing_streak: 3,
        };
        health.add(result(0), progress);
        assert_eq!(
            serde_json::to_value(&health).expect("it has a form"),
            json!({
                "Status": "unhealthy",
                "FailingStreak": 3,
                "Log": [{
                    "Start": "2026-11-21T09:30:00Z",
                    "End": "2026-11-21T09:30:00.5Z",
                    "ExitCode": 0,
                    "Output": "ok\n"
                }]
            })
        );
    }
}
