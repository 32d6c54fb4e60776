//! The state of a container in Docker's words.

use jiff::Timestamp;
use minirun_runtime::condition::Condition;
use minirun_runtime::container_state::{ContainerState, ExitRecord};
use minirun_runtime::run_usage::RunUsage;

use super::health::behind_status;
use super::moment::elapsed;
use crate::output::duration::{exited, restarting, up};

/// The exit code of a container whose monitor was killed: the kernel ends it with SIGKILL (9) in the same moment.
const KILLED: i32 = 128 + 9;

/// What Docker tells of a container's life.
pub(super) struct Life<'a> {
    /// `created`, `running`, `paused`, `restarting` or `exited`.
    pub(super) word: &'static str,
    /// Its first process in the host's process namespace; none unless it runs.
    pub(super) pid: Option<i32>,
    /// How it ended; 0 unless it has.
    pub(super) exit_code: i32,
    /// Why it could not be started or watched; empty if it could.
    pub(super) error: &'a str,
    /// Whether the kernel killed one of its processes for want of memory.
    pub(super) oom_killed: bool,
    /// Whether it was killed because its time was over.
    pub(super) timed_out: bool,
    /// What its last run has used, if that has ended and was measured.
    pub(super) usage: Option<RunUsage>,
    /// When it was last started.
    pub(super) started: Option<Timestamp>,
    /// When it ended.
    pub(super) finished: Option<Timestamp>,
}

impl<'a> Life<'a> {
    /// What the records and the kernel say.
    pub(super) fn of(condition: &'a Condition) -> Self {
        let life = Self::on_record(&condition.state);
        match condition.is_paused && life.word == "running" {
            true => Life {
                word: "paused",
                ..life
            },
            false => life,
        }
    }

    /// What the records say.
    pub(super) fn on_record(state: &'a ContainerState) -> Self {
        match state {
            ContainerState::Created => Self::with_word("created"),
            // Its program has not begun.
            ContainerState::Running(record) if record.init.is_none() => Self::with_word("created"),
            ContainerState::Running(record) => Life {
                pid: record.init.as_ref().map(|init| init.pid),
                started: Some(record.started),
                ..Self::with_word("running")
            },
            ContainerState::Restarting(between) => Life {
                word: "restarting",
                ..Self::ended(&between.last)
            },
            ContainerState::Exited(record) => Self::ended(record),
            // The next command that repairs it will record the same.
            ContainerState::Abandoned(record) => Life {
                exit_code: KILLED,
                error: "nobody saw it end",
                started: record.as_ref().map(|record| record.started),
                ..Self::with_word("exited")
            },
        }
    }

    fn ended(record: &'a ExitRecord) -> Self {
        Life {
            exit_code: record.exit_code,
            error: record.error.as_deref().unwrap_or_default(),
            oom_killed: record.oom_killed,
            timed_out: record.timed_out(),
            usage: record.usage,
            started: Some(record.started),
            finished: Some(record.finished),
            ..Self::with_word("exited")
        }
    }

    fn with_word(word: &'static str) -> Self {
        Life {
            word,
            pid: None,
            exit_code: 0,
            error: "",
            oom_killed: false,
            timed_out: false,
            usage: None,
            started: None,
            finished: None,
        }
    }
}

/// The STATUS cell of `ps`: `Created`, `Up 2 minutes`, `Up 2 minutes (Paused)`, `Exited (0) 3 seconds ago`,
/// `Exited (124) 3 seconds ago (timed out)`.
pub(super) fn status(condition: &Condition, now: Timestamp) -> String {
    let status = status_on_record(&condition.state, now);
    match Life::of(condition).word {
        "paused" => format!("{status} (Paused)"),
        _ => status + behind_status(condition),
    }
}

fn status_on_record(state: &ContainerState, now: Timestamp) -> String {
    match state {
        ContainerState::Created => "Created".to_owned(),
        ContainerState::Running(record) if record.init.is_none() => "Created".to_owned(),
        ContainerState::Running(record) => up(elapsed(record.started, now)),
        ContainerState::Restarting(between) => {
            let last = &between.last;
            restarting(last.exit_code, elapsed(last.finished, now))
        }
        ContainerState::Exited(record) => {
            let status = exited(record.exit_code, elapsed(record.finished, now));
            match record.timed_out() {
                true => format!("{status} (timed out)"),
                false => status,
            }
        }
        ContainerState::Abandoned(_) => format!("Exited ({KILLED})"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{
        NOW, exited_state, moment, restarting_state, running, running_record, running_state,
        stopped,
    };
    use super::*;

    #[test]
    fn a_status_says_what_docker_says() {
        let now = moment(NOW);
        assert_eq!(status_on_record(&ContainerState::Created, now), "Created");
        assert_eq!(status_on_record(&running_state(), now), "Up 5 seconds");
        assert_eq!(
            status_on_record(&exited_state(), now),
            "Exited (3) 2 seconds ago"
        );
        assert_eq!(
            status_on_record(&restarting_state(), now),
            "Restarting (3) 2 seconds ago"
        );
        let abandoned = ContainerState::Abandoned(Some(running_record()));
        assert_eq!(status_on_record(&abandoned, now), "Exited (137)");
    }

    #[test]
    fn a_container_that_is_paused_is_up_all_the_same() {
        let mut condition = running("web1").condition;
        condition.is_paused = true;
        assert_eq!(Life::of(&condition).word, "paused");
        assert_eq!(status(&condition, moment(NOW)), "Up 5 seconds (Paused)");
        let mut ended = stopped("web1").condition;
        ended.is_paused = true;
        assert_eq!(Life::of(&ended).word, "exited");
    }

    #[test]
    fn a_container_without_a_monitor_counts_as_killed() {
        let abandoned = ContainerState::Abandoned(Some(running_record()));
        let life = Life::on_record(&abandoned);
        assert_eq!((life.word, life.exit_code), ("exited", 137));
        assert_eq!((life.pid, life.finished), (None, None));
        assert_eq!(life.error, "nobody saw it end");
    }

    #[test]
    fn a_container_that_is_being_made_has_no_process_yet() {
        let mut record = running_record();
        record.init = None;
        let state = ContainerState::Running(record);
        assert_eq!(Life::on_record(&state).word, "created");
        assert_eq!(Life::on_record(&state).pid, None);
        assert_eq!(status_on_record(&state, moment(NOW)), "Created");
    }
}
