//! Ending containers: asking and killing. Several are asked at once, and each is killed when its own time is over.

use crate::config::ContainerConfig;
use crate::container_state::{ContainerState, RunningRecord};
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use crate::signal::StopSignal;
use crate::stop_mark::StoppedBy;
use crate::stop_timeout::StopTimeout;
use crate::stopping::Stopping;
use nix::errno::Errno;
use nix::libc::{SIGINT, SIGKILL, SIGQUIT, SIGTERM};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io;
use std::time::{Duration, Instant};

/// How containers are stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopOptions {
    /// The signal that asks, if not the container's own.
    pub signal: Option<StopSignal>,
    /// How long is waited before it is killed, if not as long as the container says.
    pub timeout: Option<StopTimeout>,
    /// Who stops them.
    pub by: StoppedBy,
}

impl Default for StopOptions {
    /// As the containers say.
    fn default() -> StopOptions {
        StopOptions {
            signal: None,
            timeout: None,
            by: StoppedBy::User,
        }
    }
}

impl Runtime {
    /// Asks a container to end with its stop signal, kills it when it does not in time, and waits until everything of it
    /// is taken down. A container that does not run is stopped already; one whose program has not begun has nothing to
    /// lose and is killed; one that waits to be started again by itself no longer does.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn stop(
        &self,
        config: &ContainerConfig,
        options: &StopOptions,
    ) -> Result<(), RuntimeError> {
        let mut outcome = Ok(());
        let containers = std::slice::from_ref(config);
        self.stop_all(containers, options, &mut |stopped| outcome = stopped)?;
        outcome
    }

    /// Stops several containers at the same time. `stopped` hears of each what came of it, in their order.
    ///
    /// # Errors
    /// When they cannot be waited for.
    pub fn stop_all(
        &self,
        containers: &[ContainerConfig],
        options: &StopOptions,
        stopped: &mut dyn FnMut(Result<(), RuntimeError>),
    ) -> Result<(), RuntimeError> {
        let mut all: Vec<Stopping<'_>> = containers
            .iter()
            .map(|config| Stopping::begin(self, config, options))
            .collect();
        let mut told = 0;
        loop {
            while let Some(outcome) = all.get_mut(told).and_then(Stopping::take_outcome) {
                stopped(outcome);
                told += 1;
            }
            if told == all.len() {
                return Ok(());
            }
            wait_for_any(&all)?;
            all.iter_mut().for_each(Stopping::go_on);
        }
    }

    /// Kills a container, if it runs, without waiting, and does not let it start again by itself. One whose program has not
    /// begun is killed with its monitor.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn kill(&self, config: &ContainerConfig) -> Result<(), RuntimeError> {
        if !self.paths(&config.id).container_state()?.is_up() {
            return Ok(());
        }
        self.paths(&config.id).mark_stopped(StoppedBy::User)?;
        match self.paths(&config.id).container_state()? {
            ContainerState::Running(record) => {
                self.kill_process(config, &record)?;
                // In version 1 of control groups nothing ends while it is paused.
                self.let_go_on(config)
            }
            ContainerState::Restarting(_) => self.dismiss(config),
            _ => Ok(()),
        }
    }

    /// Ends a container that waits to be started again, if it still does.
    pub(crate) fn dismiss(&self, config: &ContainerConfig) -> Result<(), RuntimeError> {
        let Some(lock) = self.lock_if_present(&config.id)? else {
            return Ok(());
        };
        match self.paths(&config.id).container_state()? {
            ContainerState::Restarting(_) => self.dismiss_locked(config, &lock),
            _ => Ok(()),
        }
    }

    /// Sends a signal to a container's first process. If its program has not begun yet, that is waited for, unless the
    /// signal is SIGKILL. After a signal that asks to end, the end is no reason to start the container again.
    ///
    /// # Errors
    /// [`RuntimeError::NotRunning`], [`RuntimeError::IsRestarting`].
    pub fn signal(&self, config: &ContainerConfig, signal: StopSignal) -> Result<(), RuntimeError> {
        let state = self.paths(&config.id).container_state()?;
        let asks_to_end = asks_to_end(config, signal);
        match &state {
            ContainerState::Restarting(_) if asks_to_end => return self.kill(config),
            _ => self.check_running(config, &state)?,
        }
        if signal == StopSignal::KILL {
            return self.kill(config);
        }
        if asks_to_end {
            self.paths(&config.id).mark_stopped(StoppedBy::User)?;
        }
        let mut record = self.running(config)?;
        if record.init.is_none() {
            // The lock is held from before the monitor is made until its program runs.
            self.settle(config)?;
            record = self.running(config)?;
        }
        match record.init.and_then(|init| init.open()) {
            Some(init) => {
                self.tell_signal(config, signal.number());
                ignore_ended(init.signal(signal.number()))
            }
            None => Err(RuntimeError::NotRunning(config.name.clone())),
        }?;
        // What is paused is given other signals when it goes on; that it is to end is no matter to wait with, as with Docker.
        match asks_to_end {
            true => self.let_go_on(config),
            false => Ok(()),
        }
    }

    /// Kills the first process; if there is none yet, the monitor that makes it.
    pub(crate) fn kill_process(
        &self,
        config: &ContainerConfig,
        record: &RunningRecord,
    ) -> Result<(), RuntimeError> {
        let victim = record.init.as_ref().unwrap_or(&record.monitor);
        match victim.open() {
            Some(process) => {
                self.tell_signal(config, SIGKILL);
                ignore_ended(process.signal(SIGKILL))
            }
            None => Ok(()),
        }
    }

    /// Who is who in a container that runs.
    fn running(&self, config: &ContainerConfig) -> Result<RunningRecord, RuntimeError> {
        let state = self.paths(&config.id).container_state()?;
        self.check_running(config, &state)?;
        match state {
            ContainerState::Running(record) => Ok(record),
            _ => Err(RuntimeError::NotRunning(config.name.clone())),
        }
    }

    /// Refuses a container that does not run.
    pub(crate) fn check_running(
        &self,
        config: &ContainerConfig,
        state: &ContainerState,
    ) -> Result<(), RuntimeError> {
        match state {
            ContainerState::Running(_) => Ok(()),
            ContainerState::Restarting(_) => Err(RuntimeError::IsRestarting(config.name.clone())),
            _ => Err(RuntimeError::NotRunning(config.name.clone())),
        }
    }
}

