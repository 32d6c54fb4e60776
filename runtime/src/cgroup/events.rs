//! Waiting for what happens to a group of version 2: its `cgroup.events` says so, and the kernel wakes whoever polls it.

use super::directory::is_gone;
use super::error::CgroupError;
use super::group::Cgroup;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

impl Cgroup {
    /// Waits, asleep, until no process is left in the group, or the group is gone; zombies do not count. Fails after `patience`.
    pub fn wait_until_empty(&self, patience: Duration) -> Result<(), CgroupError> {
        match self.wait_until("populated 0", patience)? {
            true => Ok(()),
            false => Err(CgroupError::NotEmpty {
                path: self.path.clone(),
                waited: patience,
            }),
        }
    }

    /// Whether a process is in the group.
    pub(super) fn is_populated(&self) -> Result<bool, CgroupError> {
        Ok(!self.says(&mut self.open_events()?, "populated 0")?)
    }

    /// Waits, asleep, until the events of the group have this line, or the group is gone. Says `false` after `patience`.
    pub(super) fn wait_until(&self, line: &str, patience: Duration) -> Result<bool, CgroupError> {
        let end = Instant::now() + patience;
        let mut events = match self.open_events() {
            Err(CgroupError::Watch { source, .. }) if is_gone(&source) => return Ok(true),
            opened => opened?,
        };
        loop {
            if self.says(&mut events, line)? {
                return Ok(true);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            // Rounded up, so that the last fraction of a millisecond is slept through and not spun through.
            let milliseconds = left.as_millis().saturating_add(1);
            let timeout = PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX);
            let mut watched = [PollFd::new(events.as_fd(), PollFlags::POLLPRI)];
            match poll(&mut watched, timeout) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(self.watch_error(errno.into())),
            }
        }
    }

    fn open_events(&self) -> Result<File, CgroupError> {
        File::open(self.path.join("cgroup.events")).map_err(|source| self.watch_error(source))
    }

    /// Reads the events file from its start, which also arms the next poll. A group that is gone says everything.
    fn says(&self, events: &mut File, wanted: &str) -> Result<bool, CgroupError> {
        let mut text = String::new();
        match io::Seek::rewind(events).and_then(|()| events.read_to_string(&mut text)) {
            Err(source) if is_gone(&source) => Ok(true),
            Err(source) => Err(self.watch_error(source)),
            Ok(_) => Ok(text.lines().any(|line| line == wanted)),
        }
    }

    fn watch_error(&self, source: io::Error) -> CgroupError {
        CgroupError::Watch {
            path: self.path.clone(),
            source,
        }
    }
}
