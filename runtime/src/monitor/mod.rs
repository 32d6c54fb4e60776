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
//!    and to the command, if that still listens (`watch`, `listener`). It never waits for the command.
//! 4. When the program has ended it takes the lock again, records the end, reports it, and takes everything down
//!    (`teardown`). Whoever wants the same container, name or port in this moment waits for the lock.
//!
//! If the monitor is killed, the kernel kills the container's first process with it (`PR_SET_PDEATHSIG`), and the next
//! command repairs the rest.

mod control;
mod descriptors;
mod listener;
mod resolver;
mod setup;
mod teardown;
mod watch;

use crate::config::ContainerConfig;
use crate::container_state::{ContainerPaths, ExitRecord, RunningRecord, write_exit};
use crate::error::{OWN_ERROR, RuntimeError};
use crate::events::{Action, Event};
use crate::process_identity::ProcessIdentity;
use crate::report::{Report, Reporter};
use crate::runtime::Runtime;
use crate::store::ContainerLock;
use jiff::Timestamp;
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
use nix::unistd::{chdir, setsid};
use std::fs::File;
use std::io::{PipeReader, PipeWriter};
use std::os::fd::AsFd;

pub(crate) use control::tell_networks_changed;
use listener::Listener;
use setup::Container;
pub(crate) use setup::last_addresses;
pub(crate) use teardown::{CGROUP_PARENT, take_down};

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
}

/// The life of a monitor; it is called in a fresh fork and does not return.
pub fn run(
    runtime: &Runtime,
    config: &ContainerConfig,
    streams: MonitorStreams,
    (mut reporter, lock): (Reporter, ContainerLock),
) -> ! {
    let exit = match detach_from_command(&streams, &reporter, &lock) {
        Ok(()) => live(runtime, config, streams, (&mut reporter, lock)),
        Err(error) => Err(error),
    };
    if let Err(error) = exit {
        reporter.failed(&error);
    }
    std::process::exit(0)
}

/// Leaves everything behind that belongs to the command.
fn detach_from_command(
    streams: &MonitorStreams,
    reporter: &Reporter,
    lock: &ContainerLock,
) -> Result<(), RuntimeError> {
    setsid().map_err(|error| RuntimeError::system("begin a session", error))?;
    chdir("/").map_err(|error| RuntimeError::system("change to `/`", error))?;
    handle_signals().map_err(|error| RuntimeError::system("ignore signals", error))?;
    let mut kept = vec![reporter.as_fd(), lock.file.as_fd()];
    kept.extend(streams.stdin.as_ref().map(AsFd::as_fd));
    kept.extend(streams.stdout.as_ref().map(AsFd::as_fd));
    kept.extend(streams.stderr.as_ref().map(AsFd::as_fd));
    descriptors::keep_only(&kept)
        .map_err(|error| RuntimeError::system("close the command's files", error))
}

/// A monitor outlives what ends a command, and must hear how its container ends even if the command's caller ignored that.
fn handle_signals() -> nix::Result<()> {
    let ignored = [
        Signal::SIGHUP,
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGTERM,
        Signal::SIGPIPE,
    ];
    for number in ignored {
        // SAFETY: ignoring a signal installs no handler, so no code of ours can be interrupted by it.
        unsafe { signal(number, SigHandler::SigIgn) }?;
    }
    // SAFETY: neither does its default.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }?;
    // They were blocked for the fork.
    SigSet::empty().thread_set_mask()
}

/// Gives back what was allocated and freed before the program began, and lets what much output needs for a moment be given
/// back as soon as it is freed. Most of a monitor's life is waiting, and there are many.
fn keep_memory_small() {
    // SAFETY: mallopt(3) and malloc_trim(3) take numbers, and touch no memory that is in use.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::malloc_trim(0);
    }
}

/// A monitor at work.
struct Monitor<'a> {
    runtime: &'a Runtime,
    config: &'a ContainerConfig,
    paths: ContainerPaths,
    reporter: &'a mut Reporter,
    record: RunningRecord,
    exit_file: File,
}

fn live(
    runtime: &Runtime,
    config: &ContainerConfig,
    streams: MonitorStreams,
    (reporter, lock): (&mut Reporter, ContainerLock),
) -> Result<(), RuntimeError> {
    let paths = runtime.paths(&config.id);
    let mut monitor = Monitor {
        runtime,
        config,
        reporter,
        record: RunningRecord {
            monitor: ProcessIdentity::of(std::process::id() as i32)?,
            init: None,
            started: Timestamp::now(),
        },
        exit_file: paths.begin_exit()?,
        paths,
    };
    match monitor.begin(streams) {
        Ok(mut container) => {
            runtime.tell_event(Event::container(config, Action::Start));
            monitor.reporter.send(&Report::Started);
            // Under the lock, since whoever connects it to another network reads this.
            container.network.remember(&monitor.paths);
            drop(lock);
            monitor.accompany(container)
        }
        Err(error) => {
            monitor.record_end(error.exit_code(), Some(error.to_string()));
            monitor.take_down();
            Err(error)
        }
    }
}

impl Monitor<'_> {
    /// Makes the container and lets its program begin.
    fn begin(&mut self, streams: MonitorStreams) -> Result<Container, RuntimeError> {
        self.paths.write_running(&self.record)?;
        let prepared = setup::set_up(self.runtime, self.config, streams, self.reporter)?;
        // From now on others may enter it, so its root must be ready; and it may outlive us, so it must not have begun.
        self.record.init = Some(ProcessIdentity::of(prepared.pid())?);
        self.record.started = Timestamp::now();
        self.paths.write_running(&self.record)?;
        prepared.begin(self.reporter)
    }

    /// Stays until the program has ended, and takes the container down.
    fn accompany(&mut self, mut container: Container) -> Result<(), RuntimeError> {
        keep_memory_small();
        let (runtime, id) = (self.runtime, self.config.id);
        let exit = container.watch(&mut |network| network.follow(runtime, &id));
        // Nobody is there any more to follow changes of the networks: who has something to say about them must not wait.
        container.network.control = None;
        let lock = self.runtime.lock_if_present(&self.config.id);
        let (exit_code, error) = match exit {
            Ok(exit) => (exit.exit_code(), None),
            Err(error) => (OWN_ERROR, Some(error.to_string())),
        };
        self.record_end(exit_code, error);
        let started = self.record.started;
        runtime.tell_death(self.config, (started, Timestamp::now()), exit_code);
        self.reporter.send(&Report::Exited { exit_code });
        // Without the lock, the rest is left to the next command.
        let lock = lock?;
        let behind = container.hand_over();
        // The host ports become free now. Whoever takes one of them meets our claim and removes the rules behind it first.
        drop(container);
        self.take_down();
        drop(lock);
        behind.into_iter().for_each(Listener::finish);
        Ok(())
    }

    /// Records how it ended.
    fn record_end(&mut self, exit_code: i32, error: Option<String>) {
        let record = ExitRecord {
            started: self.record.started,
            finished: Timestamp::now(),
            exit_code,
            error,
        };
        if let Err(error) = write_exit(&self.exit_file, &record) {
            let error = RuntimeError::file("write", &self.paths.exit(), error);
            self.reporter.warn(&error);
        }
    }

    fn take_down(&mut self) {
        for error in take_down(self.runtime, self.config, self.reporter) {
            self.reporter.warn(&error);
        }
    }
}
