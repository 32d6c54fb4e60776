//! Who tells of the program's end, and takes signals to it.

use super::signals::for_program;
use crate::failure::{Failure, complain};
use minirun_runtime::config::ContainerConfig;
use minirun_runtime::events::{Action, Event};
use minirun_runtime::process::RunningProcess;
use minirun_runtime::report::{Report, Reports};
use minirun_runtime::runtime::Runtime;
use minirun_runtime::terminal::Terminal;
use nix::sys::signal::Signal;
use std::os::fd::{AsFd, BorrowedFd};

/// A container, and the runtime that knows it.
type Container<'a> = (&'a Runtime, &'a ContainerConfig);

/// Who tells of the program's end, and takes signals to it.
pub enum Source<'a> {
    /// The monitor of a container.
    Monitor {
        /// The container, which takes signals.
        container: Container<'a>,
        /// What it tells.
        reports: Reports,
    },
    /// A process of our own.
    Process {
        /// The container, which keeps what we leave.
        container: Container<'a>,
        /// The process.
        process: RunningProcess,
        /// What its events are known by.
        execution: String,
    },
}

/// How the time with a program ended.
#[derive(Clone, Copy)]
pub(super) enum End {
    /// With the program, whose exit code this is.
    Code(i32),
    /// With its monitor, which could not say how.
    Unknown,
    /// By the wish of the user; the program goes on.
    Detached,
    /// With the user's terminal.
    HungUp,
    /// By a signal that is not passed on; the program goes on.
    Signal(Signal),
}

impl<'a> Source<'a> {
    /// The monitor of a container that this command has started or attached to.
    pub fn monitor(
        runtime: &'a Runtime,
        config: &'a ContainerConfig,
        reports: Reports,
    ) -> Source<'a> {
        Source::Monitor {
            container: (runtime, config),
            reports,
        }
    }

    /// A program that this command has executed in a container.
    pub fn process(
        runtime: &'a Runtime,
        config: &'a ContainerConfig,
        (process, execution): (RunningProcess, String),
    ) -> Source<'a> {
        Source::Process {
            container: (runtime, config),
            process,
            execution,
        }
    }

    /// What to wait for: news.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        match self {
            Source::Monitor { reports, .. } => reports.as_fd(),
            Source::Process { process, .. } => process.pidfd(),
        }
    }

    pub(super) fn signal(&self, signal: Signal) {
        let Some(signal) = for_program(signal) else {
            return;
        };
        match self {
            Source::Monitor {
                container: (runtime, config),
                ..
            } => {
                // A container that has just ended needs no signal any more.
                let _ = runtime.signal(config, signal);
            }
            Source::Process { process, .. } => {
                // A program that has just ended needs no signal any more.
                let _ = process.signal(signal.number());
            }
        }
    }

    /// Hears the news; the end, if that is what they are.
    pub(super) fn hear(&mut self, told: &mut dyn FnMut(&Report)) -> Result<Option<End>, Failure> {
        let reports = match self {
            Source::Process {
                container: (runtime, config),
                process,
                execution,
            } => {
                let exit_code = process.wait().map_err(Failure::own)?.exit_code();
                runtime.tell_exec_end(config, execution, exit_code);
                return Ok(Some(End::Code(exit_code)));
            }
            Source::Monitor { reports, .. } => reports,
        };
        let report = reports
            .receive()
            .map_err(|error| Failure::of_program(&error))?;
        Ok(match report {
            Some(report) => {
                told(&report);
                match report {
                    Report::Exited(end) => Some(End::Code(end.exit_code)),
                    _ => None,
                }
            }
            None => Some(End::Unknown),
        })
    }

    /// Sees to it that the program can go on without us, and tells that it does.
    pub(super) fn leave(&self, terminal: Option<Terminal>) {
        let (runtime, config, execution) = match self {
            Source::Monitor {
                container: (runtime, config),
                ..
            } => return runtime.tell_event(Event::container(config, Action::Detach)),
            Source::Process {
                container: (runtime, config),
                execution,
                ..
            } => (runtime, config, execution),
        };
        if let Some(Err(error)) = terminal.map(|terminal| runtime.leave_terminal(config, terminal))
        {
            let what = format!("the program loses its terminal and may end: {error}");
            complain("warning", &what);
        }
        runtime.tell_exec_detached(config, execution);
    }
}
