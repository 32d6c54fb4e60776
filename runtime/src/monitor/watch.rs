//! Watching a running container: its output goes to the log and to the command, and its end is noticed.
//!
//! Everything waits in one `poll(2)`: the two pipes of the program, the descriptor of its first process, a command that is
//! behind with reading, one that has something to say, and questions about names. The only timers are that of the
//! DNS server, while it waits for the answer of another, and that of health checks. A command that does not read holds up its
//! stream and with that, in the end, the program that writes to it; it holds up neither the other stream nor the end.

use super::listener::Listener;
use super::setup::{Container, ContainerNetwork};
use crate::error::RuntimeError;
use crate::log::{LineSplitter, LogEntry, LogWriter, Stream};
use crate::process::Exit;
use jiff::Timestamp;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{PipeReader, PipeWriter, Read};
use std::os::fd::AsFd;
use std::time::Instant;

/// How much is read at once, in bytes.
const PIECE: usize = 16 * 1024;

/// As much as a pipe holds by default, in bytes (pipe(7)).
const PIPE_SIZE: usize = 64 * 1024;

/// One stream of the program's output.
#[derive(Debug)]
pub(super) struct Output {
    /// Where it comes from; none once it has ended.
    source: Option<PipeReader>,
    /// The command that listens; none when it does not, or no longer.
    listener: Option<Listener>,
    stream: Stream,
    lines: LineSplitter,
}

impl Output {
    pub(super) fn new(
        source: PipeReader,
        listener: Option<PipeWriter>,
        stream: Stream,
    ) -> Result<Output, RuntimeError> {
        let listener = listener
            .map(Listener::new)
            .transpose()
            .map_err(|error| RuntimeError::system("make pipes", error))?;
        Ok(Output {
            source: Some(source),
            listener,
            stream,
            lines: LineSplitter::default(),
        })
    }

    /// What to wait for: the listener's room, if it is behind, else the program's output.
    fn question(&self) -> Option<PollFd<'_>> {
        match (&self.listener, &self.source) {
            (Some(listener), _) if listener.is_behind() => {
                Some(PollFd::new(listener.descriptor(), PollFlags::POLLOUT))
            }
            (_, Some(source)) => Some(PollFd::new(source.as_fd(), PollFlags::POLLIN)),
            (_, None) => None,
        }
    }

    /// Does what was waited for.
    fn go_on(&mut self, buffer: &mut [u8], log: &mut LogWriter) {
        match &mut self.listener {
            Some(listener) if listener.is_behind() => {
                if listener.catch_up().is_err() {
                    self.listener = None;
                }
            }
            _ => {
                self.take(buffer, log);
            }
        }
    }

    /// Takes what is there now, and says how much it was.
    fn take(&mut self, buffer: &mut [u8], log: &mut LogWriter) -> usize {
        let Some(source) = &mut self.source else {
            return 0;
        };
        let Ok(length @ 1..) = source.read(buffer) else {
            self.end(log);
            // The end is passed on at once, unless something is to come before it.
            self.listener.take_if(|listener| !listener.is_behind());
            return 0;
        };
        let piece = &buffer[..length];
        if let Some(listener) = &mut self.listener
            && listener.pass_on(piece).is_err()
        {
            self.listener = None;
        }
        let (stream, now) = (self.stream, Timestamp::now());
        self.lines
            .push(piece, |line| log.add(&LogEntry::new(line, stream, now)));
        length
    }

    /// Reads what the pipe holds without waiting for more. Only as much as fits into a pipe was there when the program
    /// ended: somebody to whom it handed the descriptor could write for ever.
    fn drain(&mut self, buffer: &mut [u8], log: &mut LogWriter) {
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

    /// The stream has ended, if not with the end of a line, then without.
    fn end(&mut self, log: &mut LogWriter) {
        self.source = None;
        let stream = self.stream;
        self.lines
            .finish(|line| log.add(&LogEntry::new(line, stream, Timestamp::now())));
    }
}

