//! One of several containers that are being stopped: which process is waited for, and what is done when that has ended.

use crate::config::ContainerConfig;
use crate::container_state::{ContainerState, RunningRecord};
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::process_identity::PidFd;
use crate::runtime::Runtime;
use crate::stop::{StopOptions, ignore_ended};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

/// A container on its way to its end.
pub(crate) struct Stopping<'a> {
    runtime: &'a Runtime,
    config: &'a ContainerConfig,
    options: &'a StopOptions,
    /// Whether there was anything to stop.
    was_up: bool,
    phase: Phase,
}

enum Phase {
    /// Its program was asked to end.
    Asked {
        init: PidFd,
        /// When it is killed, and that process.
        deadline: Option<Instant>,
        record: Box<RunningRecord>,
    },
    /// Its program has ended or was killed, and its monitor takes it down.
    Leaving { monitor: PidFd },
    /// It is stopped, or cannot be.
    Over(Result<(), RuntimeError>),
    /// That was told.
    Told,
}

impl<'a> Stopping<'a> {
    /// Asks a container to end.
    pub(crate) fn begin(
        runtime: &'a Runtime,
        config: &'a ContainerConfig,
        options: &'a StopOptions,
    ) -> Stopping<'a> {
        let state = runtime.paths(&config.id).container_state();
        let mut stopping = Stopping {
            runtime,
            config,
            options,
            was_up: state.is_ok_and(|state| state.is_up()),
            phase: Phase::Told,
        };
        stopping.enter(stopping.look());
        stopping
    }

    /// The process that is waited for.
    pub(crate) fn awaited(&self) -> Option<BorrowedFd<'_>> {
        match &self.phase {
            Phase::Asked { init, .. } => Some(init.as_fd()),
            Phase::Leaving { monitor } => Some(monitor.as_fd()),
            Phase::Over(_) | Phase::Told => None,
        }
    }

    /// When its time is over.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Asked { deadline, .. } => *deadline,
            _ => None,
        }
    }

    /// What came of it, once.
    pub(crate) fn take_outcome(&mut self) -> Option<Result<(), RuntimeError>> {
        match std::mem::replace(&mut self.phase, Phase::Told) {
            Phase::Over(outcome) => Some(outcome),
            phase => {
                self.phase = phase;
                None
            }
        }
    }

    /// Does what is to be done now, if anything.
    pub(crate) fn go_on(&mut self) {
        if !matches!(self.phase, Phase::Over(_) | Phase::Told) {
            let phase = std::mem::replace(&mut self.phase, Phase::Told);
            self.enter(self.after(phase));
        }
    }

    fn enter(&mut self, phase: Result<Phase, RuntimeError>) {
        self.phase = phase.unwrap_or_else(|error| Phase::Over(Err(error)));
        if self.was_up && matches!(self.phase, Phase::Over(Ok(()))) {
            let event = Event::container(self.config, Action::Stop);
            self.runtime.tell_event(event);
        }
    }

    fn after(&self, phase: Phase) -> Result<Phase, RuntimeError> {
        let has_ended = |process: &PidFd| {
            process
                .has_ended()
                .map_err(|error| RuntimeError::system("wait for the container", error))
        };
        match phase {
            Phase::Asked {
                init,
                deadline,
                record,
            } => {
                let is_late = deadline.is_some_and(|deadline| deadline <= Instant::now());
                match has_ended(&init)? {
                    false if !is_late => Ok(Phase::Asked {
                        init,
                        deadline,
                        record,
                    }),
                    false => {
                        self.runtime.kill_process(self.config, &record)?;
                        self.runtime.let_go_on(self.config)?;
                        self.leaving(&record)
                    }
                    true => self.leaving(&record),
                }
            }
            Phase::Leaving { monitor } => match has_ended(&monitor)? {
                true => self.look(),
                false => Ok(Phase::Leaving { monitor }),
            },
            phase => Ok(phase),
        }
    }

    /// Looks what state the container is in, and does what that asks for. It may just have been started again by itself, as
    /// long as nobody had said that it is being stopped.
    fn look(&self) -> Result<Phase, RuntimeError> {
        let paths = self.runtime.paths(&self.config.id);
        // Of one whose monitor was killed, too: its restart policy would start it again otherwise.
        let state = paths.container_state()?;
        if state.is_up() || matches!(state, ContainerState::Abandoned(Some(_))) {
            paths.mark_stopped(self.options.by)?;
        }
        match paths.container_state()? {
            ContainerState::Running(record) => self.ask(record),
            ContainerState::Restarting(_) => {
                self.runtime.dismiss(self.config)?;
                self.look()
            }
            ContainerState::Abandoned(_) | ContainerState::Exited(_) => {
                // Whoever takes it down is waited for, or does not live any more.
                self.runtime.settle(self.config)?;
                Ok(Phase::Over(Ok(())))
            }
            ContainerState::Created => Ok(Phase::Over(Ok(()))),
        }
    }

    fn ask(&self, record: RunningRecord) -> Result<Phase, RuntimeError> {
        let Some(init) = &record.init else {
            self.runtime.kill_process(self.config, &record)?;
            return self.leaving(&record);
        };
        let Some(init) = init.open() else {
            return self.leaving(&record);
        };
        let signal = self.options.signal.unwrap_or(self.config.stop_signal);
        self.runtime.tell_signal(self.config, signal.number());
        ignore_ended(init.signal(signal.number()))?;
        self.runtime.let_go_on(self.config)?;
        let timeout = self.options.timeout.unwrap_or(self.config.stop_timeout);
        // One that lies too far ahead for the clock is never met.
        let deadline = timeout
            .duration()
            .and_then(|patience| Instant::now().checked_add(patience));
        Ok(Phase::Asked {
            init,
            deadline,
            record: Box::new(record),
        })
    }

    fn leaving(&self, record: &RunningRecord) -> Result<Phase, RuntimeError> {
        match record.monitor.open() {
            Some(monitor) => Ok(Phase::Leaving { monitor }),
            None => self.look(),
        }
    }
}
