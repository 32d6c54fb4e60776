//! A container's terminal as it is held from outside: its other end, the *master*.
//!
//! What is written to the master is what the program reads, and the other way round. Everybody who holds a master holds the
//! same one: the monitor for the output, attached commands for input and size. Nobody ever waits in a read or a write of it.

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// How large a terminal's window is, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSize {
    /// From top to bottom.
    pub rows: u16,
    /// From left to right.
    pub columns: u16,
}

impl WindowSize {
    /// That of a terminal; none if the descriptor is no terminal, or nobody has set its size.
    pub fn of(terminal: BorrowedFd<'_>) -> Option<WindowSize> {
        // SAFETY: winsize is plain data, for which all zeroes is a value.
        let mut size: libc::winsize = unsafe { mem::zeroed() };
        // SAFETY: the request writes one winsize to the place that the pointer names.
        let asked = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
        let size = WindowSize {
            rows: size.ws_row,
            columns: size.ws_col,
        };
        (asked == 0 && size.rows > 0 && size.columns > 0).then_some(size)
    }
}

/// The master of a container's terminal.
#[derive(Debug)]
pub struct Terminal {
    master: OwnedFd,
    /// While the terminal is open somewhere, its master does not hang up: a program may close it for a while.
    _peer: OwnedFd,
}

impl Terminal {
    /// Takes a master, and keeps its terminal open.
    pub(crate) fn hold(master: OwnedFd) -> io::Result<Terminal> {
        fcntl(
            &master,
            FcntlArg::F_SETFL(OFlag::O_RDWR | OFlag::O_NONBLOCK),
        )?;
        Ok(Terminal {
            _peer: crate::process::peer(master.as_fd())?,
            master,
        })
    }

    /// Makes the window this large. If that is a change, the program is told by SIGWINCH.
    ///
    /// # Errors
    /// The kernel's.
    pub fn resize(&self, size: WindowSize) -> io::Result<()> {
        let size = libc::winsize {
            ws_row: size.rows,
            ws_col: size.columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // SAFETY: the request reads one winsize from the place that the pointer names.
        let set =
            unsafe { libc::ioctl(self.master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
        match set {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// One more descriptor of the master.
    pub(crate) fn duplicate(&self) -> io::Result<OwnedFd> {
        self.master.try_clone()
    }
}

impl AsFd for Terminal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }
}
