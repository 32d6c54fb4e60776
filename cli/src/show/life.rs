//! The state of a container in Docker's words.

use jiff::Timestamp;
use minirun_runtime::container_state::{ContainerState, ExitRecord};

use super::moment::elapsed;
use crate::output::duration::{exited, restarting, up};

/// The exit code of a container whose monitor was killed: the kernel ends it with SIGKILL (9) in the same moment.
const KILLED: i32 = 128 + 9;

/// What Docker tells of a container's life.
pub(super) struct Life<'a> {
    /// `created`, `running`, `restarting` or `exited`.
    pub(super) word: &'static str,
    /// Its first process in the host's process namespace; none unless it runs.
    pub(super) pid: Option<i32>,
    /// How it ended; 0 unless it has.
    pub(super) exit_code: i32,
    /// Why it could not be started or watched; empty if it could.
    pub(super) error: &'a str,
    /// When it was last started.
    pub(super) started: Option<Timestamp>,
    /// When it ended.
    pub(super) finished: Option<Timestamp>,
}

impl<'a> Life<'a> {
    /// What the records say.
    pub(super) fn of(state: &'a ContainerState) -> Self {
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
            started: None,
            finished: None,
        }
    }
}

/// The STATUS cell of `ps`: `Created`, `Up 2 minutes`, `Exited (0) 3 seconds ago`.
pub(super) fn status(state: &ContainerState, now: Timestamp) -> String {
    match state {
        ContainerState::Created => "Created".to_owned(),
        ContainerState::Running(record) if record.init.is_none() => "Created".to_owned(),
        ContainerState::Running(record) => up(elapsed(record.started, now)),
        ContainerState::Restarting(between) => {
            let last = &between.last;
            restarting(last.exit_code, elapsed(last.finished, now))
        }
        ContainerState::Exited(record) => exited(record.exit_code, elapsed(record.finished, now)),
        ContainerState::Abandoned(_) => format!("Exited ({KILLED})"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{
        NOW, exited_state, moment, restarting_state, running_record, running_state,
    };
    use super::*;

    #[test]
    fn a_status_says_what_docker_says() {
        let now = moment(NOW);
        assert_eq!(status(&ContainerState::Created, now), "Created");
        assert_eq!(status(&running_state(), now), "Up 5 seconds");
        assert_eq!(status(&exited_state(), now), "Exited (3) 2 seconds ago");
        assert_eq!(
            status(&restarting_state(), now),
            "Restarting (3) 2 seconds ago"
        );
        let abandoned = ContainerState::Abandoned(Some(running_record()));
        assert_eq!(status(&abandoned, now), "Exited (137)");
    }

    #[test]
    fn a_container_without_a_monitor_counts_as_killed() {
        let abandoned = ContainerState::Abandoned(Some(running_record()));
        let life = Life::of(&abandoned);
        assert_eq!((life.word, life.exit_code), ("exited", 137));
        assert_eq!((life.pid, life.finished), (None, None));
        assert_eq!(life.error, "nobody saw it end");
    }

    #[test]
    fn a_container_that_is_being_made_has_no_process_yet() {
        let mut record = running_record();
        record.init = None;
        let state = ContainerState::Running(record);
        assert_eq!(Life::of(&state).word, "created");
        assert_eq!(Life::of(&state).pid, None);
        assert_eq!(status(&state, moment(NOW)), "Created");
    }
}
