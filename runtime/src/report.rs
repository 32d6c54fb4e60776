//! What a monitor tells the command that started it, over a socket that keeps messages apart.
//!
//! A command may be paused (^Z), and a monitor that waited for it would leave its container unattended and locked. So
//! nothing is ever waited for here: explanations are left out when much is unread, which leaves room for the few words
//! that count.

use crate::container_state::ExitRecord;
use crate::descriptors;
use crate::error::RuntimeError;
use jiff::Timestamp;
use minirun_netns::{Explain, Narrator};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, getsockopt, setsockopt, socketpair, sockopt,
};
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// The longest message; a longer explanation is not sent.
const LONGEST_MESSAGE: usize = 128 * 1024;

/// How much may be unread while steps are told, in bytes. The kernel counts some hundred bytes more for each message.
const ROOM_FOR_STEPS: usize = 1024 * 1024;

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
    /// Something did not work that the program does not depend on.
    Warned {
        /// What.
        message: String,
    },
    /// The program runs.
    Started {
        /// Its first process.
        pid: i32,
        /// Since when.
        since: Timestamp,
    },
    /// It does not, and everything was taken back.
    Failed {
        /// The error.
        message: String,
        /// What to do about it.
        hint: Option<String>,
        /// The exit code for it.
        exit_code: i32,
    },
    /// The program has ended like this.
    Exited(Box<ExitRecord>),
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
    if narration == Narration::Told {
        // With the usual room, some steps more may be left out.
        let _ = setsockopt(&ours, sockopt::SndBufForce, &ROOM_FOR_STEPS);
    }
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
        self.send_with(report, None);
    }

    /// Sends a message, and with it a copy of a descriptor.
    pub(crate) fn send_with(&mut self, report: &Report, descriptor: Option<BorrowedFd<'_>>) {
        let Ok(message) = serde_json::to_vec(report) else {
            return;
        };
        let is_step = matches!(report, Report::Step { .. });
        if message.len() <= LONGEST_MESSAGE && (!is_step || self.has_room_beside(message.len())) {
            let _ = descriptors::send(
                self.socket.as_fd(),
                (&message, descriptor.as_slice()),
                MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL,
            );
        }
    }

    /// Whether half of the socket's room is left when a message of this length has been sent.
    fn has_room_beside(&self, length: usize) -> bool {
        let mut unread: libc::c_int = 0;
        // SAFETY: for a socket, this request writes one integer, to the place that the pointer names.
        let asked =
            unsafe { libc::ioctl(self.socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut unread) };
        let room = getsockopt(&self.socket, sockopt::SndBuf).unwrap_or(0);
        asked == 0 && usize::try_from(unread).is_ok_and(|unread| unread + length <= room / 2)
    }

    /// Whether nobody listens any more.
    pub(crate) fn is_gone(&self) -> bool {
        let mut question = [PollFd::new(self.socket.as_fd(), PollFlags::empty())];
        matches!(poll(&mut question, PollTimeout::ZERO), Ok(1..))
    }

    /// Whether steps are told.
    pub fn narration(&self) -> Narration {
        self.narration
    }

    /// Tells a step that was applied so long ago.
    pub fn tell_of_earlier(&mut self, step: &dyn Explain, age: Duration) {
        if self.narration == Narration::Silent {
            return;
        }
        let elapsed = self.begun.elapsed().saturating_sub(age).as_micros();
        let explanation = step.explain();
        self.send(&Report::Step {
            elapsed_microseconds: u64::try_from(elapsed).unwrap_or(u64::MAX),
            sentence: explanation.sentence,
            command: explanation.command,
        });
    }

    /// Tells what did not work.
    pub fn warn(&mut self, error: &impl Display) {
        self.send(&Report::Warned {
            message: error.to_string(),
        });
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
        self.tell_of_earlier(step, Duration::ZERO);
    }
}

/// The monitor's end that an attached command has sent.
impl From<OwnedFd> for Reporter {
    fn from(socket: OwnedFd) -> Reporter {
        Reporter {
            socket: socket.into(),
            narration: Narration::Silent,
            begun: Instant::now(),
        }
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
        Ok(self.receive_with()?.map(|(report, _)| report))
    }

    /// Waits for the next message, and takes the descriptor that may come with it.
    pub(crate) fn receive_with(
        &mut self,
    ) -> Result<Option<(Report, Option<OwnedFd>)>, RuntimeError> {
        loop {
            // Few are longer than a line, so memory for the longest would be cleared in vain.
            let waiting = descriptors::waiting(self.socket.as_fd());
            let mut message = vec![0; waiting.unwrap_or(LONGEST_MESSAGE).max(1)];
            match descriptors::receive(self.socket.as_fd(), &mut message) {
                Ok((0, _)) => return Ok(None),
                Ok((length, descriptors)) => {
                    let report = serde_json::from_slice(&message[..length]).map_err(|error| {
                        RuntimeError::system("understand the monitor", io::Error::other(error))
                    })?;
                    return Ok(Some((report, descriptors.into_iter().next())));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container_state::EndCause;
    use minirun_netns::Explanation;

    struct LongStep;

    impl Explain for LongStep {
        fn explain(&self) -> Explanation {
            Explanation {
                sentence: "x".repeat(100_000),
                command: String::new(),
            }
        }
    }

    #[test]
    fn a_command_that_does_not_listen_blocks_nothing_and_still_hears_how_it_ended() {
        let (mut reporter, mut reports) = channel(Narration::Told).expect("a channel");
        for _ in 0..100 {
            reporter.tell(&LongStep);
        }
        reporter.warn(&"the disk is full");
        let end = Report::Exited(Box::new(ExitRecord {
            started: Timestamp::UNIX_EPOCH,
            finished: Timestamp::now(),
            exit_code: 3,
            error: None,
            oom_killed: false,
            signal: None,
            usage: None,
            cause: EndCause::Program,
            restarts: 0,
            boot: "boot".into(),
        }));
        reporter.send(&end);
        drop(reporter);
        let mut heard = Vec::new();
        while let Some(report) = reports.receive().expect("the channel works") {
            heard.push(report);
        }
        assert!(matches!(heard.first(), Some(Report::Step { .. })));
        assert_eq!(heard.last(), Some(&end));
        let warning = Report::Warned {
            message: "the disk is full".into(),
        };
        assert!(heard.contains(&warning));
    }
}
