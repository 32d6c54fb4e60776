//! The user's own terminal, which behaves like a wire while a program in a container has one.

use crate::failure::Failure;
use minirun_runtime::terminal::WindowSize;
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::{getpgrp, tcgetpgrp};
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

/// How large the user's window is; none without one.
pub fn window() -> Option<WindowSize> {
    WindowSize::of(io::stdout().as_fd()).or_else(|| WindowSize::of(io::stdin().as_fd()))
}

/// Refuses to pass a file or a pipe on as what somebody types.
///
/// # Errors
/// With Docker's exit code for it.
pub fn require_terminal() -> Result<(), Failure> {
    if io::stdin().is_terminal() {
        return Ok(());
    }
    Err(
        Failure::new("standard input is not a terminal, which `-i` together with `-t` needs")
            .with_hint("leave out `-t` to pass on a file or a pipe"),
    )
}

/// A terminal that passes every key on and changes nothing in what is shown. Dropping it puts back what was before.
pub(super) struct RawTerminal {
    before: Termios,
}

impl RawTerminal {
    /// Makes our terminal raw; none if standard input is no terminal.
    pub(super) fn enter() -> nix::Result<Option<RawTerminal>> {
        if !io::stdin().is_terminal() {
            return Ok(None);
        }
        let before = tcgetattr(io::stdin())?;
        let terminal = RawTerminal { before };
        terminal.make_raw()?;
        Ok(Some(terminal))
    }

    /// Makes it raw again, after others have used it. If it is theirs still, this stops us until it is ours.
    pub(super) fn make_raw(&self) -> nix::Result<()> {
        let mut raw = self.before.clone();
        cfmakeraw(&mut raw);
        tcsetattr(io::stdin(), SetArg::TCSANOW, &raw)
    }

    /// Puts back what was before, without waiting for a terminal whose output is held up. One that is another job's now has
    /// that job's settings.
    pub(super) fn put_back(&self) {
        let foreground = tcgetpgrp(io::stdin());
        if foreground.is_ok_and(|group| group != getpgrp()) {
            return;
        }
        // Between the question and the answer it may become another's, and to be stopped now would help nobody.
        let held = SigSet::from_iter([Signal::SIGTTOU]).thread_swap_mask(SigmaskHow::SIG_BLOCK);
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.before);
        if let Ok(before) = held {
            let _ = before.thread_set_mask();
        }
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        self.put_back();
    }
}
