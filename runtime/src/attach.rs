//! Attaching a command to a container that runs already.

use crate::config::ContainerConfig;
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::monitor;
use crate::report::{Narration, Report, channel};
use crate::runtime::Runtime;
use crate::start::Started;
use crate::streams::{Attachment, CommandEnds};
use crate::terminal::Terminal;
use std::io;

impl Runtime {
    /// Attaches to a running container: what its program writes from now on comes to the caller, too, and its monitor tells
    /// how it ends. Any number may be attached.
    ///
    /// # Errors
    /// [`RuntimeError::NotRunning`]; [`RuntimeError::MonitorRefused`].
    pub fn attach(
        &self,
        config: &ContainerConfig,
        attachment: Attachment,
    ) -> Result<Started, RuntimeError> {
        let not_running = || RuntimeError::NotRunning(config.name.clone());
        if self.init_of(&config.id).is_none() {
            return Err(not_running());
        }
        let (ends, monitor_ends) = CommandEnds::of_attach(&config.process, attachment)
            .map_err(|error| RuntimeError::system("make pipes", error))?;
        let (reporter, mut reports) = channel(Narration::Silent)?;
        let answer = monitor::ask_to_attach(&self.paths(&config.id), (&monitor_ends, &reporter));
        drop((reporter, monitor_ends));
        understand(config, answer)?;
        match reports.receive_with()? {
            Some((Report::Started { .. }, handed)) => {
                let streams = ends.complete(&config.process, handed)?;
                self.tell_event(Event::container(config, Action::Attach));
                Ok(Started {
                    reports,
                    streams: Some(streams),
                })
            }
            // It ended before its monitor had time for us.
            _ => Err(not_running()),
        }
    }

    /// Leaves the terminal of an executed program to the container's monitor, which keeps it and throws away what the program
    /// writes to it. Without anybody who keeps it, a terminal hangs up and its programs end.
    ///
    /// # Errors
    /// As [`Runtime::attach`].
    pub fn leave_terminal(
        &self,
        config: &ContainerConfig,
        terminal: Terminal,
    ) -> Result<(), RuntimeError> {
        understand(
            config,
            monitor::ask_to_keep(&self.paths(&config.id), &terminal),
        )
    }
}

/// What a monitor has answered. One that cannot be reached is gone, and its container with it.
fn understand(
    config: &ContainerConfig,
    answer: io::Result<Option<String>>,
) -> Result<(), RuntimeError> {
    match answer {
        Ok(None) => Ok(()),
        Ok(Some(message)) => Err(RuntimeError::MonitorRefused {
            container: config.name.clone(),
            message,
        }),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Err(RuntimeError::system("hear the monitor", error))
        }
        Err(_) => Err(RuntimeError::NotRunning(config.name.clone())),
    }
}
