//! Passing streams and signals between the terminal and an attached program, until the program ends or the user leaves it.
//!
//! Theory of operation
//!
//! 1. Signals that a user can send are taken through a `signalfd`, so that they arrive between two reads and not in one
//!    ([`signals`]). They are held from before the program is started.
//! 2. If the program has a terminal and reads what we read, ours is made raw ([`user_terminal`]): every key is a byte for the
//!    program's terminal, which acts on it. It is put back in whatever way this ends, and while we are paused.
//! 3. One `poll(2)` waits for the program's output or for room to write it ([`output`]), for our input or for room to pass
//!    it on ([`input`]), for signals, and for news of the program's end ([`source`]). Nothing else ever waits.
//! 4. What comes is passed on at once. Whoever stops reading our output does not stop the program: `minirun run … | head`
//!    goes on until the program ends, and its log has everything.
//! 5. When the end is known and the output has been passed on, we end with its exit code. A signal that comes while only our
//!    reader is waited for ends the waiting.

mod detach_keys;
mod input;
mod output;
mod signals;
mod source;
mod user_terminal;

use crate::failure::{Failure, OWN_ERROR, tell};
pub use detach_keys::DetachKeys;
use detach_keys::DetachWatch;
use input::{Input, More};
use minirun_runtime::report::Report;
use minirun_runtime::streams::AttachedStreams;
use minirun_runtime::terminal::Terminal;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, raise};
use output::{Output, Target};
use signals::{Arrived, end_by};
pub use signals::{HeldSignals, ProgramStreams, SignalProxy};
use source::End;
pub use source::Source;
use std::io;
use std::os::fd::AsFd;
use std::process::{ExitCode, exit};
use user_terminal::RawTerminal;
pub use user_terminal::{require_terminal, window};

/// As much as a pipe holds by default (pipe(7)).
const PIPE_SIZE: usize = 64 * 1024;

/// How the user wants to be attached.
pub struct Manners {
    /// The keys by which a terminal is left.
    pub detach_keys: DetachKeys,
    /// What becomes of signals.
    pub signals: SignalProxy,
}

/// Passes everything on until the program has ended, and ends the command with its exit code, at once: what the command still has
/// is given back by the kernel sooner than piece by piece. It comes back only with something else to say.
pub fn relay(
    streams: AttachedStreams,
    source: Source<'_>,
    (signals, manners): (HeldSignals, Manners),
    told: &mut dyn FnMut(&Report),
) -> Result<ExitCode, Failure> {
    let raw = match (&streams.terminal, &streams.stdin) {
        (Some(_), Some(_)) => RawTerminal::enter()
            .map_err(|error| Failure::own(format!("cannot make the terminal raw: {error}")))?,
        _ => None,
    };
    let watch = || raw.as_ref().map(|_| DetachWatch::new(manners.detach_keys));
    let input = streams.stdin.map(|stdin| Input::new(stdin, watch()));
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let target = Target {
        descriptor: stdout.as_fd(),
        name: "standard output",
    };
    let mut outputs = vec![Output::new(streams.stdout, target)];
    outputs.extend(streams.stderr.map(|from| {
        let target = Target {
            descriptor: stderr.as_fd(),
            name: "standard error",
        };
        Output::new(from, target)
    }));
    let mut relay = Relay {
        outputs,
        input,
        signals,
        proxy: manners.signals,
        source,
        terminal: streams.terminal,
        raw,
    };
    let end = relay.run(told)?;
    relay.conclude(end)
}

struct Relay<'a> {
    outputs: Vec<Output<'a>>,
    input: Option<Input>,
    signals: HeldSignals,
    proxy: SignalProxy,
    source: Source<'a>,
    /// The program's.
    terminal: Option<Terminal>,
    /// The user's.
    raw: Option<RawTerminal>,
}

/// What a wait has shown.
#[derive(Default)]
struct News {
    outputs: Vec<bool>,
    input: bool,
    signal: bool,
    end: bool,
}

