//! Passing streams and signals between the terminal and an attached program, until the program ends.
//!
//! Theory of operation
//!
//! 1. Signals that a user can send are taken through a `signalfd`, so that they arrive between two reads and not in one.
//! 2. One `poll(2)` waits for the program's output, for our input while there is room to pass it on, for signals, and for
//!    news of the program's end.
//! 3. What comes is passed on at once. Whoever stops reading our output does not stop the program.
//! 4. When the end is known and the output has been passed on, its exit code is ours.

use crate::failure::Failure;
use minirun_runtime::process::RunningProcess;
use minirun_runtime::report::{Report, Reports};
use minirun_runtime::signal::StopSignal;
use minirun_runtime::start::AttachedStreams;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::ExitCode;

/// As much as a pipe holds by default (pipe(7)).
const PIPE_SIZE: usize = 64 * 1024;

/// The signals that are passed on to the program.
const FORWARDED: [Signal; 6] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

/// Who tells of the program's end, and takes signals to it.
pub enum Source<'a> {
    /// The monitor of a container.
    Monitor {
        /// What it tells.
        reports: Reports,
        /// Sends a signal to the program.
        forward: Box<dyn Fn(StopSignal) + 'a>,
    },
    /// A process of our own.
    Process(RunningProcess),
}

/// Passes everything on until the program has ended; its exit code is the result.
pub fn relay(
    streams: AttachedStreams,
    source: Source<'_>,
    told: &mut dyn FnMut(&Report),
) -> Result<ExitCode, Failure> {
    let mut relay = Relay::new(streams, source)
        .map_err(|error| Failure::own(format!("cannot attach to the container: {error}")))?;
    let code = relay.run(told)?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)))
}

struct Relay<'a> {
    outputs: [Output; 2],
    input: Option<Input>,
    signals: SignalFd,
    source: Source<'a>,
}

struct Output {
    from: Option<PipeReader>,
    to: Target,
}

#[derive(Clone, Copy)]
enum Target {
    Stdout,
    Stderr,
}

/// Our input on its way to the program.
struct Input {
    to: PipeWriter,
    pending: Vec<u8>,
}

/// What a wait has shown.
#[derive(Default)]
struct News {
    outputs: [bool; 2],
    input: bool,
    signal: bool,
    end: bool,
}

