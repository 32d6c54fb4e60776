//! Leaving everything behind that belongs to the command.

use super::descriptors;
use crate::error::RuntimeError;
use crate::own_status::IGNORED_BY_MONITOR;
use crate::runtime::Runtime;
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
use nix::unistd::{chdir, setsid};
use std::os::fd::BorrowedFd;

/// Leaves the command's session, terminal and directory, and closes every descriptor but those that are to be kept.
pub(super) fn detach_from_command(
    runtime: &Runtime,
    kept: &[BorrowedFd<'_>],
) -> Result<(), RuntimeError> {
    // Whoever owns it would go on using its number, which will be another's.
    runtime.networks.rules.close();
    setsid().map_err(|error| RuntimeError::system("begin a session", error))?;
    chdir("/").map_err(|error| RuntimeError::system("change to `/`", error))?;
    handle_signals().map_err(|error| RuntimeError::system("ignore signals", error))?;
    descriptors::keep_only(kept)
        .map_err(|error| RuntimeError::system("close the command's files", error))
}

/// A monitor outlives what ends a command, and must hear how its container ends even if the command's caller ignored that.
fn handle_signals() -> nix::Result<()> {
    for number in IGNORED_BY_MONITOR {
        // SAFETY: ignoring a signal installs no handler, so no code of ours can be interrupted by it.
        unsafe { signal(number, SigHandler::SigIgn) }?;
    }
    // SAFETY: neither does its default.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }?;
    // They were blocked for the fork.
    SigSet::empty().thread_set_mask()
}
