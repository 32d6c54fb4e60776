//! Our standard input on its way to the program.

use super::detach_keys::{DetachWatch, Wish};
use nix::poll::{PollFd, PollFlags};
use nix::unistd::{read, write};
use std::io::{self, ErrorKind, Stdin};
use std::os::fd::{AsFd, OwnedFd};

/// The input. Neither end is ever waited for; ours may be blocking, and is asked only when there is something to read.
pub(super) struct Input {
    from: Stdin,
    to: OwnedFd,
    /// What was read and is not passed on yet.
    pending: Vec<u8>,
    /// Looks for the keys by which a user leaves a terminal.
    watch: Option<DetachWatch>,
}

/// Whether there may be more.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum More {
    Perhaps,
    /// Our input has ended, or the program has closed its own.
    No,
    /// There may, but the user wants to leave.
    Detach,
    /// The user's terminal is gone.
    HungUp,
}

impl Input {
    pub(super) fn new(to: OwnedFd, watch: Option<DetachWatch>) -> Input {
        Input {
            from: io::stdin(),
            to,
            pending: Vec::new(),
            watch,
        }
    }

    /// What to wait for: something to pass on, or room for it.
    pub(super) fn question(&self) -> PollFd<'_> {
        if self.pending.is_empty() {
            PollFd::new(self.from.as_fd(), PollFlags::POLLIN)
        } else {
            PollFd::new(self.to.as_fd(), PollFlags::POLLOUT)
        }
    }

    /// Moves input one step: reads some when there is none pending, and writes what is pending.
    pub(super) fn go_on(&mut self, buffer: &mut [u8]) -> More {
        let mut more = More::Perhaps;
        if self.pending.is_empty() {
            more = self.take(buffer);
        }
        if self.pending.is_empty() {
            return more;
        }
        match write(&self.to, &self.pending).map_err(io::Error::from) {
            Ok(length) => {
                self.pending.drain(..length);
                more
            }
            Err(error) if is_temporary(&error) => more,
            Err(_) => More::No,
        }
    }

    fn take(&mut self, buffer: &mut [u8]) -> More {
        let typed = match read(&self.from, buffer).map_err(io::Error::from) {
            Ok(length @ 1..) => &buffer[..length],
            Err(error) if is_temporary(&error) => return More::Perhaps,
            // A raw terminal has no end of input.
            Ok(_) | Err(_) if self.watch.is_some() => return More::HungUp,
            Ok(_) | Err(_) => return More::No,
        };
        match &mut self.watch {
            Some(watch) => match watch.take(typed, &mut self.pending) {
                Wish::Leave => More::Detach,
                Wish::Stay => More::Perhaps,
            },
            None => {
                self.pending.extend_from_slice(typed);
                More::Perhaps
            }
        }
    }
}

fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
