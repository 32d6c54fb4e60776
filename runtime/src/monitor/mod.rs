//! The monitor: one small process for each running container.
//!
//! Theory of operation
//!
//! 1. A command forks it. It leaves the command's session, terminal and directory, and closes every descriptor but those
//!    it was given ([`run`]).
//! 2. It makes the container (`setup`): records itself, clones the first process into its namespaces, attaches the
//!    network while that process makes its root file system, records that process, and opens the gate. So nothing of the
//!    image ever runs that is not on record.
//! 3. It says that the program runs, gives back the container's lock, and from then on only copies output into the log
//!    and to the commands that listen (`watch`, `streams`, `listener`). It never waits for a command. Others may attach
//!    themselves meanwhile (`control`).
//! 4. When the program has ended it takes the lock again, asks the restart policy, records the end, reports it, and takes
//!    everything down (`conclusion`, `teardown`). Whoever wants the same container, name or port in this moment waits for
//!    the lock.
//!
//! If the monitor is killed, the kernel kills the container's first process with it (`PR_SET_PDEATHSIG`), and the next
//! command repairs the rest. A container with a restart policy has a `guardian` as well: it does that at once, and makes
//! the next monitor. So a monitor knows one run only.

mod buffer;
mod conclusion;
mod control;
mod descriptors;
mod detachment;
pub(crate) mod guardian;
mod health;
mod health_output;
mod health_worker;
mod kept_terminal;
mod listener;
mod networks;
mod output;
mod pauses;
mod reached_limits;
mod resolver;
mod run_clock;
mod setup;
mod streams;
mod teardown;
mod watch;

use crate::config::ContainerConfig;
use crate::container_state::{ContainerPaths, RunningRecord};
use crate::error::RuntimeError;
use crate::forerunner::Ahead;
use crate::process_identity::ProcessIdentity;
use crate::record_stamp::RecordStamp;
use crate::report::Reporter;
use crate::restart_policy::Restarts;
use crate::runtime::Runtime;
use crate::store::ContainerLock;
use crate::terminal::WindowSize;
use crate::vital_sign;
use jiff::Timestamp;
use std::fs::File;
use std::io::{PipeReader, PipeWriter};
use std::os::fd::{AsFd, BorrowedFd};

pub(crate) use control::{
    ask_to_attach, ask_to_keep, tell_networks_changed, tell_time_limit_changed,
};
use detachment::detach_from_command;
use health::HealthChecks;
pub(crate) use networks::last_addresses;
use setup::Container;
pub(crate) use teardown::{Afterwards, take_down};

/// What is allocated in one piece of more bytes than this is given back to the kernel when it is freed.
const LARGE: libc::c_int = 48 * 1024;

/// The ends of the pipes to the command, as far as it wanted any.
#[derive(Debug, Default)]
pub struct MonitorStreams {
    /// What the program reads.
    pub stdin: Option<PipeReader>,
    /// Where its output goes besides the log.
    pub stdout: Option<PipeWriter>,
    /// Where its error output goes besides the log.
    pub stderr: Option<PipeWriter>,
    /// How large the command's window is.
    pub window: Option<WindowSize>,
}

/// What a monitor is given.
#[derive(Debug)]
pub struct Assignment {
    /// What was made before the container was known.
    pub ahead: Ahead,
    /// The ends of the pipes to the command.
    pub streams: MonitorStreams,
    /// What it tells, and to whom.
    pub reporter: Reporter,
    /// The container's lock, until the program runs.
    pub lock: ContainerLock,
    /// Why the container is started.
    pub occasion: Occasion,
    /// Who replaces the monitor when that is killed, if the container has a restart policy.
    pub guardian: Option<ProcessIdentity>,
}

/// Why a container is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Somebody asked for it, and is told if it fails.
    Asked,
    /// So it is here, and who asked has just created the container, under the lock that we have.
    New,
    /// Its restart policy says so, also if it fails. It has been started again so often.
    Policy(Restarts),
}

impl Occasion {
    fn restarts(self) -> Restarts {
        match self {
            Occasion::Asked | Occasion::New => Restarts::default(),
            Occasion::Policy(restarts) => restarts,
        }
    }
}

