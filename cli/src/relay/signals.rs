//! Signals that a user sends to the command and means for the program.

use crate::failure::Failure;
use minirun_runtime::signal::StopSignal;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, BorrowedFd};

/// The signals that are passed on to the program.
const FORWARDED: [Signal; 6] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

/// The signals that came, kept until they can be passed on.
pub struct HeldSignals(SignalFd);

impl HeldSignals {
    /// Keeps the signals from now on: one that comes during a start shall end the program, and not this command alone
    /// with the program left behind.
    pub fn hold() -> Result<HeldSignals, Failure> {
        let set = SigSet::from_iter(FORWARDED);
        set.thread_block()
            .and_then(|()| {
                SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            })
            .map(HeldSignals)
            .map_err(|error| Failure::own(format!("cannot receive signals: {error}")))
    }

    /// The next one, if one has come.
    pub(super) fn next(&self) -> Option<StopSignal> {
        let taken = self.0.read_signal().ok()??;
        taken.ssi_signo.to_string().parse().ok()
    }
}

impl AsFd for HeldSignals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
