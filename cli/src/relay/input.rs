//! Our standard input on its way to the program.

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags};
use std::io::{self, ErrorKind, PipeWriter, Read, Stdin, Write};
use std::os::fd::AsFd;

/// The input.
pub(super) struct Input {
    from: Stdin,
    to: PipeWriter,
    /// What was read and is not passed on yet.
    pending: Vec<u8>,
}

/// Whether there may be more.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum More {
    Perhaps,
    /// Our input has ended, or the program has closed its own.
    No,
}

impl Input {
    pub(super) fn new(to: PipeWriter) -> io::Result<Input> {
        // A program that does not read must not keep us from passing its output on.
        fcntl(&to, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Input {
            from: io::stdin(),
            to,
            pending: Vec::new(),
        })
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
        if self.pending.is_empty() {
            match self.from.lock().read(buffer) {
                Ok(length @ 1..) => self.pending.extend_from_slice(&buffer[..length]),
                Err(error) if is_temporary(&error) => return More::Perhaps,
                Ok(_) | Err(_) => return More::No,
            }
        }
        match self.to.write(&self.pending) {
            Ok(length) => {
                self.pending.drain(..length);
                More::Perhaps
            }
            Err(error) if is_temporary(&error) => More::Perhaps,
            Err(_) => More::No,
        }
    }
}

fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
