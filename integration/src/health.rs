//! Containers whose health is checked, and waiting for what the checks find.

use std::fs;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use serde_json::Value;

use crate::container::Container;
use crate::host::TestHost;
use crate::process::remaining;

/// One check soon after the start, and no other for an hour.
pub const ONCE: &str =
    "--health-start-period 1ms --health-start-interval 50ms --health-interval 1h";

/// A check as often as can be.
pub const OFTEN: &str = "--health-interval 20ms";

/// How long a check may take to find what is waited for, on a machine under load.
const PATIENCE: Duration = Duration::from_secs(30);

impl TestHost {
    /// A host with the image `busybox`.
    pub fn with_busybox() -> Self {
        let host = Self::create();
        host.imports_busybox(&[]);
        host
    }

    /// Starts a container of the image `busybox` that sleeps and is checked with a line of shell, as the options say.
    #[track_caller]
    pub fn checks(&self, name: &str, (options, check): (&str, &str)) -> Container<'_> {
        let mut words = vec!["run", "-d", "--name", name, "--health-cmd", check];
        words.extend(options.split_whitespace());
        words.extend(["busybox", "sleep", "1000"]);
        self.minirun(words.as_slice()).succeeds();
        self.container(name)
    }
}

impl Container<'_> {
    /// The results of the latest checks.
    #[track_caller]
    pub fn health_results(&self) -> Vec<Value> {
        let health = &self.inspect()["State"]["Health"];
        health["Log"].as_array().expect("a list").clone()
    }

    /// Waits for the only check, and gives its exit code and output.
    #[track_caller]
    pub fn only_health_result(&self) -> (i64, String) {
        self.awaits_health(|_| true);
        let results = self.health_results();
        assert_eq!(results.len(), 1, "{results:?}");
        let output = results[0]["Output"].as_str().expect("text").to_owned();
        (results[0]["ExitCode"].as_i64().expect("a number"), output)
    }

    /// Waits until the record of its health fits, and gives the record. Asleep until it changes; before the first check there
    /// is none.
    #[track_caller]
    pub fn awaits_health(&self, fits: impl Fn(&Value) -> bool + Send) -> Value {
        let document = self.inspect();
        let id = document["Id"].as_str().expect("a container has an id");
        let directory = format!("/run/minirun/containers/{id}");
        let found = self.inside(move || {
            let changes = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)
                .expect("the kernel tells of changes");
            changes
                .add_watch(directory.as_str(), AddWatchFlags::IN_MOVED_TO)
                .expect("the container runs");
            let end = Instant::now() + PATIENCE;
            loop {
                let text = fs::read(format!("{directory}/health.json")).unwrap_or_default();
                let record: Value = serde_json::from_slice(&text).unwrap_or_default();
                if !record.is_null() && fits(&record) {
                    return Ok(record);
                }
                let mut waiting = [PollFd::new(changes.as_fd(), PollFlags::POLLIN)];
                match poll(&mut waiting, remaining(end)) {
                    Ok(0) => return Err(record),
                    Ok(_) => drop(changes.read_events()),
                    Err(Errno::EINTR) => {}
                    Err(error) => panic!("cannot wait for a change: {error}"),
                }
            }
        });
        found.unwrap_or_else(|last| panic!("its health should have changed, but it is {last}"))
    }

    /// Waits until its health is called this: `healthy`, `unhealthy`.
    #[track_caller]
    pub fn awaits_health_status(&self, status: &str) -> Value {
        self.awaits_health(|health| health["Status"] == status)
    }
}