impl Container {
    /// Copies output and answers questions until the program has ended and its pipes are empty. `follow` is called when a
    /// command says that the networks have changed.
    pub(super) fn watch(&mut self, follow: &mut Follow<'_>) -> Result<Exit, RuntimeError> {
        let mut buffer = vec![0; PIECE];
        loop {
            let news = self.wait_for_news()?;
            for (output, ready) in self.outputs.iter_mut().zip(news.outputs) {
                if ready {
                    output.go_on(&mut buffer, &mut self.log);
                }
            }
            if let Some(resolver) = self.network.resolver.as_mut().filter(|_| news.resolver) {
                resolver.go_on();
            }
            if let Some(health) = self.health.as_mut().filter(|_| news.health) {
                health.go_on();
            }
            if news.control
                && let Some(control) = self.network.control.take()
            {
                control.hear(|| follow(&mut self.network));
                self.network.control = Some(control);
            }
            if !news.ended {
                // A full disk must not stop the program; its output still reaches whoever listens.
                let _ = self.log.flush();
                continue;
            }
            let exit = self.process.wait()?;
            // All other processes of its namespace are dead now (pid_namespaces(7)), so whatever is still to come is in
            // the pipes already.
            for output in &mut self.outputs {
                output.drain(&mut buffer, &mut self.log);
            }
            let _ = self.log.flush();
            return Ok(exit);
        }
    }

    /// Gives those who listen the rest of the output; hands back those to whom it could not be given without waiting.
    pub(super) fn hand_over(&mut self) -> Vec<Listener> {
        self.outputs
            .iter_mut()
            .filter_map(|output| output.listener.take()?.hand_over())
            .collect()
    }

    /// Waits until the program has ended or there is something to do for its output, its names or a command.
    fn wait_for_news(&self) -> Result<News, RuntimeError> {
        let mut questions = vec![PollFd::new(self.process.pidfd(), PollFlags::POLLIN)];
        let outputs = self.outputs.each_ref().map(|output| {
            questions.push(output.question()?);
            Some(questions.len() - 1)
        });
        let control = self.network.control.as_ref().map(|control| {
            questions.push(PollFd::new(control.descriptor(), PollFlags::POLLIN));
            questions.len() - 1
        });
        let health = self.health.as_ref().and_then(|health| {
            questions.push(health.wanted()?);
            Some(questions.len() - 1)
        });
        let health_deadline = self.health.as_ref().map(|health| health.deadline());
        let resolver_begin = questions.len();
        let mut deadline = None;
        if let Some(resolver) = &self.network.resolver {
            questions.extend(resolver.wanted());
            deadline = resolver.deadline();
        }
        loop {
            let earliest = deadline.into_iter().chain(health_deadline).min();
            match poll(&mut questions, timeout(earliest)) {
                Ok(_) => break,
                Err(Errno::EINTR) => {}
                Err(error) => return Err(RuntimeError::system("watch the container", error)),
            }
        }
        let ready = |index: usize| questions[index].any().unwrap_or(false);
        let asked = (resolver_begin..questions.len()).any(ready);
        let is_over = |deadline: Option<Instant>| deadline.is_some_and(|end| end <= Instant::now());
        Ok(News {
            ended: ready(0),
            outputs: outputs.map(|place| place.is_some_and(ready)),
            control: control.is_some_and(ready),
            health: health.is_some_and(ready) || is_over(health_deadline),
            resolver: asked || is_over(deadline),
        })
    }
}

/// What is called when a command says that the networks have changed.
pub(super) type Follow<'a> = dyn FnMut(&mut ContainerNetwork) -> Result<(), RuntimeError> + 'a;

/// What there is to do.
struct News {
    ended: bool,
    outputs: [bool; 2],
    control: bool,
    health: bool,
    resolver: bool,
}

/// How long to wait, at most; a little too long rather than in vain.
pub(super) fn timeout(deadline: Option<Instant>) -> PollTimeout {
    let Some(deadline) = deadline else {
        return PollTimeout::NONE;
    };
    let milliseconds = deadline
        .saturating_duration_since(Instant::now())
        .as_millis()
        .saturating_add(1);
    u16::try_from(milliseconds).map_or(PollTimeout::from(u16::MAX), PollTimeout::from)
}
