//! A program at a pseudo-terminal, and the person in front of it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{Winsize, openpty};
use nix::sys::termios::tcgetattr;
use nix::unistd::setsid;

use crate::finished::Finished;
use crate::process::{Process, remaining};

/// How long a program may take to show what is expected of it; far beyond what any takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How large the window is at first, in rows and columns.
pub const WINDOW: (u16, u16) = (30, 100);

/// The terminal, the program at it, and what was shown so far. Dropped before its end, the program is killed.
#[derive(Debug)]
pub struct Terminal {
    command: String,
    child: Child,
    process: Process,
    master: File,
    /// Held open, so that the terminal and its settings outlive the program.
    side: OwnedFd,
    shown: Vec<u8>,
    /// How much of it was expected already.
    expected: usize,
}

impl Terminal {
    /// Starts the command as the leader of a session at a new terminal.
    pub(crate) fn start(shown: String, mut command: Command) -> Self {
        let size = Winsize {
            ws_row: WINDOW.0,
            ws_col: WINDOW.1,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pair = openpty(&size, None).expect("cannot make a terminal");
        // Neither end must reach the program by another way than its standard streams.
        for end in [&pair.master, &pair.slave] {
            let flags = nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC);
            nix::fcntl::fcntl(end, flags).expect("cannot mark a descriptor");
        }
        let stream = || pair.slave.try_clone().expect("cannot duplicate a terminal");
        command.stdin(stream()).stdout(stream()).stderr(stream());
        let lead = || {
            setsid()?;
            // SAFETY: the request takes a number.
            match unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) } {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            }
        };
        // SAFETY: the closure makes two system calls; it allocates nothing and takes no lock.
        unsafe { command.pre_exec(lead) };
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start `{shown}`: {error}"));
        Self {
            command: shown,
            process: Process::open(i32::try_from(child.id()).expect("process numbers fit")),
            child,
            master: pair.master.into(),
            side: pair.slave,
            shown: Vec::new(),
            expected: 0,
        }
    }

    /// The program's process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Types this, as it is: `\r` is the return key.
    ///
    /// # Panics
    ///
    /// If the terminal does not take it.
    #[track_caller]
    pub fn types(&self, text: &str) {
        (&self.master)
            .write_all(text.as_bytes())
            .unwrap_or_else(|error| panic!("cannot type `{text}`: {error}"));
    }

    /// Waits until `text` is shown behind what was expected before, and gives what stands between the two.
    ///
    /// # Panics
    ///
    /// If the program ends or the time passes first; the message has everything that was shown.
    #[track_caller]
    pub fn shows(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let news = &self.shown[self.expected..];
            let place = news
                .windows(text.len())
                .position(|part| part == text.as_bytes());
            if let Some(place) = place {
                let before = String::from_utf8_lossy(&news[..place]).into_owned();
                self.expected += place + text.len();
                return before;
            }
            let ended = self.process.ends_within(Duration::ZERO);
            let wait = if ended {
                PollTimeout::ZERO
            } else {
                remaining(deadline)
            };
            assert!(
                self.takes_in(wait) || !ended && Instant::now() < deadline,
                "`{}` does not show `{text}`; it showed\n{}",
                self.command,
                self.everything()
            );
        }
    }

    /// Makes the window this large, in rows and columns.
    ///
    /// # Panics
    ///
    /// If the kernel refuses.
    #[track_caller]
    pub fn resizes(&self, (rows, columns): (u16, u16)) {
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // SAFETY: the request reads one winsize from the place that the pointer names.
        let set =
            unsafe { libc::ioctl(self.master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
        assert_eq!(set, 0, "cannot resize: {}", io::Error::last_os_error());
    }

    /// Every setting of the terminal, in words that can be compared.
    ///
    /// # Panics
    ///
    /// If the kernel does not tell.
    #[track_caller]
    pub fn settings(&self) -> String {
        let settings = tcgetattr(&self.side).expect("cannot ask for the settings");
        format!(
            "{:?} {:?} {:?} {:?} {:?}",
            settings.input_flags,
            settings.output_flags,
            settings.control_flags,
            settings.local_flags,
            settings.control_chars
        )
    }

    /// Whether the terminal passes every key on as it is.
    #[track_caller]
    pub fn is_raw(&self) -> bool {
        !self.settings().contains("ICANON")
    }

    /// Waits until the terminal passes every key on as it is, or does not. The kernel has no event for that.
    ///
    /// # Panics
    ///
    /// If that takes too long.
    #[track_caller]
    pub fn becomes_raw(&self, raw: bool) {
        let deadline = Instant::now() + PATIENCE;
        while self.is_raw() != raw {
            assert!(Instant::now() < deadline, "the terminal should change");
            std::thread::yield_now();
        }
    }

    /// Waits for the end of the program.
    ///
    /// # Panics
    ///
    /// If the time passes first; the message has everything that was shown.
    #[track_caller]
    pub fn finish(&mut self) -> Finished {
        let deadline = Instant::now() + PATIENCE;
        while !self.process.ends_within(Duration::ZERO) {
            assert!(
                Instant::now() < deadline,
                "`{}` does not end; it showed\n{}",
                self.command,
                self.everything()
            );
            // A program that ends shows nothing more, so the wait is cut into pieces.
            self.takes_in(PollTimeout::from(20_u16));
        }
        while self.takes_in(PollTimeout::ZERO) {}
        let status = self
            .child
            .wait()
            .expect("the program is a child of this process");
        let rest = String::from_utf8_lossy(&self.shown[self.expected..]).into_owned();
        self.expected = self.shown.len();
        Finished::new(self.command.clone(), status, rest, String::new())
    }

    /// Takes the terminal away, as when its window is closed; what is left is the program.
    pub fn hangs_up(mut self) -> Self {
        let null = File::open("/dev/null").expect("there is /dev/null");
        self.side = null.try_clone().expect("it can be duplicated").into();
        self.master = null;
        self
    }

    fn everything(&self) -> String {
        String::from_utf8_lossy(&self.shown).into_owned()
    }

    /// Takes in what is shown; false if there is nothing within the time.
    fn takes_in(&mut self, patience: PollTimeout) -> bool {
        let mut question = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
        if !matches!(poll(&mut question, patience), Ok(1..)) {
            return false;
        }
        let mut buffer = [0; 16384];
        match self.master.read(&mut buffer) {
            Ok(length @ 1..) => {
                self.shown.extend_from_slice(&buffer[..length]);
                true
            }
            _ => false,
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Both fail harmlessly for a program that was already waited for.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
