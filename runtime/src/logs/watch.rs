//! Waiting for more of a log.

use crate::container_state::ContainerPaths;
use crate::error::RuntimeError;
use crate::process_identity::PidFd;
use jiff::Timestamp;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use std::os::fd::{AsFd, BorrowedFd};

/// A log that grows, and who lives as long as it does.
pub(super) struct Watch {
    watcher: PidFd,
    changes: Inotify,
}

/// What a wait has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// There may be more.
    Change,
    /// The container has ended; what it wrote is all there.
    End,
    /// Nothing more is wanted.
    Over,
}

impl Watch {
    /// What to wait for; nothing if the container has ended for good.
    pub(super) fn of(paths: &ContainerPaths) -> Result<Option<Watch>, RuntimeError> {
        if !paths.container_state()?.is_up() {
            return Ok(None);
        }
        let Some(record) = paths.read_running()? else {
            return Ok(None);
        };
        // Where there is a guardian, it outlives the runs of the container.
        let guardian = record.guardian.and_then(|guardian| guardian.open());
        let Some(watcher) = guardian.or_else(|| record.monitor.open()) else {
            return Ok(None);
        };
        let changes = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)
            .map_err(|error| RuntimeError::system("watch files", error))?;
        // The directory, because the log's files move in it.
        let wanted =
            AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO;
        match changes.add_watch(&paths.root, wanted) {
            Ok(_) => Ok(Some(Watch { watcher, changes })),
            // The container has removed itself.
            Err(Errno::ENOENT) => Ok(None),
            Err(error) => Err(RuntimeError::file("watch", &paths.root, error.into())),
        }
    }

    /// Waits for more, or for the end, until a moment or until `gone` shows that nobody wants more.
    pub(super) fn wait(
        &self,
        until: Option<Timestamp>,
        gone: Option<BorrowedFd<'_>>,
    ) -> Result<News, RuntimeError> {
        let mut descriptors = vec![
            PollFd::new(self.changes.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.watcher.as_fd(), PollFlags::POLLIN),
        ];
        // Errors and hang-ups are always told.
        descriptors.extend(gone.map(|gone| PollFd::new(gone, PollFlags::empty())));
        loop {
            match poll(&mut descriptors, timeout(until)) {
                Ok(0) if until.is_some_and(|until| until < Timestamp::now()) => {
                    return Ok(News::Over);
                }
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => break,
                Err(error) => return Err(RuntimeError::system("wait for the log", error)),
            }
        }
        let ready = |index: usize| descriptors.get(index).and_then(PollFd::any) == Some(true);
        // The events say only that there is something; what it is, reading tells.
        let _ = self.changes.read_events();
        Ok(match (ready(2), ready(1)) {
            (true, _) => News::Over,
            (false, true) => News::End,
            (false, false) => News::Change,
        })
    }
}

/// How long to wait, at most; a little too long rather than in vain.
fn timeout(until: Option<Timestamp>) -> PollTimeout {
    let Some(until) = until else {
        return PollTimeout::NONE;
    };
    let milliseconds = until.duration_since(Timestamp::now()).as_millis();
    let wait = u16::try_from(milliseconds.saturating_add(1).max(0)).unwrap_or(u16::MAX);
    PollTimeout::from(wait)
}
