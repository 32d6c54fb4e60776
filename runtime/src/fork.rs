//! Forking what outlives the command.

use crate::error::RuntimeError;
use crate::process::Sealed;
use nix::sys::signal::{SigSet, SigmaskHow};
use nix::unistd::{ForkResult, fork};

/// Forks. All signals are blocked in the child, which unblocks them when it has left the command's process group: one that is
/// sent to the group must not meet it before.
///
/// What is forked may become a program of a container, so the caller is [`Sealed`]. It should be so before anything was done.
pub(crate) fn fork_apart() -> Result<ForkResult, RuntimeError> {
    Sealed::ensure()?;
    let signals = SigSet::all()
        .thread_swap_mask(SigmaskHow::SIG_BLOCK)
        .map_err(|error| RuntimeError::system("block signals", error))?;
    // SAFETY: this process has one thread: neither this crate nor its callers start others, and the netlink runtime of the
    // networks runs on the calling thread. So no lock is held by a thread that the child will not have.
    let forked = unsafe { fork() };
    if !matches!(forked, Ok(ForkResult::Child)) {
        // Setting a mask that was one before cannot fail.
        let _ = signals.thread_set_mask();
    }
    forked.map_err(|error| RuntimeError::system("fork", error))
}
