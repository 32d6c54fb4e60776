//! The end of a run: recorded, reported and taken down; and what comes after it.

use super::guardian;
use super::listener::Listener;
use super::reached_limits::reached_limits;
use super::run_clock::Struck;
use super::setup::Container;
use super::teardown::{Afterwards, take_down};
use super::watch::{Followed, SeenEnd};
use super::{Monitor, Occasion, keep_memory_small};
use crate::cgroup::{Consumption, oom_killed};
use crate::config::ContainerConfig;
use crate::container_state::{EndCause, ExitRecord, write_exit};
use crate::error::{OWN_ERROR, RuntimeError};
use crate::fork::fork_apart;
use crate::process::Exit;
use crate::process_identity::boot_id;
use crate::record_stamp::RecordStamp;
use crate::report::Report;
use crate::restart_policy::Next;
use crate::run_usage::RunUsage;
use crate::time_limit::TIMED_OUT;
use jiff::Timestamp;
use minirun_bridge::closed_port::LastConnections;
use nix::libc;
use nix::unistd::ForkResult;
use std::borrow::Cow;
use std::fs::File;

impl<'a> Monitor<'a> {
    /// Stays until the program has ended, and takes the container down.
    pub(super) fn accompany(&mut self, mut container: Container) {
        let mounts = self.hold_mounts(&container);
        keep_memory_small();
        let (runtime, id) = (self.runtime, self.config.id);
        let seen = container.watch(&mut |followed| match followed {
            Followed::Networks(network) => network.follow(runtime, &id),
            Followed::TimeLimit(clock) => clock.limit(runtime.current_record(&id)?.time_limit),
            Followed::Overdue => runtime.let_go_on(self.config),
        });
        // Nobody is there any more to follow changes of the networks: who has something to say about them must not wait.
        container.control = None;
        let lock = self.runtime.lock_if_present(&self.config.id);
        let end = match seen {
            Ok(seen) => self.seen_end(&seen, container.clock.struck()),
            Err(error) => self.end(EndCause::MonitorLost, OWN_ERROR, Some(error.to_string())),
        };
        // Its name and its policy may be others than at the start.
        let current = self.current_record();
        let next = match lock {
            Ok(_) => self.next(&end, &current),
            Err(_) => Next::End,
        };
        self.record_end(&end);
        let current = current.ok().flatten();
        let config = current.as_deref().unwrap_or(self.config);
        runtime.tell_death(config, &end);
        for message in reached_limits(config, &end) {
            let warned = Report::Warned { message };
            self.reporter.send(&warned);
            container.tell(&warned);
        }
        let exited = Report::Exited(Box::new(end));
        self.reporter.send(&exited);
        container.tell(&exited);
        let lock = match lock {
            Ok(lock) => lock,
            // Without the lock, the rest is left to the next command.
            Err(error) => return self.reporter.failed(&error),
        };
        let behind = container.hand_over();
        let settled = container.network.settle((self.runtime, &self.config.id));
        let connections = match settled {
            Ok(connections) => connections,
            // The rest is left to the next command.
            Err(error) => return self.reporter.failed(&error),
        };
        // The host ports become free now. Whoever takes one of them meets our claim and removes the rules behind it first.
        drop((container, mounts));
        self.take_down((config, connections), next);
        drop(lock);
        finish_for(behind);
    }

    /// Holds what the container has mounted beyond the end of its program. The kernel takes half a millisecond to take it apart, which
    /// the command need not wait for; whoever else means a container that is removed with its end waits for its lock. Anything of
    /// the host's that is mounted inside shall be free as soon as the program has ended.
    fn hold_mounts(&self, container: &Container) -> Option<File> {
        if !self.config.auto_remove || !self.config.storage.mounts.is_empty() {
            return None;
        }
        // A program that has ended by now has none any more.
        File::open(format!("/proc/{}/ns/mnt", container.process.pid())).ok()
    }

    /// Records that it could not be started, and takes back what was made.
    pub(super) fn conclude_failure(&mut self, error: &RuntimeError) {
        let end = self.end(
            EndCause::StartFailed,
            error.exit_code(),
            Some(error.to_string()),
        );
        let next = match self.occasion {
            // Whoever asked is told, and decides.
            Occasion::Asked | Occasion::New => Next::End,
            Occasion::Policy(_) => self.next(&end, &self.current_record()),
        };
        self.record_end(&end);
        self.take_down((self.config, LastConnections::Settled), next);
    }