impl Relay<'_> {
    fn run(&mut self, told: &mut dyn FnMut(&Report)) -> Result<End, Failure> {
        // Needed to the end of the command.
        let buffer = vec![0; PIPE_SIZE].leak();
        let mut known = None;
        self.fit_window();
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
                    output.go_on(buffer);
                }
            }
            if news.signal {
                // What is typed after the window has changed shall meet the new size.
                self.fit_window();
            }
            if let Some(input) = self.input.as_mut().filter(|_| news.input) {
                match input.go_on(buffer) {
                    More::Perhaps => {}
                    More::No => self.input = None,
                    More::Detach => return Ok(End::Detached),
                    More::HungUp => return Ok(self.hang_up()),
                }
            }
            if news.signal
                && let Some(end) = self.heed_signals(known)
            {
                return Ok(end);
            }
            if news.end {
                known = self.source.hear(told)?;
            }
            if known.is_some() {
                self.input = None;
            }
            if known.is_some() && matches!(self.source, Source::Process { .. }) {
                // It may leave children behind that hold its output open; they are not waited for.
                for output in &mut self.outputs {
                    output.take_last(buffer);
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
        let outputs: Vec<Option<usize>> = self
            .outputs
            .iter()
            .map(|output| add(output.question()))
            .collect();
        let input = add(self.input.as_ref().map(Input::question));
        match poll(&mut questions, PollTimeout::NONE) {
            Err(Errno::EINTR) => return Ok(News::default()),
            outcome => outcome?,
        };
        let ready = |place: Option<usize>| {
            place.is_some_and(|index| questions[index].any().unwrap_or(false))
        };
        Ok(News {
            outputs: outputs.into_iter().map(ready).collect(),
            input: ready(input),
            signal: ready(Some(0)),
            end: ready(end),
        })
    }

    /// Does what the signals ask for that have come; the end, if they mean that.
    fn heed_signals(&mut self, known: Option<End>) -> Option<End> {
        while let Some(arrived) = self.signals.next() {
            match (arrived, known, self.proxy) {
                (Arrived::Passing(_), Some(end), _) => return Some(end),
                (Arrived::Passing(signal), None, SignalProxy::Program) => {
                    self.source.signal(signal);
                }
                (Arrived::Passing(signal), None, SignalProxy::Command) => {
                    return Some(End::Signal(signal));
                }
                (Arrived::Resized, ..) => self.fit_window(),
                (Arrived::Paused, ..) => self.pause(),
                (Arrived::Continued, ..) => self.go_on_after_pause(),
            }
        }
        None
    }

    /// Ends because our terminal is gone, and the signal for that may have not come yet.
    fn hang_up(&self) -> End {
        if self.proxy == SignalProxy::Program {
            self.source.signal(Signal::SIGHUP);
        }
        End::HungUp
    }

    /// Gives the program's terminal the size of ours. It may be gone already.
    fn fit_window(&self) {
        if let (Some(terminal), Some(size)) = (&self.terminal, window()) {
            let _ = terminal.resize(size);
        }
    }

    /// Stops as whoever has sent the signal expects it, with the terminal as it was before us. When we go on, we are told.
    fn pause(&self) {
        if let Some(raw) = &self.raw {
            raw.put_back();
        }
        let _ = raise(Signal::SIGSTOP);
    }

    fn go_on_after_pause(&self) {
        if let Some(raw) = &self.raw {
            // Without that, typing is awkward, but possible.
            let _ = raw.make_raw();
        }
        self.fit_window();
    }

    fn conclude(mut self, end: End) -> Result<ExitCode, Failure> {
        self.raw = None;
        let failed = self.outputs.iter().any(Output::has_failed);
        match (end, &self.source) {
            (End::Detached, source) => {
                tell("\n");
                source.leave(self.terminal.take());
                Ok(ExitCode::SUCCESS)
            }
            (End::Signal(signal), source) => {
                source.leave(self.terminal.take());
                end_by(signal);
                Ok(ExitCode::from(OWN_ERROR))
            }
            (End::HungUp, _) => {
                // The terminal of an executed program hangs up with us.
                end_by(Signal::SIGHUP);
                Ok(ExitCode::from(OWN_ERROR))
            }
            (End::Unknown, Source::Monitor { container, .. }) => Err(Failure::killed(format!(
                "the monitor of container `{}` was killed, and the container with it",
                container.1.name
            ))),
            (End::Code(code), _) if !failed => exit(u8::try_from(code).unwrap_or(u8::MAX).into()),
            _ => Ok(ExitCode::from(OWN_ERROR)),
        }
    }
}
