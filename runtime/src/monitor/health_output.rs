//! What the program of a health check writes, as far as it is kept.

use super::watch::timeout;
use crate::error::RuntimeError;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use std::io::{PipeReader, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

/// How much is kept, in bytes, as with Docker.
const LONGEST: usize = 4096;

/// What stands in the place of what was not kept.
const MORE: &str = "...";

/// What was written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// What was kept.
    pub(super) bytes: Vec<u8>,
    /// Whether the program has ended.
    pub(super) is_complete: bool,
    is_cut: bool,
}

impl Written {
    /// What was kept, as text.
    pub(super) fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.bytes).into_owned();
        if self.is_cut {
            text.push_str(MORE);
        }
        text
    }

    fn add(&mut self, piece: &[u8]) {
        let room = LONGEST - self.bytes.len();
        let kept = &piece[..piece.len().min(room)];
        self.bytes.extend_from_slice(kept);
        self.is_cut |= kept.len() < piece.len();
    }
}

/// Reads until the process of this descriptor has ended, at most until `give_up`. What processes that it left behind
/// write afterwards is not waited for.
pub(super) fn collect(
    source: PipeReader,
    process: BorrowedFd<'_>,
    give_up: Instant,
) -> Result<Written, RuntimeError> {
    let mut written = Written::default();
    let mut source = Some(source);
    loop {
        let mut questions = vec![PollFd::new(process, PollFlags::POLLIN)];
        questions.extend(
            source
                .as_ref()
                .map(|source| PollFd::new(source.as_fd(), PollFlags::POLLIN)),
        );
        match poll(&mut questions, timeout(Some(give_up))) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(RuntimeError::system("watch a health check", error)),
        }
        let ready = |index: usize| {
            questions
                .get(index)
                .is_some_and(|one| one.any() == Some(true))
        };
        let (ended, readable) = (ready(0), ready(1));
        if readable && let Some(pipe) = &mut source {
            let mut piece = [0; LONGEST];
            match pipe.read(&mut piece) {
                Ok(length @ 1..) => written.add(&piece[..length]),
                Ok(0) | Err(_) => source = None,
            }
        }
        let is_late = give_up <= Instant::now();
        // What it wrote before its end is in the pipe, and is read first; but not what others write for ever.
        if ended && (!readable || written.is_cut || is_late) {
            written.is_complete = true;
            return Ok(written);
        }
        if is_late {
            return Ok(written);
        }
    }
}
