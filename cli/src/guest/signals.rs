//! Signals, for programs that are process 1 of a container.
//!
//! The kernel delivers to process 1 only the signals it has a handler for; the default of ending the process does not
//! hold there. Without a handler `minirun stop` would have to wait for its time-out and kill.

use std::io;

use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use super::program::Failure;
use super::reason::reason;

/// The signals by which people ask a program to end.
const REQUESTS_TO_END: [Signal; 4] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
];

/// From now on a request to end is followed at once, with the status 128 + the signal's number that a shell would report.
///
/// # Errors
///
/// If the kernel refuses the handler.
pub fn end_when_asked() -> Result<(), Failure> {
    let action = SigAction::new(
        SigHandler::Handler(leave),
        SaFlags::empty(),
        SigSet::empty(),
    );
    for signal in REQUESTS_TO_END {
        // SAFETY: the handler calls nothing but `_exit`, which is async-signal-safe, and it never returns into what it interrupted.
        unsafe { sigaction(signal, &action) }.map_err(|error| {
            let error = reason(&io::Error::from(error));
            Failure::new(format!("cannot handle {signal}: {error}"))
        })?;
    }
    Ok(())
}

extern "C" fn leave(number: libc::c_int) {
    // SAFETY: `_exit` has no preconditions and is async-signal-safe.
    unsafe { libc::_exit(128 + number) }
}

#[cfg(test)]
mod tests {
    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::{ForkResult, fork, pause};

    use super::*;

    #[test]
    fn a_request_to_end_ends_the_program_with_the_status_of_a_shell() {
        // SAFETY: the child makes system calls only: it installs handlers, signals itself, and leaves by `_exit` in every case.
        let child = match unsafe { fork() }.unwrap() {
            ForkResult::Child => {
                let _ = end_when_asked();
                // SAFETY: `raise` has no preconditions.
                unsafe { libc::raise(libc::SIGTERM) };
                pause();
                // SAFETY: `_exit` has no preconditions.
                unsafe { libc::_exit(0) }
            }
            ForkResult::Parent { child } => child,
        };
        assert_eq!(
            waitpid(child, None).unwrap(),
            WaitStatus::Exited(child, 143)
        );
    }
}
