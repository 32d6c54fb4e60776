//! One stream of a program's output on its way to our own.
//!
//! Our standard streams are shared with others, so they must not be made non-blocking. Instead, a write is made only when
//! `poll(2)` says that there is room, and of no more than `PIPE_BUF` bytes: a pipe that polls writable takes as much
//! (pipe(7)). Only another program that writes to the same pipe in the same moment can make it wait.

use crate::failure::complain;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::{SFlag, fstat};
use nix::unistd::write;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

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
    /// How much can be written at once, in bytes.
    piece: usize,
    failed: bool,
}

impl<'a> Output<'a> {
    /// A stream that comes through a pipe, or from the master of a terminal.
    pub(super) fn new(from: impl Into<OwnedFd>, to: Target<'a>) -> Output<'a> {
        let kind = fstat(to.descriptor).map(|status| status.st_mode & SFlag::S_IFMT.bits());
        Output {
            from: Some(from.into().into()),
            // A regular file never makes anybody wait.
            piece: match kind {
                Ok(kind) if kind == SFlag::S_IFREG.bits() => usize::MAX,
                _ => libc::PIPE_BUF,
            },
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
        if !self.pending.is_empty() {
            return Some(PollFd::new(self.to.descriptor, PollFlags::POLLOUT));
        }
        let from = self.from.as_ref()?;
        Some(PollFd::new(from.as_fd(), PollFlags::POLLIN))
    }

    /// Passes on what is there and fits now.
    pub(super) fn go_on(&mut self, buffer: &mut [u8]) {
        if self.pending.is_empty() {
            self.take(buffer);
        }
        while !self.pending.is_empty()
            && is_ready(PollFd::new(self.to.descriptor, PollFlags::POLLOUT))
        {
            let rest = &self.pending[self.written..];
            match write(self.to.descriptor, &rest[..rest.len().min(self.piece)]) {
                Ok(length) => self.advance(length),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => break,
                Err(error) => self.give_up(error),
            }
        }
    }

    /// Takes what is in the pipe now and expects no more.
    pub(super) fn take_last(&mut self, buffer: &mut [u8]) {
        // Somebody who is not waited for may write for ever; a pipe holds no more than this, unless it was enlarged.
        let mut rest = buffer.len();
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

    #[test]
    fn a_reader_that_does_not_read_is_not_waited_for_and_gets_everything_in_the_end() {
        let (from, mut program) = pipe().expect("a pipe");
        let (mut reader, writer) = pipe().expect("a pipe");
        let mut output = Output::new(from, to(&writer));
        let mut buffer = vec![0; 4 * libc::PIPE_BUF];
        let piece: Vec<u8> = (0..10_000_u32).map(|number| number as u8).collect();
        let mut sent = Vec::new();
        while output.pending.is_empty() {
            program.write_all(&piece).expect("there is room");
            sent.extend_from_slice(&piece);
            output.go_on(&mut buffer);
        }
        drop(program);
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
        let mut output = Output::new(from, to(&writer));
        program.write_all(b"hello").expect("there is room");
        output.go_on(&mut [0; 16]);
        assert!(!output.is_open());
        assert!(!output.has_failed());
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
        assert_eq!(output.pending, b"last");
        output.go_on(&mut [0; 16]);
        assert!(!output.is_open());
    }
}