impl<'a> Relay<'a> {
    fn new(streams: AttachedStreams, source: Source<'a>) -> io::Result<Relay<'a>> {
        let mut set = SigSet::empty();
        for signal in FORWARDED {
            set.add(signal);
        }
        set.thread_block()?;
        let signals = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let input = match streams.stdin {
            Some(to) => {
                // A program that does not read must not keep us from passing its output on.
                fcntl(&to, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
                Some(Input {
                    to,
                    pending: Vec::new(),
                })
            }
            None => None,
        };
        Ok(Relay {
            outputs: [
                Output {
                    from: Some(streams.stdout),
                    to: Target::Stdout,
                },
                Output {
                    from: Some(streams.stderr),
                    to: Target::Stderr,
                },
            ],
            input,
            signals,
            source,
        })
    }

    fn run(&mut self, told: &mut dyn FnMut(&Report)) -> Result<i32, Failure> {
        let mut buffer = vec![0; PIPE_SIZE];
        let mut code = None;
        loop {
            let open = self.outputs.iter().any(|output| output.from.is_some());
            // A process of our own may leave children behind that hold its output open; they are not waited for.
            if let Some(code) = code
                && (!open || matches!(self.source, Source::Process(_)))
            {
                self.drain(&mut buffer);
                return Ok(code);
            }
            let news = self
                .wait(code.is_some())
                .map_err(|error| Failure::own(format!("cannot wait for the container: {error}")))?;
            for (output, ready) in self.outputs.iter_mut().zip(news.outputs) {
                if ready {
                    output.pass_on(&mut buffer);
                }
            }
            if news.input {
                self.pass_input_on(&mut buffer);
            }
            if news.signal {
                self.pass_signals_on();
            }
            if news.end {
                code = self.hear(told)?;
            }
        }
    }

    fn wait(&self, ended: bool) -> io::Result<News> {
        let stdin = io::stdin();
        let mut descriptors = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        let mut add = |descriptor, flags| {
            descriptors.push(PollFd::new(descriptor, flags));
            Some(descriptors.len() - 1)
        };
        let end = if ended {
            None
        } else {
            add(self.source.descriptor(), PollFlags::POLLIN)
        };
        let outputs = self.outputs.each_ref().map(|output| {
            output
                .from
                .as_ref()
                .and_then(|from| add(from.as_fd(), PollFlags::POLLIN))
        });
        let input = match &self.input {
            Some(input) if input.pending.is_empty() => add(stdin.as_fd(), PollFlags::POLLIN),
            Some(input) => add(input.to.as_fd(), PollFlags::POLLOUT),
            None => None,
        };
        match poll(&mut descriptors, PollTimeout::NONE) {
            Err(nix::errno::Errno::EINTR) => return Ok(News::default()),
            outcome => outcome?,
        };
        let ready = |place: Option<usize>| {
            place.is_some_and(|index| descriptors[index].any().unwrap_or(false))
        };
        Ok(News {
            outputs: outputs.map(ready),
            input: ready(input),
            signal: ready(Some(0)),
            end: ready(end),
        })
    }

    /// Moves input one step: reads some when there is none pending, writes what is pending else.
    fn pass_input_on(&mut self, buffer: &mut [u8]) {
        let Some(input) = &mut self.input else {
            return;
        };
        if input.pending.is_empty() {
            match io::stdin().lock().read(buffer) {
                Ok(0) | Err(_) => {
                    self.input = None;
                    return;
                }
                Ok(length) => input.pending.extend_from_slice(&buffer[..length]),
            }
        }
        match input.to.write(&input.pending) {
            Ok(length) => {
                input.pending.drain(..length);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // The program has closed its input.
            Err(_) => self.input = None,
        }
    }

    fn pass_signals_on(&self) {
        while let Ok(Some(taken)) = self.signals.read_signal() {
            let Ok(signal) = i32::try_from(taken.ssi_signo).map(|number| number.to_string()) else {
                continue;
            };
            if let Ok(signal) = signal.parse::<StopSignal>() {
                self.source.signal(signal);
            }
        }
    }

    /// Hears what the source has to say; the exit code, if that is what it said.
    fn hear(&mut self, told: &mut dyn FnMut(&Report)) -> Result<Option<i32>, Failure> {
        match &mut self.source {
            Source::Process(process) => {
                let exit = process.wait().map_err(Failure::own)?;
                Ok(Some(exit.exit_code()))
            }
            Source::Monitor { reports, .. } => {
                match reports
                    .receive()
                    .map_err(|error| Failure::of_program(&error))?
                {
                    Some(Report::Exited { exit_code }) => Ok(Some(exit_code)),
                    Some(report) => {
                        told(&report);
                        Ok(None)
                    }
                    None => Err(Failure::own(
                        "the container's monitor was killed, and the container with it",
                    )),
                }
            }
        }
    }

    /// Passes on what is in the pipes now.
    fn drain(&mut self, buffer: &mut [u8]) {
        for output in &mut self.outputs {
            while let Some(from) = &output.from {
                let mut descriptors = [PollFd::new(from.as_fd(), PollFlags::POLLIN)];
                if !matches!(poll(&mut descriptors, PollTimeout::ZERO), Ok(1..)) {
                    break;
                }
                output.pass_on(buffer);
            }
        }
    }
}

impl Output {
    fn pass_on(&mut self, buffer: &mut [u8]) {
        let Some(from) = &mut self.from else {
            return;
        };
        match from.read(buffer) {
            Ok(0) | Err(_) => self.from = None,
            Ok(length) => {
                let piece = &buffer[..length];
                // Whoever reads us may have stopped reading; the program goes on.
                let _ = match self.to {
                    Target::Stdout => {
                        let mut output = io::stdout().lock();
                        output.write_all(piece).and_then(|()| output.flush())
                    }
                    Target::Stderr => io::stderr().lock().write_all(piece),
                };
            }
        }
    }
}

impl Source<'_> {
    fn descriptor(&self) -> BorrowedFd<'_> {
        match self {
            Source::Monitor { reports, .. } => reports.as_fd(),
            Source::Process(process) => process.pidfd(),
        }
    }

    fn signal(&self, signal: StopSignal) {
        match self {
            Source::Monitor { forward, .. } => forward(signal),
            Source::Process(process) => {
                // A program that has just ended needs no signal any more.
                let _ = process.signal(signal.number());
            }
        }
    }
}
