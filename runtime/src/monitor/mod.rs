//! The monitor: one small process for each running container.
//!
//! Theory of operation
//!
//! 1. A command forks it. It leaves the command's session, terminal and directory, and closes every descriptor but those
//!    it was given ([`run`]).
//! 2. It makes the container ([`setup`]): records itself, clones the first process into its namespaces, attaches the
//!    network while that process makes its root file system, and opens the gate.
//! 3. It says that the program runs, gives back the container's lock, and from then on only copies output into the log
//!    and to the command, if that still listens ([`watch`]).
//! 4. When the program has ended it takes the lock again, records the end, reports it, and takes everything down
//!    ([`teardown`]). Whoever wants the same container, name or port in this moment waits for the lock.
//!
//! If the monitor is killed, the kernel kills the container's first process with it (`PR_SET_PDEATHSIG`), and the next
//! command repairs the rest.

mod descriptors;
mod setup;
mod teardown;
mod watch;

use crate::config::ContainerConfig;
use crate::container_state::{ExitRecord, RunningRecord, write_exit};
use crate::error::RuntimeError;
use crate::process_identity::ProcessIdentity;
use crate::report::{Report, Reporter};
use crate::runtime::Runtime;
use crate::store::ContainerLock;
use jiff::Timestamp;
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{chdir, setsid};
use std::io::{PipeReader, PipeWriter};
use std::os::fd::AsFd;

pub(crate) use teardown::{CGROUP_PARENT, take_down};

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
    for ignored in [
        Signal::SIGHUP,
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGTERM,
        Signal::SIGPIPE,
    ] {
        // SAFETY: ignoring a signal installs no handler, so no code of ours can be interrupted by it.
        unsafe { signal(ignored, SigHandler::SigIgn) }
            .map_err(|error| RuntimeError::system("ignore signals", error))?;
    }
    let mut kept = vec![reporter.as_fd(), lock.file.as_fd()];
    kept.extend(streams.stdin.as_ref().map(AsFd::as_fd));
    kept.extend(streams.stdout.as_ref().map(AsFd::as_fd));
    kept.extend(streams.stderr.as_ref().map(AsFd::as_fd));
    descriptors::keep_only(&kept)
        .map_err(|error| RuntimeError::system("close the command's files", error))
}

fn live(
    runtime: &Runtime,
    config: &ContainerConfig,
    streams: MonitorStreams,
    (reporter, lock): (&mut Reporter, ContainerLock),
) -> Result<(), RuntimeError> {
    let paths = runtime.paths(&config.id);
    let mut record = RunningRecord {
        monitor: ProcessIdentity::of(std::process::id() as i32)?,
        init: None,
        started: Timestamp::now(),
    };
    let exit_file = paths.begin_exit()?;
    paths.write_running(&record)?;
    let mut container = match setup::set_up(runtime, config, streams, reporter) {
        Ok(container) => container,
        Err(error) => {
            let failure = ExitRecord {
                started: record.started,
                finished: Timestamp::now(),
                exit_code: error.exit_code(),
                error: Some(error.to_string()),
            };
            // What could not even be recorded is reported all the same.
            let _ = write_exit(&exit_file, &failure);
            take_down(runtime, config, reporter);
            return Err(error);
        }
    };
    record.init = Some(ProcessIdentity::of(container.process.pid())?);
    record.started = Timestamp::now();
    paths.write_running(&record)?;
    reporter.send(&Report::Started);
    drop(lock);
    setup::remember_place(&paths, container.attachment.as_ref());

    let exit = container.watch();
    let lock = runtime.lock_if_present(&config.id)?;
    let ended = ExitRecord {
        started: record.started,
        finished: Timestamp::now(),
        exit_code: exit
            .as_ref()
            .map_or(crate::error::OWN_ERROR, |exit| exit.exit_code()),
        error: exit.err().map(|error| error.to_string()),
    };
    let _ = write_exit(&exit_file, &ended);
    reporter.send(&Report::Exited {
        exit_code: ended.exit_code,
    });
    // The host ports become free now. Whoever takes one of them meets our claim and removes the rules behind it first.
    drop(container);
    take_down(runtime, config, reporter);
    drop(lock);
    Ok(())
}
