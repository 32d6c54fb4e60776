//! What a container's program reads and writes, as its monitor holds it.

use super::MonitorStreams;
use super::buffer::Buffer;
use super::listener::Listener;
use super::output::Output;
use crate::config::ProcessConfig;
use crate::error::RuntimeError;
use crate::log::{LogWriter, Stream};
use crate::streams::{ProgramEnds, input_pipe};
use crate::terminal::Terminal;
use nix::errno::Errno;
use std::io::{PipeWriter, pipe};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The streams of a program: its output, and what others write its input to.
#[derive(Debug)]
pub(super) struct Streams {
    /// Standard output and standard error, or the terminal that is both.
    pub(super) outputs: Vec<Output>,
    input: Input,
}

/// What others may be handed to write input to.
#[derive(Debug)]
enum Input {
    /// Nothing: there is no input, or it belongs to the command that began.
    None,
    /// Standard input, which stays open whoever comes and goes.
    Kept(PipeWriter),
    Terminal(Terminal),
}

impl Streams {
    /// Pipes to a program. Its input is the command's, if that has any to give; else it is kept open for others, if the
    /// container is to have input at all.
    pub(super) fn of_pipes(
        process: &ProcessConfig,
        command: MonitorStreams,
    ) -> Result<(ProgramEnds, Streams), RuntimeError> {
        let fail = |error| RuntimeError::system("make pipes", error);
        let (stdout, program_stdout) = pipe().map_err(fail)?;
        let (stderr, program_stderr) = pipe().map_err(fail)?;
        let mut ends = ProgramEnds::nothing()?;
        ends.stdout = program_stdout.into();
        ends.stderr = program_stderr.into();
        let mut input = Input::None;
        if let Some(stdin) = command.stdin {
            ends.stdin = stdin.into();
        } else if process.open_stdin {
            let (reader, writer) = input_pipe().map_err(fail)?;
            ends.stdin = reader.into();
            input = Input::Kept(writer);
        }
        let mut streams = Streams {
            outputs: vec![
                Output::new(stdout.into(), Stream::Stdout),
                Output::new(stderr.into(), Stream::Stderr),
            ],
            input,
        };
        streams.admit([command.stdout, command.stderr])?;
        Ok((ends, streams))
    }

    /// The terminal that a program has made, of which this is the master.
    pub(super) fn of_terminal(
        master: Option<OwnedFd>,
        command: Option<PipeWriter>,
    ) -> Result<Streams, RuntimeError> {
        let fail = |error| RuntimeError::system("take the container's terminal", error);
        let master = master.ok_or_else(|| fail(Errno::ENOTTY.into()))?;
        let terminal = Terminal::hold(master).map_err(fail)?;
        let source = terminal.duplicate().map_err(fail)?;
        let mut streams = Streams {
            outputs: vec![Output::new(source, Stream::Stdout)],
            input: Input::Terminal(terminal),
        };
        streams.admit([command, None])?;
        Ok(streams)
    }

    /// Passes output on to one more command.
    pub(super) fn admit(&mut self, pipes: [Option<PipeWriter>; 2]) -> Result<(), RuntimeError> {
        for (output, pipe) in self.outputs.iter_mut().zip(pipes) {
            if let Some(pipe) = pipe {
                let listener = Listener::new(pipe)
                    .map_err(|error| RuntimeError::system("make pipes", error))?;
                output.admit(listener);
            }
        }
        Ok(())
    }

    /// What a command is handed, to write input to and to set the size of the window.
    pub(super) fn handed_out(&self) -> Option<BorrowedFd<'_>> {
        match &self.input {
            Input::None => None,
            Input::Kept(pipe) => Some(pipe.as_fd()),
            Input::Terminal(terminal) => Some(terminal.as_fd()),
        }
    }

    /// Takes what is there now that the program has ended.
    pub(super) fn drain(&mut self, buffer: &mut Buffer, log: &mut Option<LogWriter>) {
        for output in &mut self.outputs {
            output.drain(buffer, log);
        }
    }
}
