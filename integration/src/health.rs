//! Waiting for what health checks find.

use std::fs;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use serde_json::Value;

use crate::container::Container;
use crate::process::remaining;

/// How long a check may take to find what is waited for, on a machine under load.
const PATIENCE: Duration = Duration::from_secs(30);

impl Container<'_> {
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
