//! How a command is connected with the streams of a program.
//!
//! Output comes through the container's monitor, because of the log. Input and the size of the window go straight from the
//! command to the kernel: the command has the writing end of the program's standard input, or its terminal.

use crate::config::ProcessConfig;
use crate::error::RuntimeError;
use crate::monitor::MonitorStreams;
use crate::process::ChildStdio;
use crate::terminal::{Terminal, WindowSize};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, pipe};
use std::os::fd::{AsFd, OwnedFd};

/// How a program's streams are connected to the command that starts it, or that attaches to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attachment {
    /// Not at all: output goes to the log only.
    Detached,
    /// Output goes to the command, too.
    Output,
    /// So does input, if the container takes any.
    OutputAndInput,
}

/// The command's ends of a program's streams.
#[derive(Debug)]
pub struct AttachedStreams {
    /// Where what the program reads is written to, without ever waiting; none if it reads nothing from here. Closing it is
    /// the end of the program's input, unless that is a terminal, or is kept open for others.
    pub stdin: Option<OwnedFd>,
    /// What it writes to standard output, or to its terminal.
    pub stdout: OwnedFd,
    /// What it writes to standard error; none if that is its terminal.
    pub stderr: Option<OwnedFd>,
    /// Its terminal, if it has one.
    pub terminal: Option<Terminal>,
}

/// The command's ends, as far as they are known before the program runs.
#[derive(Debug)]
pub(crate) struct CommandEnds {
    attachment: Attachment,
    stdin: Option<PipeWriter>,
    stdout: PipeReader,
    stderr: Option<PipeReader>,
}

/// The ends of a program that is about to begin.
#[derive(Debug)]
pub(crate) struct ProgramEnds {
    pub(crate) stdin: OwnedFd,
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
}

impl ProgramEnds {
    /// What a program has whose streams lead nowhere, or which takes a terminal later.
    pub(crate) fn nothing() -> Result<ProgramEnds, RuntimeError> {
        let path = "/dev/null";
        let open = || -> io::Result<ProgramEnds> {
            let null = File::options().read(true).write(true).open(path)?;
            Ok(ProgramEnds {
                stdin: null.try_clone()?.into(),
                stdout: null.try_clone()?.into(),
                stderr: null.into(),
            })
        };
        open().map_err(|error| RuntimeError::file("open", path.as_ref(), error))
    }

    /// As the child takes them.
    pub(crate) fn stdio(&self) -> ChildStdio<'_> {
        ChildStdio {
            stdin: self.stdin.as_fd(),
            stdout: self.stdout.as_fd(),
            stderr: self.stderr.as_fd(),
        }
    }
}

/// A pipe for a program's input. Nobody ever waits in a write to it, however many hold that end.
pub(crate) fn input_pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = pipe()?;
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok((reader, writer))
}

impl CommandEnds {
    /// The pipes to a program that is to be started, and the ends that its monitor has. The program reads from this command
    /// only, so that the end of our input is the end of its own.
    pub(crate) fn of_start(
        process: &ProcessConfig,
        (attachment, window): (Attachment, Option<WindowSize>),
    ) -> io::Result<(Option<CommandEnds>, MonitorStreams)> {
        if attachment == Attachment::Detached {
            let monitor = MonitorStreams {
                window,
                ..MonitorStreams::default()
            };
            return Ok((None, monitor));
        }
        let (mut ends, mut monitor) = CommandEnds::of_attach(process, attachment)?;
        if ends.wants_input(process) && !process.terminal {
            let (reader, writer) = input_pipe()?;
            (ends.stdin, monitor.stdin) = (Some(writer), Some(reader));
        }
        monitor.window = window;
        Ok((Some(ends), monitor))
    }

    /// The pipes for the output of a program.
    pub(crate) fn of_attach(
        process: &ProcessConfig,
        attachment: Attachment,
    ) -> io::Result<(CommandEnds, MonitorStreams)> {
        let (stdout, monitor_stdout) = pipe()?;
        let (stderr, monitor_stderr) = match process.terminal {
            true => (None, None),
            false => pipe().map(|(reader, writer)| (Some(reader), Some(writer)))?,
        };
        let ends = CommandEnds {
            attachment,
            stdin: None,
            stdout,
            stderr,
        };
        let monitor = MonitorStreams {
            stdout: Some(monitor_stdout),
            stderr: monitor_stderr,
            ..MonitorStreams::default()
        };
        Ok((ends, monitor))
    }

    /// All ends, now that the program runs. Its monitor has handed out its terminal, or where its input is written to.
    pub(crate) fn complete(
        self,
        process: &ProcessConfig,
        handed: Option<OwnedFd>,
    ) -> Result<AttachedStreams, RuntimeError> {
        let wants_input = self.wants_input(process);
        let fail = |error| RuntimeError::system("take the container's terminal", error);
        let own = self.stdin.map(OwnedFd::from);
        let (terminal, stdin) = match (process.terminal, handed) {
            (true, Some(master)) => {
                let terminal = Terminal::hold(master).map_err(fail)?;
                let input = terminal.duplicate().map_err(fail)?;
                (Some(terminal), Some(input))
            }
            (true, None) => return Err(fail(io::ErrorKind::NotFound.into())),
            (false, kept) => (None, own.or(kept)),
        };
        Ok(AttachedStreams {
            stdin: stdin.filter(|_| wants_input),
            stdout: self.stdout.into(),
            stderr: self.stderr.map(OwnedFd::from),
            terminal,
        })
    }

    fn wants_input(&self, process: &ProcessConfig) -> bool {
        self.attachment == Attachment::OutputAndInput && process.open_stdin
    }
}
