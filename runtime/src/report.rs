//! What a monitor tells the command that started it, over a socket that keeps messages apart.

use crate::error::RuntimeError;
use minirun_netns::{Explain, Narrator};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

/// The longest message; a longer explanation is not sent.
const LONGEST_MESSAGE: usize = 128 * 1024;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Report {
    /// A step was applied.
    Step {
        /// Microseconds since the start began.
        elapsed_microseconds: u64,
        /// What was done.
        sentence: String,
        /// What a person would have typed.
        command: String,
    },
    /// The program runs.
    Started,
    /// It does not, and everything was taken back.
    Failed {
        /// The error.
        message: String,
        /// What to do about it.
        hint: Option<String>,
        /// The exit code for it.
        exit_code: i32,
    },
    /// The program has ended.
    Exited {
        /// Its exit code.
        exit_code: i32,
    },
}

/// The monitor's end.
#[derive(Debug)]
pub struct Reporter {
    socket: File,
    /// What listens to single steps.
    narration: Narration,
    begun: Instant,
}

/// The command's end.
#[derive(Debug)]
pub struct Reports {
    socket: File,
}

/// Whether steps are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Narration {
    /// Nobody listens, and nothing is put into words.
    Silent,
    /// Every step is told.
    Told,
}

/// Makes the two ends.
///
/// # Errors
/// The kernel's.
pub fn channel(narration: Narration) -> Result<(Reporter, Reports), RuntimeError> {
    let (ours, theirs) = socketpair(
        AddressFamily::Unix,
        SockType::SeqPacket,
        None,
        SockFlag::SOCK_CLOEXEC,
    )
    .map_err(|error| RuntimeError::system("make a socket pair", error))?;
    let reporter = Reporter {
        socket: ours.into(),
        narration,
        begun: Instant::now(),
    };
    Ok((
        reporter,
        Reports {
            socket: theirs.into(),
        },
    ))
}

impl Reporter {
    /// Sends a message. That nobody may listen any more is of no concern to a monitor.
    pub fn send(&mut self, report: &Report) {
        if let Ok(message) = serde_json::to_vec(report)
            && message.len() <= LONGEST_MESSAGE
        {
            let _ = self.socket.write_all(&message);
        }
    }

    /// Tells why the start failed.
    pub fn failed(&mut self, error: &RuntimeError) {
        self.send(&Report::Failed {
            message: error.to_string(),
            hint: error.hint(),
            exit_code: error.exit_code(),
        });
    }
}

impl Narrator for Reporter {
    fn tell(&mut self, step: &dyn Explain) {
        if self.narration == Narration::Silent {
            return;
        }
        let explanation = step.explain();
        let elapsed = self.begun.elapsed().as_micros();
        self.send(&Report::Step {
            elapsed_microseconds: u64::try_from(elapsed).unwrap_or(u64::MAX),
            sentence: explanation.sentence,
            command: explanation.command,
        });
    }
}

impl AsFd for Reporter {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Reports {
    /// Waits for the next message; none when the monitor has nothing more to say.
    ///
    /// # Errors
    /// The kernel's.
    pub fn receive(&mut self) -> Result<Option<Report>, RuntimeError> {
        let mut message = vec![0; LONGEST_MESSAGE];
        loop {
            match self.socket.read(&mut message) {
                Ok(0) => return Ok(None),
                Ok(length) => {
                    return serde_json::from_slice(&message[..length])
                        .map(Some)
                        .map_err(|error| {
                            RuntimeError::system("understand the monitor", io::Error::other(error))
                        });
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                Err(error) => return Err(RuntimeError::system("hear the monitor", error)),
            }
        }
    }
}

impl AsFd for Reports {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