/// Whether somebody who sends this signal wants the container to end: the container's own stop signal, and those by which
/// people end programs.
fn asks_to_end(config: &ContainerConfig, signal: StopSignal) -> bool {
    signal == config.stop_signal || [SIGKILL, SIGTERM, SIGINT, SIGQUIT].contains(&signal.number())
}

/// A process that ended in this moment needs no signal any more.
pub(crate) fn ignore_ended(outcome: io::Result<()>) -> Result<(), RuntimeError> {
    match outcome {
        Err(error) if error.raw_os_error() == Some(nix::libc::ESRCH) => Ok(()),
        outcome => outcome.map_err(|error| RuntimeError::system("signal the container", error)),
    }
}

/// Waits until a process of one of them has ended, or the time of one is over.
fn wait_for_any(all: &[Stopping<'_>]) -> Result<(), RuntimeError> {
    let mut questions: Vec<PollFd<'_>> = all
        .iter()
        .filter_map(|one| Some(PollFd::new(one.awaited()?, PollFlags::POLLIN)))
        .collect();
    let deadline = all.iter().filter_map(Stopping::deadline).min();
    match poll(&mut questions, timeout(deadline)) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(error) => Err(RuntimeError::system("wait for containers", error)),
    }
}

/// How long to wait, at most; a little too long rather than in vain.
fn timeout(deadline: Option<Instant>) -> PollTimeout {
    let Some(deadline) = deadline else {
        return PollTimeout::NONE;
    };
    let rest = deadline.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
    PollTimeout::try_from(rest).unwrap_or(PollTimeout::MAX)
}
