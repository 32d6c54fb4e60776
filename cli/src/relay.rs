//! Passing streams and signals between the terminal and an attached program, until the program ends.
//!
//! Theory of operation
//!
//! 1. Signals that a user can send are taken through a `signalfd`, so that they arrive between two reads and not in one
//!    ([`signals`]). They are held from before the program is started.
//! 2. One `poll(2)` waits for the program's output or for room to write it ([`output`]), for our input or for room to pass
//!    it on ([`input`]), for signals, and for news of the program's end. Nothing else ever waits.
//! 3. What comes is passed on at once. Whoever stops reading our output does not stop the program: `minirun run … | head`
//!    goes on until the program ends, and its log has everything.
//! 4. When the end is known and the output has been passed on, its exit code is ours. A signal that comes while only our
//!    reader is waited for ends the waiting.

mod input;
mod output;
mod signals;

use crate::failure::{Failure, OWN_ERROR};
use input::{Input, More};
use minirun_bridge::name::ContainerName;
use minirun_runtime::config::ContainerConfig;
use minirun_runtime::process::RunningProcess;
use minirun_runtime::report::{Report, Reports};
use minirun_runtime::runtime::Runtime;
use minirun_runtime::signal::StopSignal;
use minirun_runtime::start::AttachedStreams;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use output::{Output, Target};
pub use signals::HeldSignals;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// As much as a pipe holds by default (pipe(7)).
const PIPE_SIZE: usize = 64 * 1024;

/// Who tells of the program's end, and takes signals to it.
pub enum Source<'a> {
    /// The monitor of a container.
    Monitor {
        /// The container.
        name: &'a ContainerName,
        /// What it tells.
        reports: Reports,
        /// Sends a signal to the program.
        forward: Box<dyn Fn(StopSignal) + 'a>,
    },
    /// A process of our own.
    Process(RunningProcess),
}

/// How the program ended.
#[derive(Clone, Copy)]
enum End {
    /// With this exit code.
    Code(i32),
    /// With its monitor, which could not say how.
    Unknown,
}

impl<'a> Source<'a> {
    /// The monitor of a container that this command has started.
    pub fn monitor(
        runtime: &'a Runtime,
        config: &'a ContainerConfig,
        reports: Reports,
    ) -> Source<'a> {
        Source::Monitor {
            name: &config.name,
            reports,
            forward: Box::new(|signal| {
                // A container that has just ended needs no signal any more.
                let _ = runtime.signal(config, signal);
            }),
        }
    }
}

/// Passes everything on until the program has ended; its exit code is the result.
pub fn relay(
    streams: AttachedStreams,
    source: Source<'_>,
    signals: HeldSignals,
    told: &mut dyn FnMut(&Report),
) -> Result<u8, Failure> {
    let input = streams
        .stdin
        .map(Input::new)
        .transpose()
        .map_err(|error| Failure::own(format!("cannot attach to the container: {error}")))?;
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let stdout = Target {
        descriptor: stdout.as_fd(),
        name: "standard output",
    };
    let stderr = Target {
        descriptor: stderr.as_fd(),
        name: "standard error",
    };
    let mut relay = Relay {
        outputs: [
            Output::new(streams.stdout, stdout),
            Output::new(streams.stderr, stderr),
        ],
        input,
        signals,
        source,
    };
    let end = relay.run(told)?;
    relay.conclude(end)
}

struct Relay<'a> {
    outputs: [Output<'a>; 2],
    input: Option<Input>,
    signals: HeldSignals,
    source: Source<'a>,
}

/// What a wait has shown.
#[derive(Default)]
struct News {
    outputs: [bool; 2],
    input: bool,
    signal: bool,
    end: bool,
}

impl Relay<'_> {
    fn run(&mut self, told: &mut dyn FnMut(&Report)) -> Result<End, Failure> {
        let mut buffer = vec![0; PIPE_SIZE];
        let mut known = None;
        loop {
            if let Some(end) = known
                && !self.outputs.iter().any(Output::is_open)
            {
                return Ok(end);
            }
            let news = self
                .wait(known.is_some())
                .map_err(|error| Failure::own(format!("cannot wait for the container: {error}")))?;
            for (output, ready) in self.outputs.iter_mut().zip(news.outputs) {
                if ready {
                    output.go_on(&mut buffer);
                }
            }
            if let Some(input) = self.input.as_mut().filter(|_| news.input)
                && input.go_on(&mut buffer) == More::No
            {
                self.input = None;
            }
            match known {
                Some(end) if news.signal => return Ok(end),
                _ => self.pass_signals_on(),
            }
            if news.end {
                known = self.hear(told)?;
            }
            if known.is_some() {
                self.input = None;
            }
            if known.is_some() && matches!(self.source, Source::Process(_)) {
                // It may leave children behind that hold its output open; they are not waited for.
                for output in &mut self.outputs {
                    output.take_last(&mut buffer);
                }
            }
        }
    }

    fn wait(&self, ended: bool) -> io::Result<News> {
        let mut questions = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        let mut add = |question| {
            questions.push(question?);
            Some(questions.len() - 1)
        };
        let source = PollFd::new(self.source.descriptor(), PollFlags::POLLIN);
        let end = add((!ended).then_some(source));
        let [stdout, stderr] = &self.outputs;
        let outputs = [add(stdout.question()), add(stderr.question())];
        let input = add(self.input.as_ref().map(Input::question));
        match poll(&mut questions, PollTimeout::NONE) {
            Err(Errno::EINTR) => return Ok(News::default()),
            outcome => outcome?,
        };
        let ready = |place: Option<usize>| {
            place.is_some_and(|index| questions[index].any().unwrap_or(false))
        };
        Ok(News {
            outputs: outputs.map(ready),
            input: ready(input),
            signal: ready(Some(0)),
            end: ready(end),
        })
    }

    fn pass_signals_on(&self) {
        while let Some(signal) = self.signals.next() {
            self.source.signal(signal);
        }
    }

    /// Hears what the source has to say; the end, if that is what it said.
    fn hear(&mut self, told: &mut dyn FnMut(&Report)) -> Result<Option<End>, Failure> {
        let reports = match &mut self.source {
            Source::Process(process) => {
                let exit = process.wait().map_err(Failure::own)?;
                return Ok(Some(End::Code(exit.exit_code())));
            }
            Source::Monitor { reports, .. } => reports,
        };
        let report = reports
            .receive()
            .map_err(|error| Failure::of_program(&error))?;
        Ok(match report {
            Some(Report::Exited { exit_code }) => Some(End::Code(exit_code)),
            Some(report) => {
                told(&report);
                None
            }
            None => Some(End::Unknown),
        })
    }

    fn conclude(&self, end: End) -> Result<u8, Failure> {
        let failed = self.outputs.iter().any(Output::has_failed);
        match (end, &self.source) {
            (End::Unknown, Source::Monitor { name, .. }) => Err(Failure::killed(format!(
                "the monitor of container `{name}` was killed, and the container with it"
            ))),
            (End::Code(code), _) if !failed => Ok(u8::try_from(code).unwrap_or(u8::MAX)),
            _ => Ok(OWN_ERROR),
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
