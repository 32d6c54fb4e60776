//! Signals that a user sends to the command and means for the program, and those that tell of the user's terminal.

use crate::failure::Failure;
use minirun_runtime::signal::StopSignal;
use nix::sys::signal::{SigHandler, SigSet, Signal, raise, signal};
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

/// The signals that tell of the user's terminal.
const OF_TERMINAL: [Signal; 3] = [Signal::SIGWINCH, Signal::SIGTSTP, Signal::SIGCONT];

/// What the program has, seen from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramStreams {
    /// Pipes.
    Pipes,
    /// A terminal.
    Terminal,
}

impl ProgramStreams {
    /// As the record of a container or an option says it.
    pub fn of(terminal: bool) -> ProgramStreams {
        match terminal {
            true => ProgramStreams::Terminal,
            false => ProgramStreams::Pipes,
        }
    }
}

/// What becomes of signals that could be meant for the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalProxy {
    /// The program gets them.
    Program,
    /// They end this command, and the program goes on.
    Command,
}

impl SignalProxy {
    /// As `--sig-proxy` says it.
    pub fn of(proxied: bool) -> SignalProxy {
        match proxied {
            true => SignalProxy::Program,
            false => SignalProxy::Command,
        }
    }
}

/// A signal that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrived {
    /// Perhaps meant for the program.
    Passing(Signal),
    /// The user's window has another size.
    Resized,
    /// Somebody wants to pause this command.
    Paused,
    /// It was paused and goes on.
    Continued,
}

/// The signals that came, kept until they can be passed on.
pub struct HeldSignals(SignalFd);

impl HeldSignals {
    /// Keeps the signals from now on: one that comes during a start shall end the program, and not this command alone
    /// with the program left behind.
    pub fn hold(streams: ProgramStreams) -> Result<HeldSignals, Failure> {
        let mut set = SigSet::from_iter(FORWARDED);
        if streams == ProgramStreams::Terminal {
            set.extend(OF_TERMINAL);
        }
        set.thread_block()
            .and_then(|()| {
                SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            })
            .map(HeldSignals)
            .map_err(|error| Failure::own(format!("cannot receive signals: {error}")))
    }

    /// The next one, if one has come.
    pub(super) fn next(&self) -> Option<Arrived> {
        let taken = self.0.read_signal().ok()??;
        let number = i32::try_from(taken.ssi_signo).ok()?;
        Some(match Signal::try_from(number).ok()? {
            Signal::SIGWINCH => Arrived::Resized,
            Signal::SIGTSTP => Arrived::Paused,
            Signal::SIGCONT => Arrived::Continued,
            signal => Arrived::Passing(signal),
        })
    }
}

impl AsFd for HeldSignals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The signal as the runtime sends it.
pub(super) fn for_program(signal: Signal) -> Option<StopSignal> {
    (signal as i32).to_string().parse().ok()
}

/// Ends this command as the signal does whoever does not hold it.
pub(super) fn end_by(number: Signal) {
    // SAFETY: the default disposition is no handler, so no code of ours can be interrupted.
    let _ = unsafe { signal(number, SigHandler::SigDfl) };
    let _ = SigSet::from_iter([number]).thread_unblock();
    let _ = raise(number);
}
