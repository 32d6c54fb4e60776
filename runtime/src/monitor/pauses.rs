//! Whether a container is paused, or was while something was asked of it: then it could not answer.

use crate::cgroup::{Cgroup, GroupName};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::AsFd;

/// The events of a container's control group. While it runs, none but pauses and their ends happen.
pub(super) struct Pauses {
    /// None on a host where containers cannot be paused this way.
    events: Option<File>,
}

impl Pauses {
    pub(super) fn of(group: GroupName<'_>) -> Pauses {
        let cgroup = Cgroup::open(group).ok().flatten();
        let events = cgroup.and_then(|cgroup| File::open(cgroup.path().join("cgroup.events")).ok());
        Pauses { events }
    }

    /// Whether it is paused now.
    pub(super) fn is_paused(&mut self) -> bool {
        let mut text = String::new();
        let Some(events) = &mut self.events else {
            return false;
        };
        // Reading from the start also arms the next poll.
        let read = events
            .rewind()
            .and_then(|()| events.read_to_string(&mut text));
        read.is_ok() && text.lines().any(|line| line == "frozen 1")
    }

    /// Whether it was paused at any time since it was last asked whether it is.
    pub(super) fn were_any(&self) -> bool {
        let Some(events) = &self.events else {
            return false;
        };
        let mut question = [PollFd::new(events.as_fd(), PollFlags::POLLPRI)];
        matches!(poll(&mut question, PollTimeout::ZERO), Ok(1..))
    }
}
