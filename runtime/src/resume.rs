//! Going on by its restart policy with a container whose monitor was killed, or whose program has ended.

use crate::config::ContainerConfig;
use crate::container_state::{
    ContainerPaths, ContainerState, EndCause, ExitRecord, Restarting, RunningRecord,
};
use crate::error::RuntimeError;
use crate::monitor::{Afterwards, guardian, take_down};
use crate::process::Sealed;
use crate::process_identity::{ProcessIdentity, boot_id};
use crate::restart_policy::{Next, RestartPolicy, Restarts, RunEnd};
use crate::runtime::Runtime;
use crate::store::ContainerLock;
use jiff::{SignedDuration, Timestamp};
use minirun_bridge::closed_port::LastConnections;
use minirun_netns::Silent;
use std::time::Duration;

impl Runtime {
    /// What follows the end of a run by the policy that the container has now, and the guardian that is there for it.
    pub(crate) fn follow_policy(
        &self,
        config: &ContainerConfig,
        end: &ExitRecord,
        record: &RunningRecord,
    ) -> Result<(Next, Option<ProcessIdentity>), RuntimeError> {
        if config.restart == RestartPolicy::No {
            return Ok((Next::End, None));
        }
        let paths = self.paths(&config.id);
        let next = config
            .restart
            .after(&run_end(&paths, end)?, record.restarts);
        // Another may have been appointed since.
        let guardian = paths.read_running()?.and_then(|record| record.guardian);
        Ok((next, guardian.filter(ProcessIdentity::is_alive)))
    }

    /// Repairs a container that is abandoned, and starts it again if its policy says so; the caller holds its lock. What a
    /// boot leaves is only recorded: it is for `minirun system boot` to go on with it.
    pub(crate) fn resume_locked(
        &self,
        config: &ContainerConfig,
        lock: &ContainerLock,
    ) -> Result<(), RuntimeError> {
        let ContainerState::Abandoned(Some(record)) = self.paths(&config.id).container_state()?
        else {
            return self.repair_locked(config, lock);
        };
        let (next, end) = match self.next_of_abandoned(config, &record)? {
            Some(decided) => decided,
            None => return self.repair_locked(config, lock),
        };
        let Next::Again { delay, restarts } = next else {
            return self.repair_locked(config, lock);
        };
        // While there is nothing yet that would be done twice.
        Sealed::ensure()?;
        let leftover = take_down(
            self,
            (config, LastConnections::MayBeOpen, Afterwards::MadeAgain),
            &mut Silent,
        );
        if let Some(error) = leftover.into_iter().next() {
            return Err(error);
        }
        let guardian = record.guardian.filter(ProcessIdentity::is_alive);
        let guardian = guardian.map_or_else(|| guardian::appoint(self, &config.id), Ok)?;
        self.paths(&config.id)
            .write_restarting(&end, (delay, restarts), guardian)
    }

    /// What follows the end of a container that nobody watches, after that end was recorded; nothing if no program of it has
    /// ever begun, or none in this boot.
    fn next_of_abandoned(
        &self,
        config: &ContainerConfig,
        record: &RunningRecord,
    ) -> Result<Option<(Next, ExitRecord)>, RuntimeError> {
        let has_begun = record.init.is_some() || record.restarts.count > 0;
        if !has_begun || record.monitor.boot != boot_id() {
            return Ok(None);
        }
        let end = self.end_abandoned(config, Some(record))?;
        if end.cause == EndCause::StartFailed && record.restarts.count == 0 {
            return Ok(None);
        }
        let stopped = self.paths(&config.id).stopped_by()?;
        let next = match &record.restarting {
            // That was decided, and counted, already.
            Some(between) if stopped.is_none() => Next::Again {
                delay: until(between.until),
                restarts: record.restarts,
            },
            _ => config
                .restart
                .after(&run_end(&self.paths(&config.id), &end)?, record.restarts),
        };
        Ok(Some((next, end)))
    }

    /// Ends a container that waits to be started again; the caller holds its lock. Nothing of it is there but records, unless
    /// its last monitor was killed, or met an error, while it took that run down.
    pub(crate) fn dismiss_locked(
        &self,
        config: &ContainerConfig,
        _lock: &ContainerLock,
    ) -> Result<(), RuntimeError> {
        let paths = self.paths(&config.id);
        let Some(record) = paths.read_running()? else {
            return Ok(());
        };
        if let Some(guardian) = record.monitor.open() {
            // It may have ended since; then there is nothing to wait for either.
            let _ = guardian.signal(nix::libc::SIGKILL);
            guardian
                .wait(None)
                .map_err(|error| RuntimeError::system("end a guardian", error))?;
        }
        self.end_abandoned(config, Some(&record))?;
        let current = self.read(&config.id)?;
        let config = current.as_ref().unwrap_or(config);
        let leftover = take_down(
            self,
            (config, LastConnections::MayBeOpen, Afterwards::Ended),
            &mut Silent,
        );
        leftover.into_iter().next().map_or(Ok(()), Err)
    }

    /// Gives a running container a guardian in place of one that was killed, or because it has a policy now. The caller holds
    /// its lock.
    pub(crate) fn guard_locked(
        &self,
        config: &ContainerConfig,
        _lock: &ContainerLock,
    ) -> Result<(), RuntimeError> {
        let paths = self.paths(&config.id);
        let ContainerState::Running(mut record) = paths.container_state()? else {
            return Ok(());
        };
        if record
            .guardian
            .as_ref()
            .is_some_and(ProcessIdentity::is_alive)
        {
            return Ok(());
        }
        Sealed::ensure()?;
        record.guardian = Some(guardian::appoint(self, &config.id)?);
        paths.write_running(&record)
    }
}

impl ContainerPaths {
    /// Records that a container is between two runs, and who begins the next one.
    pub(crate) fn write_restarting(
        &self,
        end: &ExitRecord,
        (delay, restarts): (Duration, Restarts),
        guardian: ProcessIdentity,
    ) -> Result<(), RuntimeError> {
        let delay = SignedDuration::try_from(delay).unwrap_or_default();
        let now = Timestamp::now();
        self.write_running(&RunningRecord {
            monitor: guardian.clone(),
            init: None,
            started: end.started,
            guardian: Some(guardian),
            restarts,
            restarting: Some(Restarting {
                last: end.clone(),
                until: now.checked_add(delay).unwrap_or(now),
            }),
        })
    }
}

/// An end as a policy sees it.
pub(crate) fn run_end(paths: &ContainerPaths, end: &ExitRecord) -> Result<RunEnd, RuntimeError> {
    let ran = end.finished.duration_since(end.started);
    Ok(RunEnd {
        exit_code: end.exit_code,
        // The clock may have been set back.
        ran: Duration::try_from(ran).unwrap_or_default(),
        stopped: paths.stopped_by()?,
    })
}

/// How long it is to a moment; no time at all if it has passed.
fn until(moment: Timestamp) -> Duration {
    Duration::try_from(moment.duration_since(Timestamp::now())).unwrap_or_default()
}
