//! Watching a running container: its output goes to the log and to the command, and its end is noticed.
//!
//! Everything waits in one `poll(2)`: the two pipes of the program, and the descriptor of its first process. There is no
//! timer and nothing is asked twice.

use super::setup::Container;
use crate::error::RuntimeError;
use crate::log::{LineSplitter, LogEntry, LogWriter, Stream};
use crate::process::Exit;
use jiff::Timestamp;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;

/// As much as a pipe holds by default (pipe(7)).
const PIPE_SIZE: usize = 64 * 1024;

/// One stream of the program's output.
#[derive(Debug)]
pub(super) struct Output {
    /// Where it comes from; none once it has ended.
    source: Option<PipeReader>,
    /// The command that listens; none when it does not, or no longer.
    listener: Option<PipeWriter>,
    stream: Stream,
    lines: LineSplitter,
}

impl Output {
    pub(super) fn new(source: PipeReader, listener: Option<PipeWriter>, stream: Stream) -> Output {
        Output {
            source: Some(source),
            listener,
            stream,
            lines: LineSplitter::default(),
        }
    }

    /// Takes what is there now.
    fn take(&mut self, buffer: &mut [u8], log: &mut LogWriter) {
        let Some(source) = &mut self.source else {
            return;
        };
        let stream = self.stream;
        match source.read(buffer) {
            Ok(0) | Err(_) => {
                self.source = None;
                self.listener = None;
                self.lines
                    .finish(|line| log.add(&LogEntry::new(line, stream, Timestamp::now())));
            }
            Ok(length) => {
                let piece = &buffer[..length];
                if let Some(listener) = &mut self.listener
                    && listener.write_all(piece).is_err()
                {
                    self.listener = None;
                }
                let now = Timestamp::now();
                self.lines
                    .push(piece, |line| log.add(&LogEntry::new(line, stream, now)));
            }
        }
    }
}

impl Container {
    /// Copies output until the program has ended and its pipes are empty.
    pub(super) fn watch(&mut self) -> Result<Exit, RuntimeError> {
        let mut buffer = vec![0; PIPE_SIZE];
        let mut exit = None;
        while exit.is_none() || self.outputs.iter().any(|output| output.source.is_some()) {
            let (ended, ready) = self.wait_for_news(exit.is_some())?;
            for (output, ready) in self.outputs.iter_mut().zip(ready) {
                if ready {
                    output.take(&mut buffer, &mut self.log);
                }
            }
            // A full disk must not stop the program; its output still reaches whoever listens.
            let _ = self.log.flush();
            if ended && exit.is_none() {
                exit = Some(self.process.wait()?);
                // All other processes of its namespace are dead now (pid_namespaces(7)), so whatever is still to come is
                // in the pipes already. Only a descriptor that was handed out of the container could keep them open.
                self.drain(&mut buffer);
            }
        }
        exit.ok_or_else(|| {
            RuntimeError::system("wait", std::io::Error::from_raw_os_error(libc::ECHILD))
        })
    }

    /// Reads what the pipes hold without waiting for more.
    fn drain(&mut self, buffer: &mut [u8]) {
        for output in &mut self.outputs {
            while let Some(source) = &output.source {
                let mut descriptors = [PollFd::new(source.as_fd(), PollFlags::POLLIN)];
                if !matches!(poll(&mut descriptors, PollTimeout::ZERO), Ok(1..)) {
                    break;
                }
                output.take(buffer, &mut self.log);
            }
            output.source = None;
            let stream = output.stream;
            let log = &mut self.log;
            output
                .lines
                .finish(|line| log.add(&LogEntry::new(line, stream, Timestamp::now())));
            output.listener = None;
        }
        let _ = self.log.flush();
    }

    /// Waits until the program has ended or one of its pipes has something; says which.
    fn wait_for_news(&self, ended: bool) -> Result<(bool, [bool; 2]), RuntimeError> {
        let mut descriptors = Vec::with_capacity(3);
        let mut places = [None; 2];
        if !ended {
            descriptors.push(PollFd::new(self.process.pidfd(), PollFlags::POLLIN));
        }
        for (place, output) in places.iter_mut().zip(&self.outputs) {
            if let Some(source) = &output.source {
                *place = Some(descriptors.len());
                descriptors.push(PollFd::new(source.as_fd(), PollFlags::POLLIN));
            }
        }
        loop {
            match poll(&mut descriptors, PollTimeout::NONE) {
                Ok(_) => break,
                Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(RuntimeError::system("watch the container", error)),
            }
        }
        let ready = |index: usize| descriptors[index].any().unwrap_or(false);
        Ok((
            !ended && ready(0),
            places.map(|place| place.is_some_and(ready)),
        ))
    }
}
