//! One stream of a program's output on its way to the log and to those who listen.
//!
//! Usually a piece is read and written to each of them. Where only one listens, much output goes a shorter way: the kernel
//! hands its pages on from pipe to pipe, and they are read for the log only, or not at all if none is kept. The listener gets
//! what fits into its pipe then, and what does not stays with the program; so nothing is ever pending in between.

use super::buffer::Buffer;
use super::listener::Listener;
use crate::log::{LogWriter, LoggedStream, Stream};
use crate::pipe::{self, PIPE_SIZE, Passed};
use jiff::Timestamp;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};

/// The stream. What it passes on is not read faster than the slowest of those who listen reads.
#[derive(Debug)]
pub(super) struct Output {
    /// Where it comes from; none once it has ended.
    source: Option<File>,
    /// The commands that listen.
    listeners: Vec<Listener>,
    logged: LoggedStream,
    /// Whether the only listener has no room for what stays with the program.
    full: bool,
    /// Whether pipes were made wide.
    wide: bool,
}

impl Output {
    /// A stream that is read from a pipe, or from the master of a terminal.
    pub(super) fn new(source: OwnedFd, stream: Stream) -> Output {
        Output {
            source: Some(source.into()),
            listeners: Vec::new(),
            logged: LoggedStream::new(stream),
            full: false,
            wide: false,
        }
    }

    /// Passes on to one more command what comes from now on. Those who have gone are let go.
    pub(super) fn admit(&mut self, listener: Listener) {
        self.listeners.retain(|listener| !listener.is_gone());
        self.full = false;
        // A stream that has ended ends for the newcomer, too.
        if self.source.is_some() {
            self.listeners.push(listener);
        }
    }

    /// What to wait for: room with every listener that is behind, else the program's output.
    pub(super) fn questions(&self) -> impl Iterator<Item = PollFd<'_>> {
        let behind = self
            .listeners
            .iter()
            .filter(|one| self.full || one.is_behind());
        let source = self
            .source
            .as_ref()
            .filter(|_| !(self.full || self.is_behind()));
        behind
            .map(|listener| PollFd::new(listener.descriptor(), PollFlags::POLLOUT))
            .chain(source.map(|source| PollFd::new(source.as_fd(), PollFlags::POLLIN)))
    }

    /// Does what was waited for.
    pub(super) fn go_on(&mut self, buffer: &mut Buffer, log: &mut Option<LogWriter>) {
        self.full = false;
        if !self.is_behind() {
            self.pass_on(buffer, log);
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
    pub(super) fn drain(&mut self, buffer: &mut Buffer, log: &mut Option<LogWriter>) {
        let capacity = |source| pipe::capacity(source).unwrap_or_default().max(PIPE_SIZE);
        let mut rest = self.source.as_ref().map_or(0, capacity);
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

    /// Gives back what only much output needs.
    pub(super) fn rest(&mut self) {
        self.logged.rest();
        if std::mem::take(&mut self.wide) {
            self.source.iter().for_each(pipe::narrow);
            let listeners = self.listeners.iter().map(Listener::descriptor);
            listeners.for_each(pipe::narrow);
        }
    }

    fn is_behind(&self) -> bool {
        self.listeners.iter().any(Listener::is_behind)
    }

    /// Passes on what is there now, the short way if there is one.
    fn pass_on(&mut self, buffer: &mut Buffer, log: &mut Option<LogWriter>) {
        let (Some(source), [listener]) = (&self.source, &self.listeners[..]) else {
            self.take(buffer, log);
            return;
        };
        let to = listener.descriptor();
        let passed = match log {
            None => pipe::pass_on(source, to),
            Some(_) if buffer.is_busy() => pipe::share(source, to, buffer.memory().len()),
            Some(_) => {
                self.take(buffer, log);
                return;
            }
        };
        match passed {
            Passed::Nothing => {}
            Passed::NoRoom => self.full = true,
            Passed::Bytes(length) => self.account(length, (buffer, log)),
            Passed::End => self.finish(log),
            Passed::Failed(Errno::EPIPE) => self.listeners.clear(),
            // It comes from a terminal.
            Passed::Failed(_) => {
                self.take(buffer, log);
            }
        }
    }

    /// Does the rest for what was passed on the short way.
    fn account(&mut self, length: usize, (buffer, log): (&mut Buffer, &mut Option<LogWriter>)) {
        buffer.note(length);
        self.widen(length);
        if let (Some(source), Some(log)) = (&mut self.source, log) {
            // What was shared is there, and nobody else reads it.
            if let Ok(piece) = buffer.fill_exactly(source, length) {
                log.add(&mut self.logged, piece, Timestamp::now());
            }
        }
    }

    /// Takes what is there now, and says how much it was.
    fn take(&mut self, buffer: &mut Buffer, log: &mut Option<LogWriter>) -> usize {
        let Some(source) = &mut self.source else {
            return 0;
        };
        let piece = match buffer.fill_from(source) {
            Ok(piece @ [_, ..]) => piece,
            Err(error) if is_temporary(error.kind()) => return 0,
            Ok(_) | Err(_) => {
                self.finish(log);
                return 0;
            }
        };
        self.listeners
            .retain_mut(|listener| listener.pass_on(piece).is_ok());
        if let Some(log) = log {
            log.add(&mut self.logged, piece, Timestamp::now());
        }
        let length = piece.len();
        self.widen(length);
        length
    }

    /// Makes the pipes wide if so much has come at once that a usual one was full.
    fn widen(&mut self, length: usize) {
        if length >= PIPE_SIZE && !self.wide {
            self.wide = true;
            self.source.iter().for_each(pipe::widen);
            let listeners = self.listeners.iter().map(Listener::descriptor);
            listeners.for_each(pipe::widen);
        }
    }

    fn finish(&mut self, log: &mut Option<LogWriter>) {
        self.end(log);
        self.let_go();
    }

    /// Passes the end on at once, but to those for whom something is to come before it.
    fn let_go(&mut self) {
        self.listeners.retain(Listener::is_behind);
    }

    /// The stream has ended, if not with the end of a line, then without.
    fn end(&mut self, log: &mut Option<LogWriter>) {
        self.source = None;
        if let Some(log) = log {
            log.finish(&mut self.logged, Timestamp::now());
        }
    }
}

fn is_temporary(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
