//! A command that listens to a container's output, which may read slowly, pause, or go away.

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{ErrorKind, PipeWriter, Write};
use std::os::fd::{AsFd, BorrowedFd};

/// A pipe is made of pages, and a piece of output may begin in the middle of one.
const PAGE: usize = 4096;

/// One stream's way to the command. Nothing here ever waits, but [`Listener::finish`].
#[derive(Debug)]
pub(super) struct Listener {
    pipe: PipeWriter,
    /// What did not fit into the pipe yet.
    pending: Vec<u8>,
}

/// Nobody listens any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gone;

impl Listener {
    pub(super) fn new(pipe: PipeWriter) -> Result<Listener, Errno> {
        set_flags(&pipe, OFlag::O_NONBLOCK)?;
        Ok(Listener {
            pipe,
            pending: Vec::new(),
        })
    }

    /// What to wait for while it is behind: that there is room again, or nobody who reads.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }

    /// Whether something is pending. Then nothing more should be taken from the program, so that it feels what a full
    /// pipe is, and the memory of the monitor stays small.
    pub(super) fn is_behind(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Whether nobody reads any more.
    pub(super) fn is_gone(&self) -> bool {
        let mut question = [PollFd::new(self.pipe.as_fd(), PollFlags::empty())];
        matches!(poll(&mut question, PollTimeout::ZERO), Ok(1..))
    }

    /// Passes a piece on, as much of it as fits now.
    pub(super) fn pass_on(&mut self, piece: &[u8]) -> Result<(), Gone> {
        if self.is_behind() {
            self.pending.extend_from_slice(piece);
            return self.catch_up();
        }
        let passed = self.write(piece)?;
        self.pending.extend_from_slice(&piece[passed..]);
        Ok(())
    }

    /// Passes on what is pending, as much of it as fits now.
    pub(super) fn catch_up(&mut self) -> Result<(), Gone> {
        let pending = std::mem::take(&mut self.pending);
        let passed = self.write(&pending)?;
        self.pending = pending[passed..].to_vec();
        Ok(())
    }

    /// Gives the command everything that is pending, for which the pipe is made larger. What the kernel does not allow to
    /// be given is left to [`Listener::finish`].
    pub(super) fn hand_over(mut self) -> Option<Listener> {
        if !self.is_behind() {
            return None;
        }
        let size = fcntl(&self.pipe, FcntlArg::F_GETPIPE_SZ).unwrap_or_default();
        if let Ok(more) = i32::try_from(self.pending.len().next_multiple_of(PAGE) + PAGE) {
            // Refused for more than a mebibyte without CAP_SYS_RESOURCE (pipe(7)).
            let _ = fcntl(
                &self.pipe,
                FcntlArg::F_SETPIPE_SZ(size.saturating_add(more)),
            );
        }
        match self.catch_up() {
            Ok(()) if self.is_behind() => Some(self),
            _ => None,
        }
    }

    /// Waits until everything is passed on, or nobody listens any more.
    pub(super) fn finish(mut self) {
        // If the flag stays, what does not fit is lost; the log has it.
        let _ = set_flags(&self.pipe, OFlag::empty());
        let _ = self.pipe.write_all(&self.pending);
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize, Gone> {
        let mut written = 0;
        while written < bytes.len() {
            match self.pipe.write(&bytes[written..]) {
                Ok(length) => written += length,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return Err(Gone),
            }
        }
        Ok(written)
    }
}

fn set_flags(pipe: &PipeWriter, flags: OFlag) -> Result<(), Errno> {
    fcntl(pipe, FcntlArg::F_SETFL(flags)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipe::await_hang_up;
    use nix::sys::signal::{SigSet, Signal};
    use std::io::{self, Read};

    fn listener() -> (io::PipeReader, Listener) {
        let (reader, writer) = io::pipe().expect("a pipe");
        (reader, Listener::new(writer).expect("the flag can be set"))
    }

    #[test]
    fn nobody_waits_for_a_command_that_does_not_read_and_it_gets_everything_in_the_end() {
        let (mut reader, mut listener) = listener();
        let sent: Vec<u8> = (0..200_000_u32).map(|number| number as u8).collect();
        for piece in sent.chunks(3000) {
            listener.pass_on(piece).expect("somebody listens");
        }
        assert!(listener.is_behind());
        assert!(listener.hand_over().is_none(), "the pipe took the rest");
        let mut received = Vec::new();
        reader
            .read_to_end(&mut received)
            .expect("the pipe is readable");
        assert_eq!(received, sent);
    }

    #[test]
    fn a_command_that_reads_again_is_caught_up_with() {
        let (mut reader, mut listener) = listener();
        listener.pass_on(&[1; 100_000]).expect("somebody listens");
        let mut received = vec![0; 70_000];
        reader
            .read_exact(&mut received[..60_000])
            .expect("readable");
        listener.catch_up().expect("somebody listens");
        assert!(!listener.is_behind());
        reader
            .read_exact(&mut received[..40_000])
            .expect("readable");
    }

    #[test]
    fn a_command_that_has_gone_is_noticed() {
        // It is ignored in a monitor, but not in tests.
        let broken_pipe = SigSet::from_iter([Signal::SIGPIPE]);
        broken_pipe.thread_block().expect("it can be blocked");
        let (reader, mut listener) = listener();
        assert!(!listener.is_gone());
        drop(reader);
        await_hang_up(listener.descriptor());
        assert!(listener.is_gone());
        assert_eq!(listener.pass_on(b"hello"), Err(Gone));
    }
}