/// The life of a monitor; it is called in a fresh fork and does not return.
pub fn run(runtime: &Runtime, config: &ContainerConfig, mut assignment: Assignment) -> ! {
    match detach_from_command(runtime, &assignment.kept()) {
        Ok(()) => live(runtime, config, assignment),
        Err(error) => assignment.reporter.failed(&error),
    }
    std::process::exit(0)
}

impl Assignment {
    /// The descriptors that are needed.
    fn kept(&self) -> Vec<BorrowedFd<'_>> {
        let mut kept = vec![self.reporter.as_fd(), self.lock.file.as_fd()];
        kept.extend(self.ahead.descriptors());
        kept.extend(self.streams.stdin.as_ref().map(AsFd::as_fd));
        kept.extend(self.streams.stdout.as_ref().map(AsFd::as_fd));
        kept.extend(self.streams.stderr.as_ref().map(AsFd::as_fd));
        kept
    }
}

/// Gives back what was allocated and freed before the program began, and lets what much output needs for a moment be given
/// back as soon as it is freed. Most of a monitor's life is waiting, and there are many.
fn keep_memory_small() {
    // SAFETY: mallopt(3) and malloc_trim(3) take numbers, and touch no memory that is in use.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 2 * LARGE);
        libc::mallopt(libc::M_TOP_PAD, 0);
        libc::malloc_trim(0);
    }
}

/// A monitor at work.
struct Monitor<'a> {
    runtime: &'a Runtime,
    config: &'a ContainerConfig,
    paths: ContainerPaths,
    reporter: Reporter,
    occasion: Occasion,
    record: RunningRecord,
    exit_file: File,
    /// That of the record that our configuration was read from; none if nobody knows.
    stamp: Option<RecordStamp>,
}

fn live(runtime: &Runtime, config: &ContainerConfig, assignment: Assignment) {
    let Assignment {
        ahead,
        streams,
        mut reporter,
        lock,
        occasion,
        guardian,
    } = assignment;
    let paths = runtime.paths(&config.id);
    let made = ProcessIdentity::of(std::process::id() as i32)
        .and_then(|monitor| Ok((monitor, paths.begin_exit()?)));
    let (monitor, exit_file) = match made {
        Ok(made) => made,
        Err(error) => return reporter.failed(&error),
    };
    vital_sign::give(&exit_file, &monitor);
    let monitor = Monitor {
        runtime,
        config,
        reporter,
        occasion,
        record: RunningRecord {
            monitor,
            init: None,
            started: Timestamp::now(),
            guardian,
            restarts: occasion.restarts(),
            restarting: None,
        },
        exit_file,
        stamp: None,
        paths,
    };
    monitor.live((streams, ahead), lock);
}

impl Monitor<'_> {
    /// Makes the container and stays with it to its end.
    fn live(mut self, given: (MonitorStreams, Ahead), lock: ContainerLock) {
        match self.begin(given) {
            Ok(mut container) => {
                self.runtime.tell_start(self.config);
                // Under the lock, since whoever connects it to another network reads this; and before anybody knows that it
                // runs, so that whoever finds this monitor killed finds the addresses that it was seen to have.
                container.network.remember(&self.paths);
                container.announce(&mut self.reporter);
                // Until the lock is given back, nobody changes what was written when the container was created.
                if self.occasion == Occasion::New {
                    self.stamp = RecordStamp::of(&self.paths.record());
                }
                drop(lock);
                container.network.delete_replaced(self.runtime);
                self.accompany(container);
            }
            Err(error) => {
                self.conclude_failure(&error);
                self.reporter.failed(&error);
            }
        }
    }

    /// Makes the container and lets its program begin.
    fn begin(&mut self, given: (MonitorStreams, Ahead)) -> Result<Container, RuntimeError> {
        self.paths.write_running(&self.record)?;
        let prepared = setup::set_up((self.runtime, self.config), given, &mut self.reporter)?;
        // From now on others may enter it, so its root must be ready; and it may outlive us, so it must not have begun.
        self.record.init = Some(ProcessIdentity::of(prepared.pid())?);
        self.record.started = Timestamp::now();
        self.paths.write_running(&self.record)?;
        let mut container = prepared.begin(self.record.started, &mut self.reporter)?;
        container.clock.limit(self.config.time_limit)?;
        container.health = HealthChecks::begin(self.runtime, self.config);
        Ok(container)
    }
}
