//! Who tells of the program's end, and takes signals to it.

use super::signals::for_program;
use crate::failure::{Failure, complain};
use minirun_bridge::name::ContainerName;
use minirun_runtime::config::ContainerConfig;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::process::RunningProcess;
use minirun_runtime::report::{Report, Reports};
use minirun_runtime::runtime::Runtime;
use minirun_runtime::signal::StopSignal;
use minirun_runtime::terminal::Terminal;
use nix::sys::signal::Signal;
use std::os::fd::{AsFd, BorrowedFd};

/// Who tells of the program's end, and takes signals to it.
pub enum Source<'a> {
    /// The monitor of a container.
    Monitor {
        /// The container.
        name: &'a ContainerName,
        /// What it tells.
        reports: Reports,
        /// Sends a signal to the program.
        forward: Box<dyn Fn(StopSignal) + 'a>,
    },
    /// A process of our own.
    Process {
        /// The process.
        process: RunningProcess,
        /// Leaves its terminal to somebody who stays.
        leave: Box<dyn Fn(Terminal) -> Result<(), RuntimeError> + 'a>,
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
            name: &config.name,
            reports,
            forward: Box::new(|signal| {
                // A container that has just ended needs no signal any more.
                let _ = runtime.signal(config, signal);
            }),
        }
    }

    /// A program that this command has executed in a container.
    pub fn process(
        runtime: &'a Runtime,
        config: &'a ContainerConfig,
        process: RunningProcess,
    ) -> Source<'a> {
        Source::Process {
            process,
            leave: Box::new(|terminal| runtime.leave_terminal(config, terminal)),
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
            Source::Monitor { forward, .. } => forward(signal),
            Source::Process { process, .. } => {
                // A program that has just ended needs no signal any more.
                let _ = process.signal(signal.number());
            }
        }
    }

    /// Hears the news; the end, if that is what they are.
    pub(super) fn hear(&mut self, told: &mut dyn FnMut(&Report)) -> Result<Option<End>, Failure> {
        let reports = match self {
            Source::Process { process, .. } => {
                let exit = process.wait().map_err(Failure::own)?;
                return Ok(Some(End::Code(exit.exit_code())));
            }
            Source::Monitor { reports, .. } => reports,
        };
        let report = reports
            .receive()
            .map_err(|error| Failure::of_program(&error))?;
        Ok(match report {
            Some(Report::Exited { exit_code }) => Some(End::Code(exit_code)),
            Some(report) => {
                told(&report);
                None
            }
            None => Some(End::Unknown),
        })
    }

    /// Sees to it that the program can go on without us.
    pub(super) fn leave(&self, terminal: Option<Terminal>) {
        if let (Source::Process { leave, .. }, Some(terminal)) = (self, terminal)
            && let Err(error) = leave(terminal)
        {
            let what = format!("the program loses its terminal and may end: {error}");
            complain("warning", &what);
        }
    }
}
