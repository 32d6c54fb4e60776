//! `State`: whether the container runs, and how it ended.

use minirun_runtime::details::ContainerDetails;
use serde_json::{Value, json};

use super::super::life::Life;
use super::super::moment::rfc3339;

/// The state in Docker's keys; those that speak of things minirun does not do are false.
pub(super) fn state(details: &ContainerDetails) -> Value {
    let life = Life::of(details);
    // As with Docker, a container that is paused runs.
    let is_running = matches!(life.word, "running" | "paused");
    json!({
        "Status": life.word,
        "Running": is_running,
        "Paused": life.word == "paused",
        "Restarting": false,
        "OOMKilled": life.oom_killed,
        "Dead": false,
        "Pid": life.pid.unwrap_or_default(),
        "ExitCode": life.exit_code,
        "Error": life.error,
        "StartedAt": rfc3339(life.started),
        "FinishedAt": rfc3339(life.finished),
    })
}
