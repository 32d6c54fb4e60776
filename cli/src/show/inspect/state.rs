//! `State`: whether the container runs, and how it ended.

use minirun_runtime::details::ContainerDetails;
use minirun_runtime::run_usage::RunUsage;
use serde_json::{Value, json};

use super::super::life::Life;
use super::super::moment::{rfc3339, seconds};

/// The state in Docker's keys; those that speak of things minirun does not do are false.
pub(super) fn state(details: &ContainerDetails) -> Value {
    let life = Life::of(&details.condition);
    let mut state = json!({
        "Status": life.word,
        // Between two runs it counts as running, as with Docker; so does one that is paused.
        "Running": details.condition.state.is_up() && life.word != "created",
        "Paused": life.word == "paused",
        "Restarting": life.word == "restarting",
        "OOMKilled": life.oom_killed,
        "TimedOut": life.timed_out,
        "Dead": false,
        "Pid": life.pid.unwrap_or_default(),
        "ExitCode": life.exit_code,
        "Error": life.error,
        "StartedAt": rfc3339(life.started),
        "FinishedAt": rfc3339(life.finished),
    });
    // Docker leaves the key out where nothing is checked.
    if let Some(health) = &details.condition.health {
        state["Health"] = json!(health);
    }
    state["Usage"] = json!(life.usage.as_ref().map(usage));
    state
}

/// What a run has used, in the words of the lines that `--status-fd` writes.
fn usage(used: &RunUsage) -> Value {
    json!({
        "WallSeconds": seconds(used.wall),
        "UserSeconds": seconds(used.user),
        "SystemSeconds": seconds(used.system),
        "PeakMemoryBytes": used.peak_memory,
        "PeakMemoryOf": used.peak_memory_of,
        "RefusedProcesses": used.refused_processes,
    })
}
