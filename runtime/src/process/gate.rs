//! The gate: a socket pair between a parent and the child it holds back.
//!
//! The child sends reports of eight bytes, the parent sends one byte that opens. The child's end closes on exec.
//!
//! A process between has a second pair, over which it tells of the child that it made, and at last how that ended.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::descriptor_message;
use super::exit::Exit;

/// What a child says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// The root is ready; the child waits.
    Ready,
    /// The process between has made the real child, which has this number in the caller's process namespace; a
    /// descriptor of that child comes along.
    Cloned(i32),
    /// The namespaces could not be entered, or the real child not be cloned.
    NotEntered(Errno),
    /// The real child has ended.
    Ended(Exit),
    /// The child has a terminal, whose other end comes along.
    Terminal,
    /// Whether interfaces that come into its network namespace have no IPv6 from now on.
    Interfaces(bool),
    /// The step of this index failed.
    Failed(u32, Errno),
}

const READY: u32 = u32::MAX;
const CLONED: u32 = u32::MAX - 1;
const NOT_ENTERED: u32 = u32::MAX - 2;
const EXITED: u32 = u32::MAX - 3;
const KILLED: u32 = u32::MAX - 4;
const TERMINAL: u32 = u32::MAX - 5;
const INTERFACES: u32 = u32::MAX - 6;

impl Report {
    fn encode(self) -> [u8; 8] {
        let (kind, value) = match self {
            Self::Ready => (READY, 0),
            Self::Cloned(pid) => (CLONED, pid),
            Self::NotEntered(errno) => (NOT_ENTERED, errno as i32),
            Self::Ended(Exit::Code(code)) => (EXITED, code),
            Self::Ended(Exit::Signal(signal)) => (KILLED, signal),
            Self::Terminal => (TERMINAL, 0),
            Self::Interfaces(without_ipv6) => (INTERFACES, i32::from(without_ipv6)),
            Self::Failed(index, errno) => (index, errno as i32),
        };
        let [a, b, c, d] = kind.to_ne_bytes();
        let [e, f, g, h] = value.to_ne_bytes();
        [a, b, c, d, e, f, g, h]
    }

    fn decode([a, b, c, d, e, f, g, h]: [u8; 8]) -> Self {
        let value = i32::from_ne_bytes([e, f, g, h]);
        match u32::from_ne_bytes([a, b, c, d]) {
            READY => Self::Ready,
            CLONED => Self::Cloned(value),
            NOT_ENTERED => Self::NotEntered(Errno::from_raw(value)),
            EXITED => Self::Ended(Exit::Code(value)),
            KILLED => Self::Ended(Exit::Signal(value)),
            TERMINAL => Self::Terminal,
            INTERFACES => Self::Interfaces(value != 0),
            index => Self::Failed(index, Errno::from_raw(value)),
        }
    }
}

/// Makes the two ends: the parent's first, the child's second. Both close on exec.
pub(super) fn pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    let mut ends = [-1; 2];
    // SAFETY: the kernel writes two descriptors to the array of two.
    let result = unsafe {
        libc::socketpair(
            libc::AF_UNIX,
            libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC,
            0,
            ends.as_mut_ptr(),
        )
    };
    Errno::result(result)?;
    // SAFETY: both descriptors were just opened for us and nobody else knows of them.
    Ok(unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) })
}

/// Sends a report. Called in the child: no allocation.
pub(super) fn send(gate: RawFd, report: Report) -> Result<(), Errno> {
    let message = report.encode();
    // SAFETY: the pointer and the length describe the array on our stack.
    let result = unsafe {
        libc::send(
            gate,
            message.as_ptr().cast(),
            message.len(),
            libc::MSG_NOSIGNAL,
        )
    };
    Errno::result(result).map(drop)
}

/// Sends a report with a descriptor. Called in the child and in the process between: no allocation.
pub(super) fn send_with(
    gate: RawFd,
    report: Report,
    descriptor: BorrowedFd<'_>,
) -> Result<(), Errno> {
    descriptor_message::send(gate, report.encode(), descriptor)
}

/// Waits for the parent's word. `Ok` means go on; `EPIPE` means that the parent is gone. Called in the child: no
/// allocation.
pub(super) fn wait_until_open(gate: RawFd) -> Result<(), Errno> {
    let mut word = [0; 1];
    match receive(gate, &mut word)? {
        1 => Ok(()),
        _ => Err(Errno::EPIPE),
    }
}

