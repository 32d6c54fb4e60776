//! Starting what should run after a boot, and stopping everything before the next one.

use crate::config::ContainerConfig;
use crate::container_state::{ContainerState, EndCause, ExitRecord};
use crate::error::RuntimeError;
use crate::monitor::Occasion;
use crate::process_identity::boot_id;
use crate::report::{Narration, Report};
use crate::restart_policy::{Next, RestartPolicy, Restarts, RunEnd};
use crate::resume::run_end;
use crate::runtime::Runtime;
use crate::start::StartOptions;
use crate::start_order::start_order;
use crate::stop::StopOptions;
use crate::stop_mark::StoppedBy;
use crate::streams::Attachment;

/// Hears of a container, by its name, what became of what was to be done with it.
pub type Told<'a> = dyn FnMut(&str, Result<(), RuntimeError>) + 'a;

impl Runtime {
    /// Starts the containers whose restart policy wants them to run after a boot, those first that others need. One that has
    /// run in this boot already is left alone, unless the host has stopped it. A start that fails is tried again as the
    /// policy says. `warned` hears what monitors have to say.
    ///
    /// # Errors
    /// When the containers cannot be listed.
    pub fn boot(
        &self,
        told: &mut Told<'_>,
        warned: &mut dyn FnMut(&Report),
    ) -> Result<(), RuntimeError> {
        let mut due = Vec::new();
        for config in self.readable(told)? {
            match self.settle(&config).and_then(|()| self.is_due(&config)) {
                Ok(true) => due.push(config),
                Ok(false) => {}
                Err(error) => told(config.name.as_str(), Err(error)),
            }
        }
        let options = StartOptions {
            attachment: Attachment::Detached,
            narration: Narration::Silent,
            window: None,
        };
        for config in start_order(due) {
            let occasion = Occasion::Policy(Restarts::default());
            let outcome = match self.start_for((&config, options), (occasion, warned)) {
                // Somebody was quicker.
                Ok(_) | Err(RuntimeError::AlreadyRunning(_)) => Ok(()),
                Err(error) => Err(error),
            };
            told(config.name.as_str(), outcome);
        }
        Ok(())
    }

    /// Stops all containers, because the host goes down. [`Runtime::boot`] starts those again that have a restart policy.
    ///
    /// # Errors
    /// When the containers cannot be listed or waited for.
    pub fn stop_for_shutdown(&self, told: &mut Told<'_>) -> Result<(), RuntimeError> {
        let mut up = Vec::new();
        for config in self.readable(told)? {
            match self.paths(&config.id).container_state() {
                Ok(state) if state.is_up() => up.push(config),
                Ok(_) => {}
                Err(error) => told(config.name.as_str(), Err(error)),
            }
        }
        let options = StopOptions {
            by: StoppedBy::Host,
            ..StopOptions::default()
        };
        let mut names = up.iter().map(|config| config.name.as_str());
        self.stop_all(&up, &options, &mut |stopped| {
            told(names.next().unwrap_or_default(), stopped);
        })
    }

    /// All containers, oldest first. One whose record is damaged does not keep the others from being started.
    fn readable(&self, told: &mut Told<'_>) -> Result<Vec<ContainerConfig>, RuntimeError> {
        let mut containers = Vec::new();
        for id in self.ids()? {
            match self.read(&id) {
                Ok(config) => containers.extend(config),
                Err(error) => told(&id.short(), Err(error)),
            }
        }
        containers.sort_by_key(|config| (config.created, config.id));
        Ok(containers)
    }

    /// Whether a container is to be started after this boot.
    fn is_due(&self, config: &ContainerConfig) -> Result<bool, RuntimeError> {
        let paths = self.paths(&config.id);
        match paths.container_state()? {
            ContainerState::Exited(exit) => {
                let end = run_end(&paths, &exit)?;
                Ok(runs_after_boot(config.restart, (&exit, &end), boot_id()))
            }
            _ => Ok(false),
        }
    }
}

/// Whether a container that has ended is to run now.
fn runs_after_boot(policy: RestartPolicy, (exit, end): (&ExitRecord, &RunEnd), boot: &str) -> bool {
    match end.stopped {
        // It ran as long as it could.
        Some(StoppedBy::Host) => policy != RestartPolicy::No,
        // What has happened in this boot is not undone.
        _ if exit.boot == boot => false,
        Some(StoppedBy::User) => policy == RestartPolicy::Always,
        None => match policy {
            RestartPolicy::No => false,
            RestartPolicy::Always | RestartPolicy::UnlessStopped => true,
            RestartPolicy::OnFailure(_) => was_wanted(policy, exit, end),
        },
    }
}

/// Whether a container ran, or was about to run again, when the host went down.
fn was_wanted(policy: RestartPolicy, exit: &ExitRecord, end: &RunEnd) -> bool {
    let so_far = Restarts {
        count: exit.restarts,
        in_a_row: 0,
    };
    match exit.cause {
        EndCause::HostDown => true,
        // Whoever asked for its first start was told.
        EndCause::StartFailed if exit.restarts == 0 => false,
        _ => policy.after(end, so_far) != Next::End,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use std::time::Duration;

    fn exit(cause: EndCause, (exit_code, restarts): (i32, u32)) -> ExitRecord {
        ExitRecord {
            started: Timestamp::UNIX_EPOCH,
            finished: Timestamp::UNIX_EPOCH,
            exit_code,
            error: None,
            cause,
            restarts,
            boot: "before".into(),
            oom_killed: false,
            signal: None,
            usage: None,
        }
    }

    fn runs(policy: &str, exit: &ExitRecord, stopped: Option<StoppedBy>) -> bool {
        let end = RunEnd {
            exit_code: exit.exit_code,
            ran: Duration::ZERO,
            stopped,
        };
        runs_after_boot(policy.parse().unwrap(), (exit, &end), "now")
    }

    #[test]
    fn a_policy_says_what_runs_after_a_boot() {
        use EndCause::{HostDown, Program, StartFailed};
        use StoppedBy::{Host, User};
        let down = exit(HostDown, (137, 0));
        for (policy, stopped, expected) in [
            ("no", None, false),
            ("no", Some(Host), false),
            ("on-failure", None, true),
            ("on-failure", Some(Host), true),
            ("on-failure", Some(User), false),
            ("always", None, true),
            ("always", Some(Host), true),
            ("always", Some(User), true),
            ("unless-stopped", None, true),
            ("unless-stopped", Some(Host), true),
            ("unless-stopped", Some(User), false),
        ] {
            assert_eq!(
                runs(policy, &down, stopped),
                expected,
                "{policy} {stopped:?}"
            );
        }
        for (exit, expected) in [
            (exit(Program, (0, 0)), false),
            (exit(Program, (1, 1)), true),
            (exit(Program, (1, 2)), false),
            (exit(StartFailed, (127, 0)), false),
            (exit(StartFailed, (127, 1)), true),
        ] {
            assert_eq!(runs("on-failure:2", &exit, None), expected, "{exit:?}");
        }
    }

    #[test]
    fn what_has_ended_in_this_boot_is_left_alone_unless_the_host_stopped_it() {
        let mut ended = exit(EndCause::Program, (143, 0));
        ended.boot = "now".into();
        for policy in ["on-failure", "always", "unless-stopped"] {
            assert!(!runs(policy, &ended, None), "{policy}");
            assert!(!runs(policy, &ended, Some(StoppedBy::User)), "{policy}");
            assert!(runs(policy, &ended, Some(StoppedBy::Host)), "{policy}");
        }
    }
}