    /// The container's record. It is read again only if it was replaced.
    fn current_record(&self) -> Result<Option<Cow<'a, ContainerConfig>>, RuntimeError> {
        if self.stamp.is_some() && RecordStamp::of(&self.paths.record()) == self.stamp {
            return Ok(Some(Cow::Borrowed(self.config)));
        }
        Ok(self.runtime.read(&self.config.id)?.map(Cow::Owned))
    }

    /// The end of a run that was watched to its end. A program that was quicker than the kill has ended by itself.
    fn seen_end(&self, seen: &SeenEnd, struck: Struck) -> ExitRecord {
        let (cause, exit_code) = match (struck, seen.exit) {
            (Struck::Yes, Exit::Signal(libc::SIGKILL)) => (EndCause::TimedOut, TIMED_OUT),
            _ => (EndCause::Program, seen.exit.exit_code()),
        };
        let counted = Consumption::of(self.config.group()).unwrap_or_default();
        ExitRecord {
            signal: match seen.exit {
                Exit::Signal(signal) => Some(signal),
                Exit::Code(_) => None,
            },
            usage: Some(RunUsage::of(seen.wall, counted, seen.used)),
            ..self.end(cause, exit_code, None)
        }
    }

    fn end(&self, cause: EndCause, exit_code: i32, error: Option<String>) -> ExitRecord {
        ExitRecord {
            started: self.record.started,
            finished: Timestamp::now(),
            exit_code,
            signal: None,
            usage: None,
            error,
            cause,
            restarts: self.record.restarts.count,
            boot: boot_id().to_string(),
            oom_killed: oom_killed(self.config.group()).unwrap_or_default(),
        }
    }

    /// What follows this end. If that is another run, it is on record before the end is, so that nobody takes the container
    /// for one that has ended; and so is the guardian that begins it.
    fn next(
        &mut self,
        end: &ExitRecord,
        current: &Result<Option<Cow<'_, ContainerConfig>>, RuntimeError>,
    ) -> Next {
        let id = &self.config.id;
        let decided = match current {
            Ok(Some(current)) => self.runtime.follow_policy(current, end, &self.record),
            Ok(None) => return Next::End,
            Err(error) => {
                self.reporter.warn(error);
                return Next::End;
            }
        };
        let (next, guardian) = match decided {
            Ok(decided) => decided,
            Err(error) => {
                self.reporter.warn(&error);
                return Next::End;
            }
        };
        if let Next::Again { delay, restarts } = next {
            let appointed = guardian.map_or_else(|| guardian::appoint(self.runtime, id), Ok);
            let written = appointed.and_then(|guardian| {
                self.paths
                    .write_restarting(end, (delay, restarts), guardian)
            });
            if let Err(error) = written {
                // The record still names this monitor, and whoever finds it abandoned follows the policy.
                self.reporter.warn(&error);
            }
        }
        next
    }

    /// Records how it ended.
    fn record_end(&mut self, end: &ExitRecord) {
        if let Err(error) = write_exit(&self.exit_file, end) {
            let error = RuntimeError::file("write", &self.paths.exit(), error);
            self.reporter.warn(&error);
        }
    }

    fn take_down(
        &mut self,
        (config, connections): (&ContainerConfig, LastConnections),
        next: Next,
    ) {
        let afterwards = match next {
            Next::End => Afterwards::Ended,
            Next::Again { .. } => Afterwards::MadeAgain,
        };
        for error in take_down(
            self.runtime,
            (config, connections, afterwards),
            &mut self.reporter,
        ) {
            self.reporter.warn(&error);
        }
    }
}

/// Gives those who listen the rest. Neither the next run nor whoever waits for this one's end waits for them, so another
/// process does it.
fn finish_for(behind: Vec<Listener>) {
    if behind.is_empty() || matches!(fork_apart(), Ok(ForkResult::Parent { .. })) {
        return;
    }
    behind.into_iter().for_each(Listener::finish);
}
