//! One stream of a program's output on its way to our own.
//!
//! Our standard streams are shared with others, so they must not be made non-blocking. From pipe to pipe, the kernel moves
//! output without reading it and without waiting. Elsewhere, a write is made only when `poll(2)` says that there is room, and
//! of no more than `PIPE_BUF` bytes: a terminal that polls writable takes as much. Files and the devices of memory, such as
//! `/dev/null`, never make anybody wait.

use crate::failure::complain;
use minirun_runtime::pipe::{self, Passed};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::{SFlag, fstat, major};
use nix::unistd::write;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The major number of `/dev/null` and its like (null(4)).
const MEMORY_DEVICES: u64 = 1;

/// Where the output goes.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) descriptor: BorrowedFd<'a>,
    pub(super) name: &'static str,
}

/// One stream. Whoever stops reading ours does not stop the program; its output is then thrown away here.
pub(super) struct Output<'a> {
    /// None when the stream has ended, or nobody wants it any more.
    from: Option<File>,
    to: Target<'a>,
    /// What was read and is not written yet.
    pending: Vec<u8>,
    /// How much of that is written already, in bytes.
    written: usize,
    /// Whether there is no room for what is still in the pipe.
    full: bool,
    way: Way,
    failed: bool,
}

/// How output gets to our own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From pipe to pipe.
    Move,
    /// In writes of no more than so many bytes.
    Write(usize),
}

impl Way {
    fn to(target: BorrowedFd<'_>) -> Way {
        let Ok(status) = fstat(target) else {
            return Way::Write(libc::PIPE_BUF);
        };
        match SFlag::from_bits_truncate(status.st_mode & SFlag::S_IFMT.bits()) {
            SFlag::S_IFIFO => Way::Move,
            SFlag::S_IFREG => Way::Write(usize::MAX),
            SFlag::S_IFCHR if major(status.st_rdev) == MEMORY_DEVICES => Way::Write(usize::MAX),
            _ => Way::Write(libc::PIPE_BUF),
        }
    }
}

impl<'a> Output<'a> {
    /// A stream that comes through a pipe, or from the master of a terminal.
    pub(super) fn new(from: impl Into<OwnedFd>, to: Target<'a>) -> Output<'a> {
        Output {
            from: Some(from.into().into()),
            way: Way::to(to.descriptor),
            full: false,
            to,
            pending: Vec::new(),
            written: 0,
            failed: false,
        }
    }

    /// Whether there is more to pass on.
    pub(super) fn is_open(&self) -> bool {
        self.from.is_some() || !self.pending.is_empty()
    }

    /// Whether it was given up for another reason than that nobody reads it.
    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    /// What to wait for: room, or something to pass on.
    pub(super) fn question(&self) -> Option<PollFd<'_>> {
        if self.full || !self.pending.is_empty() {
            return Some(PollFd::new(self.to.descriptor, PollFlags::POLLOUT));
        }
        let from = self.from.as_ref()?;
        Some(PollFd::new(from.as_fd(), PollFlags::POLLIN))
    }

    /// Passes on what is there and fits now.
    pub(super) fn go_on(&mut self, buffer: &mut [u8]) {
        if self.pending.is_empty() && self.way == Way::Move {
            self.pass_on();
            return;
        }
        if self.pending.is_empty() {
            self.take(buffer);
        }
        let most = match self.way {
            Way::Move => libc::PIPE_BUF,
            Way::Write(most) => most,
        };
        while !self.pending.is_empty()
            && is_ready(PollFd::new(self.to.descriptor, PollFlags::POLLOUT))
        {
            let rest = &self.pending[self.written..];
            match write(self.to.descriptor, &rest[..rest.len().min(most)]) {
                Ok(length) => self.advance(length),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => break,
                Err(error) => self.give_up(error),
            }
        }
    }

    /// Takes what is in the pipe now and expects no more.
    pub(super) fn take_last(&mut self, buffer: &mut [u8]) {
        // Somebody who is not waited for may write for ever; a pipe holds no more than this, and a terminal less.
        let capacity = self.from.as_ref().and_then(pipe::capacity);
        let mut rest = capacity.unwrap_or(pipe::PIPE_SIZE);
        while rest > 0
            && let Some(from) = &self.from
            && is_ready(PollFd::new(from.as_fd(), PollFlags::POLLIN))
        {
            let taken = self.take(buffer);
            if taken == 0 {
                break;
            }
            rest = rest.saturating_sub(taken);
        }
        self.from = None;
    }

