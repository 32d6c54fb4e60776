//! Moving what is in a pipe to another pipe, without reading it and without waiting.

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SpliceFFlags, fcntl, splice, tee};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::os::fd::AsFd;

/// As much as a pipe holds by default, in bytes (pipe(7)).
pub const PIPE_SIZE: usize = 64 * 1024;

/// As much as a pipe holds through which much comes, in bytes. A monitor must be able to give a command the rest of the output
/// when the program has ended: what such a pipe holds has to fit into another, besides what that holds already, and every user
/// may have pipes of a mebibyte (pipe(7)).
const WIDE: i32 = 256 * 1024;

/// More than any pipe holds, in bytes.
const EVERYTHING: usize = 1 << 30;

/// What became of an attempt to pass something on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed {
    /// So many bytes, more than none.
    Bytes(usize),
    /// Nothing: there is nothing now.
    Nothing,
    /// Nothing, for ever: nobody is there who could write more.
    End,
    /// Nothing, because there is no room.
    NoRoom,
    /// Nothing, because nobody is there who could read it, or one of the two is no pipe, or a pipe that is broken.
    Failed(Errno),
}

/// Passes on everything that fits now.
pub fn pass_on(from: impl AsFd, to: impl AsFd) -> Passed {
    let flags = SpliceFFlags::SPLICE_F_MOVE | SpliceFFlags::SPLICE_F_NONBLOCK;
    settle(&from, || splice(&from, None, &to, None, EVERYTHING, flags))
}

/// Passes on as much as fits now, and at most so many bytes, which can then still be read.
pub fn share(from: impl AsFd, to: impl AsFd, most: usize) -> Passed {
    settle(&from, || {
        tee(&from, &to, most, SpliceFFlags::SPLICE_F_NONBLOCK)
    })
}

fn settle(from: &impl AsFd, mut attempt: impl FnMut() -> nix::Result<usize>) -> Passed {
    loop {
        return match attempt() {
            Ok(0) => Passed::End,
            Ok(length) => Passed::Bytes(length),
            Err(Errno::EINTR) => continue,
            // It does not say which of the two it was.
            Err(Errno::EAGAIN) if holds_something(from) => Passed::NoRoom,
            Err(Errno::EAGAIN) => Passed::Nothing,
            Err(error) => Passed::Failed(error),
        };
    }
}

fn holds_something(pipe: &impl AsFd) -> bool {
    let mut question = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
    matches!(poll(&mut question, PollTimeout::ZERO), Ok(1..))
}

/// Lets a pipe hold more, so that those at its ends wait less often for each other. It is used as it is if that cannot be.
pub fn widen(pipe: impl AsFd) {
    let _ = fcntl(pipe, FcntlArg::F_SETPIPE_SZ(WIDE));
}

/// Takes [`widen`] back, because what a user's pipes may hold together is limited.
pub fn narrow(pipe: impl AsFd) {
    // It does not fit as long as it holds more than that; then it stays wide.
    if let Ok(size) = i32::try_from(PIPE_SIZE) {
        let _ = fcntl(pipe, FcntlArg::F_SETPIPE_SZ(size));
    }
}

/// How much a pipe holds now at most, in bytes; none if it is no pipe.
pub fn capacity(pipe: impl AsFd) -> Option<usize> {
    let size = fcntl(pipe, FcntlArg::F_GETPIPE_SZ).ok()?;
    usize::try_from(size).ok()
}

/// Waits until nobody has the other end of a pipe, or of a socket, any more. A child that another test has just forked has
/// copies of all descriptors for a moment, so what a test has closed may still be open.
#[cfg(test)]
pub(crate) fn await_hang_up(end: impl AsFd) {
    let mut question = [PollFd::new(end.as_fd(), PollFlags::empty())];
    poll(&mut question, PollTimeout::NONE).expect("it hangs up");
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::{SigSet, Signal};
    use std::io::{Read, Write, pipe};

    #[test]
    fn what_is_passed_on_is_gone_and_what_is_shared_can_be_read_again() {
        let (mut from, mut program) = pipe().expect("a pipe");
        let (mut reader, to) = pipe().expect("a pipe");
        assert_eq!(pass_on(&from, &to), Passed::Nothing);
        program.write_all(b"shared").expect("there is room");
        assert_eq!(share(&from, &to, 4), Passed::Bytes(4));
        let mut text = [0; 6];
        from.read_exact(&mut text).expect("readable");
        assert_eq!(&text, b"shared");
        program.write_all(b"moved").expect("there is room");
        assert_eq!(pass_on(&from, &to), Passed::Bytes(5));
        drop(program);
        await_hang_up(&from);
        assert_eq!(pass_on(&from, &to), Passed::End);
        assert_eq!(share(&from, &to, 1), Passed::End);
        drop(to);
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("readable");
        assert_eq!(text, "sharmoved");
    }

    #[test]
    fn a_full_pipe_and_one_that_nobody_reads_are_told_apart() {
        // It is ignored in every Rust program, but not in tests.
        let broken_pipe = SigSet::from_iter([Signal::SIGPIPE]);
        broken_pipe.thread_block().expect("it can be blocked");
        let (from, mut program) = pipe().expect("a pipe");
        let (reader, mut to) = pipe().expect("a pipe");
        to.write_all(&[0; PIPE_SIZE]).expect("as much fits");
        program.write_all(b"more").expect("there is room");
        assert_eq!(pass_on(&from, &to), Passed::NoRoom);
        assert_eq!(share(&from, &to, 4), Passed::NoRoom);
        drop(reader);
        await_hang_up(&to);
        assert_eq!(pass_on(&from, &to), Passed::Failed(Errno::EPIPE));
        let file = tempfile::tempfile().expect("a file");
        assert_eq!(share(&from, &file, 4), Passed::Failed(Errno::EINVAL));
    }

    #[test]
    fn a_pipe_is_wide_only_for_a_while() {
        let (from, mut program) = pipe().expect("a pipe");
        widen(&from);
        assert_eq!(capacity(&from), Some(WIDE as usize));
        program
            .write_all(&[0; PIPE_SIZE + 1])
            .expect("there is room");
        narrow(&from);
        assert_eq!(capacity(&from), Some(WIDE as usize), "it holds too much");
        let (mut other, _to) = (from, program);
        other.read_exact(&mut [0; PIPE_SIZE + 1]).expect("readable");
        narrow(&other);
        assert_eq!(capacity(&other), Some(PIPE_SIZE));
    }
}
