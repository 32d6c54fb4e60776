//! Health checks of a container, as its monitor runs them.
//!
//! Theory of operation
//!
//! 1. When a check is due, the monitor forks a worker (`health_worker`), which executes the program in the container, reads
//!    what it writes, kills it when it takes too long, and writes the record. All that takes memory and time, of which a
//!    monitor has little: it only waits for the end of the worker, among everything else that it waits for.
//! 2. The worker's exit code is the answer. What the answer means, both know from the same pure function
//!    ([`HealthProgress::after`]), so nothing else has to pass between them.
//! 3. A worker that ends in any other way, or that hangs, counts as a failed check, which the monitor records itself.
//! 4. While the container is paused nothing counts, because its program cannot answer (`pauses`). The next check comes an interval
//!    later.
//!
//! The worker dies with the monitor. When the container ends, it is killed and reaped before its state is removed.

use super::health_worker::{Asked, Check, Verdict, Worker};
use super::pauses::Pauses;
use crate::config::ContainerConfig;
use crate::events::{Action, Event};
use crate::health::{Health, HealthProgress, HealthResult, HealthTerms, Outcome};
use crate::resources::group_parent::GroupParent;
use crate::runtime::Runtime;
use jiff::Timestamp;
use minirun_bridge::atomic_file;
use minirun_bridge::id::ContainerId;
use nix::poll::{PollFd, PollFlags};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// How much longer than its program a worker may take before it counts as hanging.
const GRACE: Duration = Duration::from_secs(10);

/// The health checks of one container.
pub(super) struct HealthChecks {
    runtime: Runtime,
    id: ContainerId,
    group_parent: GroupParent,
    terms: HealthTerms,
    progress: HealthProgress,
    /// When the container's program began.
    begun: Instant,
    phase: Phase,
}

/// What goes on.
enum Phase {
    /// Nothing until the next check.
    Waiting { due: Instant },
    /// A check.
    Checking {
        worker: Worker,
        asked: Asked,
        /// When the worker counts as hanging.
        give_up: Instant,
    },
}

impl HealthChecks {
    /// Begins to check a container whose program has just begun, if its health is to be checked.
    pub(super) fn begin(runtime: &Runtime, config: &ContainerConfig) -> Option<Box<HealthChecks>> {
        let terms = config.health.as_ref()?.terms();
        let progress = HealthProgress::default();
        let begun = Instant::now();
        // What was known of an earlier run says nothing about this one.
        atomic_file::remove(&runtime.paths(&config.id).health());
        Some(Box::new(HealthChecks {
            runtime: runtime.clone(),
            id: config.id,
            group_parent: config.resources.group_parent.clone(),
            terms,
            progress,
            begun,
            phase: Phase::Waiting {
                due: begun + progress.pause(Duration::ZERO, &terms),
            },
        }))
    }

    /// What to wait for. To be asked anew after each [`HealthChecks::go_on`].
    pub(super) fn wanted(&self) -> Option<PollFd<'_>> {
        match &self.phase {
            Phase::Waiting { .. } => None,
            Phase::Checking { worker, .. } => Some(PollFd::new(worker.as_fd(), PollFlags::POLLIN)),
        }
    }

    /// When to call [`HealthChecks::go_on`] even if nothing has happened.
    pub(super) fn deadline(&self) -> Instant {
        match &self.phase {
            Phase::Waiting { due } => *due,
            Phase::Checking { give_up, .. } => *give_up,
        }
    }

    /// Does what can be done now without waiting. Calling it when nothing has happened does no harm.
    pub(super) fn go_on(&mut self) {
        let now = Instant::now();
        match &mut self.phase {
            Phase::Waiting { due } if *due <= now => self.ask(now),
            Phase::Waiting { .. } => {}
            Phase::Checking {
                worker,
                asked,
                give_up,
            } => {
                let asked = *asked;
                match worker.verdict() {
                    None if *give_up <= now => {
                        worker.kill();
                        *give_up = now + GRACE;
                    }
                    None => {}
                    Some(verdict) => self.take_in(verdict, asked),
                }
            }
        }
    }

    /// Begins a check.
    fn ask(&mut self, now: Instant) {
        let asked = Asked {
            at: Timestamp::now(),
            running: now - self.begun,
            give_up: now + self.terms.timeout,
        };
        let check = Check {
            runtime: &self.runtime,
            id: &self.id,
            group_parent: &self.group_parent,
            terms: self.terms,
            progress: self.progress,
            asked,
        };
        match Worker::fork(&check) {
            Ok(worker) => {
                self.phase = Phase::Checking {
                    worker,
                    asked,
                    give_up: asked.give_up + GRACE,
                };
            }
            // A host that has no room for one more process says nothing about the container.
            Err(_) => self.wait_for_next(),
        }
    }

    fn take_in(&mut self, verdict: Verdict, asked: Asked) {
        match verdict {
            Verdict::Counted(outcome) => self.adopt(outcome, asked),
            Verdict::Lost if !Pauses::of((&self.group_parent, &self.id)).is_paused() => {
                self.adopt(Outcome::Failed, asked);
                self.record_lost(asked);
            }
            Verdict::Lost | Verdict::NotCounted => {}
        }
        self.wait_for_next();
    }

    /// Takes an answer in, and tells whoever listens if the container's health is another now.
    fn adopt(&mut self, outcome: Outcome, asked: Asked) {
        let before = self.progress.status;
        self.progress = self.progress.after(outcome, asked.running, &self.terms);
        let status = self.progress.status;
        if status != before
            && let Ok(Some(config)) = self.runtime.read(&self.id)
        {
            let event = Event::container(&config, Action::HealthStatus);
            self.runtime.tell_event(event.about(status.to_string()));
        }
    }

    /// Records that there was no answer, since the worker did not. A full disk must not stop anything; what is known is
    /// kept here.
    fn record_lost(&self, asked: Asked) {
        let result = HealthResult {
            start: asked.at,
            end: Timestamp::now(),
            exit_code: -1,
            output: "the check was killed before it was over".into(),
        };
        let _ = Health::note(&self.runtime.paths(&self.id), result, self.progress);
    }

    fn wait_for_next(&mut self) {
        let now = Instant::now();
        let pause = self.progress.pause(now - self.begun, &self.terms);
        self.phase = Phase::Waiting { due: now + pause };
    }
}