    fn pass_on(&mut self) {
        self.full = false;
        let Some(from) = &self.from else {
            return;
        };
        match pipe::pass_on(from, self.to.descriptor) {
            Passed::Bytes(_) | Passed::Nothing => {}
            Passed::NoRoom => self.full = true,
            Passed::End => self.from = None,
            Passed::Failed(Errno::EPIPE) => self.give_up(Errno::EPIPE),
            // It comes from a terminal.
            Passed::Failed(_) => self.way = Way::Write(libc::PIPE_BUF),
        }
    }

    fn take(&mut self, buffer: &mut [u8]) -> usize {
        let Some(from) = &mut self.from else {
            return 0;
        };
        match from.read(buffer) {
            Ok(length @ 1..) => {
                self.pending.extend_from_slice(&buffer[..length]);
                length
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                0
            }
            Ok(_) | Err(_) => {
                self.from = None;
                0
            }
        }
    }

    fn advance(&mut self, length: usize) {
        self.written += length;
        if self.written == self.pending.len() {
            self.pending.clear();
            self.written = 0;
        }
    }

    /// Closing our end tells the other side that its output is not wanted.
    fn give_up(&mut self, error: Errno) {
        self.from = None;
        self.full = false;
        self.pending.clear();
        if error != Errno::EPIPE {
            self.failed = true;
            complain(
                "error",
                &format!(
                    "cannot write to {}: {}",
                    self.to.name,
                    io::Error::from(error)
                ),
            );
        }
    }
}

fn is_ready(question: PollFd<'_>) -> bool {
    matches!(poll(&mut [question], PollTimeout::ZERO), Ok(1..))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::{SigSet, Signal};
    use std::io::{PipeWriter, Write, pipe};

    fn to(writer: &PipeWriter) -> Target<'_> {
        Target {
            descriptor: writer.as_fd(),
            name: "a pipe",
        }
    }

    /// Waits until nobody has the other end of a pipe any more. A child that another test has just forked has copies of all
    /// descriptors for a moment, so what a test has closed may still be open.
    fn await_hang_up(end: impl AsFd) {
        let mut question = [PollFd::new(end.as_fd(), PollFlags::empty())];
        poll(&mut question, PollTimeout::NONE).expect("it hangs up");
    }

    #[test]
    fn a_reader_that_does_not_read_is_not_waited_for_and_gets_everything_in_the_end() {
        let (from, mut program) = pipe().expect("a pipe");
        let (mut reader, writer) = pipe().expect("a pipe");
        let mut output = Output::new(from, to(&writer));
        let mut buffer = vec![0; 4 * libc::PIPE_BUF];
        let piece: Vec<u8> = (0..10_000_u32).map(|number| number as u8).collect();
        let mut sent = Vec::new();
        while !output.full {
            program.write_all(&piece).expect("there is room");
            sent.extend_from_slice(&piece);
            output.go_on(&mut buffer);
        }
        drop(program);
        await_hang_up(output.from.as_ref().expect("it goes on"));
        let mut received = vec![0; sent.len()];
        let mut length = 0;
        while output.is_open() {
            length += reader.read(&mut received[length..]).expect("readable");
            output.go_on(&mut buffer);
        }
        reader
            .read_exact(&mut received[length..])
            .expect("all is there");
        assert!(received == sent);
    }

    #[test]
    fn output_that_nobody_reads_is_given_up_in_silence() {
        // It is ignored in every Rust program, but not in tests.
        let broken_pipe = SigSet::from_iter([Signal::SIGPIPE]);
        broken_pipe.thread_block().expect("it can be blocked");
        let (from, mut program) = pipe().expect("a pipe");
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        await_hang_up(&writer);
        let mut output = Output::new(from, to(&writer));
        program.write_all(b"hello").expect("there is room");
        output.go_on(&mut [0; 16]);
        assert!(!output.is_open());
        assert!(!output.has_failed());
        await_hang_up(&program);
        program
            .write_all(b"hello")
            .expect_err("the program notices");
    }

    #[test]
    fn output_that_cannot_be_written_is_a_failure() {
        let (from, mut program) = pipe().expect("a pipe");
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .expect("the device is there");
        let target = Target {
            descriptor: full.as_fd(),
            name: "a full disk",
        };
        let mut output = Output::new(from, target);
        program.write_all(b"hello").expect("there is room");
        output.go_on(&mut [0; 16]);
        assert!(output.has_failed());
    }

    #[test]
    fn what_is_left_behind_and_writes_on_does_not_keep_a_stream_open() {
        let (from, mut program) = pipe().expect("a pipe");
        let (_reader, writer) = pipe().expect("a pipe");
        let mut output = Output::new(from, to(&writer));
        program.write_all(b"last words").expect("there is room");
        output.take_last(&mut [0; 4]);
        assert_eq!(output.pending, b"last words");
        output.go_on(&mut [0; 16]);
        assert!(!output.is_open());
    }
}
