//! Containers that are started again by themselves, observed without a command of minirun, which would repair what it meets.

use std::time::{Duration, Instant};

use crate::container::Container;
use crate::host::TestHost;
use crate::leftovers;
use crate::probe::LONG_WAIT;
use crate::process::Process;
use nix::sys::signal::Signal;

/// What a program prints at the beginning of each run.
const RUN: &str = r#""log":"run\n""#;

/// Starts a shell of the image `busybox`, which prints `run` first.
#[track_caller]
pub fn runs<'host>(host: &'host TestHost, options: &str, script: &str) -> Container<'host> {
    host.imports_busybox(&[]);
    host.runs_script("web1", options, &format!("echo run; {script}"))
}

/// For how long something may take that consists of several starts, with the pauses between them.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs until it is killed.
pub const FOREVER: &str = "exec sleep 1000";

/// Kills a process, and waits until it has ended.
///
/// # Panics
///
/// If it does not.
#[track_caller]
pub fn kill(process: &Process) {
    process.signal(Signal::SIGKILL);
    assert!(process.ends_within(LONG_WAIT));
}

/// Ends at once, so often that the next start is seconds away, and waits for that.
#[track_caller]
pub fn is_between_two_runs<'host>(host: &'host TestHost, options: &str) -> Container<'host> {
    let container = runs(host, &format!("--restart always {options}"), "exit 7");
    host.awaits_runs(&container.log_file(), 7);
    host.awaits_status("web1", "restarting");
    container
}

impl Container<'_> {
    /// The file of its log.
    #[track_caller]
    pub fn log_file(&self) -> String {
        let answer = self.inspect();
        let path = answer["LogPath"].as_str();
        path.unwrap_or_else(|| panic!("a container has a log: {answer}"))
            .to_owned()
    }
}

impl TestHost {
    /// How often a program has printed the line `run` into this log so far.
    pub fn runs_in(&self, log_file: &str) -> usize {
        self.read_file(log_file).matches(RUN).count()
    }

    /// Waits until a program has printed the line `run` as often. The log is read anew until then.
    #[track_caller]
    pub fn awaits_runs(&self, log_file: &str, count: usize) {
        let done = poll_until(PATIENCE, || self.runs_in(log_file) >= count);
        assert!(
            done,
            "there should be {count} runs, but there are {}",
            self.runs_in(log_file)
        );
    }

    /// Waits until no process is left on the host that tests do not need, so nothing can start again.
    #[track_caller]
    pub fn awaits_rest(&self) {
        let cgroup = self.place().cgroup();
        assert!(
            cgroup.wait_until_empty(PATIENCE),
            "nothing should run any more, but there is\n  {}",
            leftovers::processes(&cgroup.processes()).join("\n  ")
        );
    }

    /// Waits until this answer of minirun is as expected; asks again and again.
    #[track_caller]
    pub fn awaits_status(&self, name: &str, status: &str) {
        let container = self.container(name);
        let done = poll_until(PATIENCE, || container.status() == status);
        assert!(
            done,
            "container `{name}` should be `{status}`, and is `{}`",
            container.status()
        );
    }
}

fn poll_until(patience: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        if is_so() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        std::thread::yield_now();
    }
}
