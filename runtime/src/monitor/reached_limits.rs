//! What a command is told of limits that a container has run into: without it, its program only seems to have failed.

use crate::cgroup::processes_refused;
use crate::config::ContainerConfig;
use crate::container_state::ExitRecord;
use crate::repair::KILLED;

/// One sentence for each limit that was reached.
///
/// Its name and its limits may be others than at the start, so the record is that of now.
pub(super) fn reached_limits(config: &ContainerConfig, end: &ExitRecord) -> Vec<String> {
    let refused = match config.resources.pids {
        Some(_) => processes_refused(config.group()).unwrap_or_default(),
        None => 0,
    };
    let mut sentences = Vec::new();
    sentences.extend(end.oom_killed.then(|| out_of_memory(config, end.exit_code)));
    sentences.extend((refused > 0).then(|| too_many_processes(config)).flatten());
    sentences
}

fn out_of_memory(config: &ContainerConfig, exit_code: i32) -> String {
    let who = match exit_code {
        KILLED => "",
        _ => "a process of ",
    };
    let why = match config.resources.memory {
        Some(limit) => format!("its limit is {limit}"),
        None => "the host's was used up".to_owned(),
    };
    format!(
        "{who}container `{}` was killed: out of memory ({why})",
        config.name
    )
}

fn too_many_processes(config: &ContainerConfig) -> Option<String> {
    let limit = config.resources.pids?;
    Some(format!(
        "container `{}` reached its limit of {limit} processes and threads",
        config.name
    ))
}
