//! One stream of a program's output on its way to the log and to those who listen.

use super::listener::Listener;
use crate::log::{LineSplitter, LogEntry, LogWriter, Stream};
use jiff::Timestamp;
use nix::fcntl::{FcntlArg, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};

/// As much as a pipe holds by default, in bytes (pipe(7)); a terminal holds less.
const PIPE_SIZE: usize = 64 * 1024;

/// The stream. What it passes on is not read faster than the slowest of those who listen reads.
#[derive(Debug)]
pub(super) struct Output {
    /// Where it comes from; none once it has ended.
    source: Option<File>,
    /// The commands that listen.
    listeners: Vec<Listener>,
    stream: Stream,
    lines: LineSplitter,
}

impl Output {
    /// A stream that is read from a pipe, or from the master of a terminal.
    pub(super) fn new(source: OwnedFd, stream: Stream) -> Output {
        Output {
            source: Some(source.into()),
            listeners: Vec::new(),
            stream,
            lines: LineSplitter::default(),
        }
    }

    /// Passes on to one more command what comes from now on. Those who have gone are let go.
    pub(super) fn admit(&mut self, listener: Listener) {
        self.listeners.retain(|listener| !listener.is_gone());
        // A stream that has ended ends for the newcomer, too.
        if self.source.is_some() {
            self.listeners.push(listener);
        }
    }

    /// What to wait for: room with every listener that is behind, else the program's output.
    pub(super) fn questions(&self) -> impl Iterator<Item = PollFd<'_>> {
        let behind = self.listeners.iter().filter(|one| one.is_behind());
        let source = self.source.as_ref().filter(|_| !self.is_behind());
        behind
            .map(|listener| PollFd::new(listener.descriptor(), PollFlags::POLLOUT))
            .chain(source.map(|source| PollFd::new(source.as_fd(), PollFlags::POLLIN)))
    }

    /// Does what was waited for.
    pub(super) fn go_on(&mut self, buffer: &mut [u8], log: &mut LogWriter) {
        if !self.is_behind() {
            self.take(buffer, log);
            return;
        }
        self.listeners
            .retain_mut(|listener| !listener.is_behind() || listener.catch_up().is_ok());
        if self.source.is_none() {
            self.let_go();
        }
    }

    /// Reads what is there without waiting for more. Only as much as fits into a pipe was there when the program ended:
    /// somebody to whom it handed the descriptor could write for ever.
    pub(super) fn drain(&mut self, buffer: &mut [u8], log: &mut LogWriter) {
        let mut rest = self.source.as_ref().map_or(0, |source| {
            let size = fcntl(source, FcntlArg::F_GETPIPE_SZ).unwrap_or_default();
            usize::try_from(size).unwrap_or_default().max(PIPE_SIZE)
        });
        while rest > 0
            && let Some(source) = &self.source
            && let mut question = [PollFd::new(source.as_fd(), PollFlags::POLLIN)]
            && matches!(poll(&mut question, PollTimeout::ZERO), Ok(1..))
        {
            rest = rest.saturating_sub(self.take(buffer, log));
        }
        self.end(log);
    }

    /// Gives those who listen the rest; hands back those to whom it could not be given without waiting.
    pub(super) fn hand_over(&mut self) -> impl Iterator<Item = Listener> {
        self.listeners.drain(..).filter_map(Listener::hand_over)
    }

    fn is_behind(&self) -> bool {
        self.listeners.iter().any(Listener::is_behind)
    }

    /// Takes what is there now, and says how much it was.
    fn take(&mut self, buffer: &mut [u8], log: &mut LogWriter) -> usize {
        let Some(source) = &mut self.source else {
            return 0;
        };
        let length = match source.read(buffer) {
            Ok(length @ 1..) => length,
            Err(error) if is_temporary(error.kind()) => return 0,
            Ok(_) | Err(_) => {
                self.end(log);
                self.let_go();
                return 0;
            }
        };
        let piece = &buffer[..length];
        self.listeners
            .retain_mut(|listener| listener.pass_on(piece).is_ok());
        let (stream, now) = (self.stream, Timestamp::now());
        self.lines
            .push(piece, |line| log.add(&LogEntry::new(line, stream, now)));
        length
    }

    /// Passes the end on at once, but to those for whom something is to come before it.
    fn let_go(&mut self) {
        self.listeners.retain(Listener::is_behind);
    }

    /// The stream has ended, if not with the end of a line, then without.
    fn end(&mut self, log: &mut LogWriter) {
        self.source = None;
        let stream = self.stream;
        self.lines
            .finish(|line| log.add(&LogEntry::new(line, stream, Timestamp::now())));
    }
}

fn is_temporary(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
