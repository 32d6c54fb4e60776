//! What state a container is in, from what its records and the kernel say, wherever that is read.

use crate::container_state::{
    ContainerPaths, ContainerState, End, ExitRecord, RunningRecord, read_end,
};
use crate::error::RuntimeError;
use crate::process_identity::ProcessIdentity;

/// What is asked of a container's records, and of the kernel, for its state.
pub(crate) trait StateRecords {
    /// Who is who, if anybody is on record.
    fn running(&mut self) -> Result<Option<RunningRecord>, RuntimeError>;

    /// What the record of the end says.
    fn end(&mut self) -> Result<End, RuntimeError>;

    /// Whether a process exists and has not ended.
    fn is_alive(&mut self, process: &ProcessIdentity) -> bool;
}

/// The state of a container. From the moment its end is recorded it has ended, even while its monitor is still taking it down.
///
/// # Errors
/// When a record exists and cannot be read.
pub(crate) fn judge(records: &mut impl StateRecords) -> Result<ContainerState, RuntimeError> {
    let running = records.running()?;
    judge_with(running, records)
}

/// The same for a caller who has just read who is on record.
pub(crate) fn judge_with(
    running: Option<RunningRecord>,
    records: &mut impl StateRecords,
) -> Result<ContainerState, RuntimeError> {
    // Read second: a monitor writes the end before it forgets that the container ran.
    let end = records.end()?;
    let Some(mut record) = running else {
        return Ok(match end {
            End::Recorded(exit) => ContainerState::Exited(exit),
            End::NeverBegun => ContainerState::Created,
            End::Missing => ContainerState::Abandoned(None),
        });
    };
    if end == End::NeverBegun && record.monitor.is_this_process() {
        // The command that asks is the one that is about to start it.
        return Ok(ContainerState::Created);
    }
    let is_alive = records.is_alive(&record.monitor);
    Ok(match (is_alive, record.restarting.take(), end) {
        (true, Some(restarting), _) => ContainerState::Restarting(restarting),
        (true, None, End::Recorded(exit)) => exited_or_restarting(records, exit)?,
        // It had begun, so there was a record of its end: that is gone with the container, which has just removed itself. One that
        // is started again has none for a moment, too, and is on record meanwhile.
        (true, None, End::NeverBegun) if record.init.is_some() && records.running()?.is_none() => {
            ContainerState::Created
        }
        (true, None, _) => ContainerState::Running(record),
        // A monitor that finished its work between two looks has left nothing to repair.
        (false, _, End::Recorded(exit)) if records.running()?.is_none() => {
            ContainerState::Exited(exit)
        }
        (false, restarting, _) => {
            record.restarting = restarting;
            ContainerState::Abandoned(Some(record))
        }
    })
}

/// What a container is whose end is on record, while its monitor lives. That it is to be started again was noted before its end
/// was, and may have been since the running record was read.
fn exited_or_restarting(
    records: &mut impl StateRecords,
    exit: ExitRecord,
) -> Result<ContainerState, RuntimeError> {
    let restarting = records.running()?.and_then(|record| record.restarting);
    Ok(restarting.map_or(ContainerState::Exited(exit), ContainerState::Restarting))
}

impl StateRecords for &ContainerPaths {
    fn running(&mut self) -> Result<Option<RunningRecord>, RuntimeError> {
        self.read_running()
    }

    fn end(&mut self) -> Result<End, RuntimeError> {
        read_end(&self.exit())
    }

    fn is_alive(&mut self, process: &ProcessIdentity) -> bool {
        process.is_alive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::restart_policy::Restarts;
    use jiff::Timestamp;

    /// What is found at one look after the other.
    struct Found {
        running: Vec<Option<RunningRecord>>,
        end: End,
        alive: bool,
    }

    impl StateRecords for Found {
        fn running(&mut self) -> Result<Option<RunningRecord>, RuntimeError> {
            Ok(self.running.remove(0))
        }

        fn end(&mut self) -> Result<End, RuntimeError> {
            Ok(self.end.clone())
        }

        fn is_alive(&mut self, _process: &ProcessIdentity) -> bool {
            self.alive
        }
    }

    fn record(init: Option<i32>) -> RunningRecord {
        let process = |pid| ProcessIdentity {
            pid,
            start_ticks: 1,
            boot: "boot".into(),
        };
        RunningRecord {
            monitor: process(4710),
            init: init.map(process),
            started: Timestamp::UNIX_EPOCH,
            guardian: None,
            restarts: Restarts::default(),
            restarting: None,
        }
    }

    fn judged(running: Option<RunningRecord>, end: End, alive: bool) -> ContainerState {
        judged_twice([running.clone(), running], end, alive)
    }

    /// The same where the running record is another at the second look.
    fn judged_twice(running: [Option<RunningRecord>; 2], end: End, alive: bool) -> ContainerState {
        let running = running.into();
        judge(&mut Found {
            running,
            end,
            alive,
        })
        .unwrap()
    }

    #[test]
    fn a_container_runs_as_long_as_its_monitor_lives_and_no_end_is_recorded() {
        let running = record(Some(4711));
        assert_eq!(
            judged(Some(running.clone()), End::Missing, true),
            ContainerState::Running(running.clone())
        );
        assert_eq!(
            judged(Some(running.clone()), End::Missing, false),
            ContainerState::Abandoned(Some(running))
        );
        assert_eq!(
            judged(None, End::Missing, false),
            ContainerState::Abandoned(None)
        );
        assert_eq!(
            judged(None, End::NeverBegun, false),
            ContainerState::Created
        );
    }

    /// Regression test: for a moment, one that had removed itself was said to run, and its name to be taken.
    #[test]
    fn a_container_that_had_begun_and_has_no_record_of_an_end_is_gone() {
        let begun = Some(record(Some(4711)));
        assert_eq!(
            judged_twice([begun, None], End::NeverBegun, true),
            ContainerState::Created
        );
        let being_made = record(None);
        assert_eq!(
            judged(Some(being_made.clone()), End::NeverBegun, true),
            ContainerState::Running(being_made)
        );
    }

    /// Regression test: between the record of one end and that of the next, one that exists was said to have never begun.
    #[test]
    fn a_container_without_a_record_of_an_end_that_is_still_on_record_runs() {
        let begun = record(Some(4711));
        assert_eq!(
            judged(Some(begun.clone()), End::NeverBegun, true),
            ContainerState::Running(begun)
        );
    }
}
