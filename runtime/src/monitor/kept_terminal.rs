//! Terminals of executed programs whose commands have detached: read, so that the programs can go on writing.

use nix::poll::{PollFd, PollFlags};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};

/// The master of such a terminal. Nobody else holds it open, so it hangs up with its last program.
#[derive(Debug)]
pub(super) struct KeptTerminal(File);

/// The terminal has hung up.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HungUp;

impl KeptTerminal {
    /// Takes a master that never waits.
    pub(super) fn new(master: OwnedFd) -> KeptTerminal {
        KeptTerminal(master.into())
    }

    /// What to wait for.
    pub(super) fn question(&self) -> PollFd<'_> {
        PollFd::new(self.0.as_fd(), PollFlags::POLLIN)
    }

    /// Throws away some of what was written.
    pub(super) fn go_on(&mut self, buffer: &mut [u8]) -> Result<(), HungUp> {
        match self.0.read(buffer) {
            Ok(1..) => Ok(()),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                Ok(())
            }
            Ok(_) | Err(_) => Err(HungUp),
        }
    }
}