/// Whether the other end is closed. Called in the child: no allocation.
pub(super) fn is_abandoned(gate: RawFd) -> bool {
    let mut question = libc::pollfd {
        fd: gate,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: the pointer names one pollfd, and a time of 0 does not wait.
    let result = unsafe { libc::poll(&raw mut question, 1, 0) };
    result == 1 && question.revents & libc::POLLHUP != 0
}

/// Opens the gate.
pub(super) fn open(gate: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: the pointer and the length describe one static byte.
    let result = unsafe {
        libc::send(
            gate.as_raw_fd(),
            [1_u8].as_ptr().cast(),
            1,
            libc::MSG_NOSIGNAL,
        )
    };
    Errno::result(result).map(drop)
}

/// Whether there is a report, or the other end is closed, before so much time is over.
pub(super) fn has_report_within(gate: BorrowedFd<'_>, patience: Duration) -> bool {
    let mut question = [PollFd::new(gate, PollFlags::POLLIN)];
    let patience = PollTimeout::try_from(patience).unwrap_or(PollTimeout::ZERO);
    poll(&mut question, patience) == Ok(1)
}

/// Waits for the next report; `None` when the other end is closed.
pub(super) fn next_report(gate: BorrowedFd<'_>) -> Result<Option<Report>, Errno> {
    let mut message = [0; 8];
    match receive(gate.as_raw_fd(), &mut message)? {
        0 => Ok(None),
        8 => Ok(Some(Report::decode(message))),
        _ => Err(Errno::EBADMSG),
    }
}

/// Waits for the next report and takes the descriptor that comes with it; `None` when the other end is closed.
pub(super) fn next_report_with(
    gate: BorrowedFd<'_>,
) -> Result<Option<(Report, Option<OwnedFd>)>, Errno> {
    let (length, message, descriptor) = descriptor_message::receive(gate)?;
    match length {
        0 => Ok(None),
        8 => Ok(Some((Report::decode(message), descriptor))),
        _ => Err(Errno::EBADMSG),
    }
}

fn receive(gate: RawFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    loop {
        // SAFETY: the pointer and the length describe the caller's buffer.
        let result = unsafe { libc::recv(gate, buffer.as_mut_ptr().cast(), buffer.len(), 0) };
        match Errno::result(result) {
            Err(Errno::EINTR) => continue,
            // A child that ends with an unread word of ours in its socket resets the connection: it is gone all the
            // same.
            Err(Errno::ECONNRESET) => return Ok(0),
            other => return other.map(|length| length as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::fd::AsFd;

    use super::*;
    use crate::pipe::await_hang_up;

    #[test]
    fn every_report_survives_the_way_through_the_gate() {
        let (ours, theirs) = pair().expect("a socket pair");
        for report in [
            Report::Ready,
            Report::Cloned(42),
            Report::NotEntered(Errno::ESRCH),
            Report::Ended(Exit::Code(255)),
            Report::Ended(Exit::Signal(64)),
            Report::Terminal,
            Report::Interfaces(false),
            Report::Interfaces(true),
            Report::Failed(7, Errno::ENOENT),
        ] {
            send(theirs.as_raw_fd(), report).expect("a report is sent");
            assert_eq!(next_report(ours.as_fd()), Ok(Some(report)));
        }
        drop(theirs);
        assert_eq!(next_report(ours.as_fd()), Ok(None));
    }

    #[test]
    fn a_report_may_bring_a_descriptor_along() {
        let (ours, theirs) = pair().expect("a socket pair");
        let (reader, mut writer) = std::io::pipe().expect("a pipe");
        send_with(theirs.as_raw_fd(), Report::Cloned(42), reader.as_fd()).expect("it is sent");
        send(theirs.as_raw_fd(), Report::Ready).expect("a report is sent");
        drop((reader, theirs));
        let mut text = String::new();
        match next_report_with(ours.as_fd()) {
            Ok(Some((Report::Cloned(42), Some(descriptor)))) => {
                writer.write_all(b"hello").expect("somebody reads");
                drop(writer);
                let mut reader = std::fs::File::from(descriptor);
                reader.read_to_string(&mut text).expect("readable");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(text, "hello");
        assert!(matches!(
            next_report_with(ours.as_fd()),
            Ok(Some((Report::Ready, None)))
        ));
        assert!(matches!(next_report_with(ours.as_fd()), Ok(None)));
    }

    #[test]
    fn a_child_whose_parent_is_gone_does_not_go_on() {
        let (ours, theirs) = pair().expect("a socket pair");
        assert!(!is_abandoned(theirs.as_raw_fd()));
        drop(ours);
        await_hang_up(&theirs);
        assert!(is_abandoned(theirs.as_raw_fd()));
        assert_eq!(wait_until_open(theirs.as_raw_fd()), Err(Errno::EPIPE));
    }
}
