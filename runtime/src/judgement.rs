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
