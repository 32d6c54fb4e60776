//! Watching a running container: its output goes to the log and to the command, and its end is noticed.
//!
//! Everything waits in one `poll(2)`: the two pipes or the terminal of the program, the descriptor of its first process,
//! commands that are behind with reading, one that has something to say, terminals that were left to us, and questions about
//! names. The only timers are that of the DNS server, while it waits for the answer of another, that of health checks, that
//! of the pause after output, and the end of the time that the container may run. A command that does not read holds up its
//! stream and with that, in the end, the program that writes to it; it holds up neither the other stream nor the end.

use super::buffer::Buffer;
use super::control::Request;
use super::keep_memory_small;
use super::kept_terminal::KeptTerminal;
use super::listener::Listener;
use super::networks::ContainerNetwork;
use super::output::Output;
use super::run_clock::RunClock;
use super::setup::Container;
use crate::error::RuntimeError;
use crate::log::LogWriter;
use crate::process::{Exit, ProcessUsage};
use crate::report::{Report, Reporter};
use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::ops::Range;
use std::time::{Duration, Instant};

/// The end of a run, as its monitor has seen it.
pub(super) struct SeenEnd {
    /// How the first process ended.
    pub(super) exit: Exit,
    /// What it has used.
    pub(super) used: ProcessUsage,
    /// How long the program ran.
    pub(super) wall: Duration,
}

impl Container {
    /// Copies output and answers questions until the program has ended and its pipes are empty. `follow` is called
    /// when a command says that something has changed, or when its time is over.
    pub(super) fn watch(&mut self, follow: &mut Follow<'_>) -> Result<SeenEnd, RuntimeError> {
        let mut buffer = Buffer::default();
        loop {
            let news = self.wait_for_news(buffer.patience())?;
            if news.nothing() {
                self.rest(&mut buffer);
            }
            if news.overdue && !news.ended {
                self.end_overdue(follow)?;
            }
            for (output, ready) in self.streams.outputs.iter_mut().zip(news.outputs) {
                if ready {
                    output.go_on(&mut buffer, &mut self.log);
                }
            }
            let mut ready = news.kept_terminals.into_iter();
            self.kept_terminals.retain_mut(|terminal| {
                !ready.next().unwrap_or(false) || terminal.go_on(buffer.memory()).is_ok()
            });
            if let Some(resolver) = self.network.resolver.as_mut().filter(|_| news.resolver) {
                resolver.go_on();
            }
            if let Some(health) = self.health.as_mut().filter(|_| news.health) {
                health.go_on();
            }
            if news.control
                && let Some(control) = self.control.take()
            {
                control.hear(|request| self.obey(request, follow));
                self.control = Some(control);
            }
            if !news.ended {
                // A full disk must not stop the program; its output still reaches whoever listens.
                let _ = self.log.as_mut().map(LogWriter::flush);
                continue;
            }
            let wall = self.clock.elapsed();
            let (exit, used) = self.process.wait_measured()?;
            // All other processes of its namespace are dead now (pid_namespaces(7)), so whatever is still to come is in
            // the pipes already.
            self.streams.drain(&mut buffer, &mut self.log);
            let _ = self.log.as_mut().map(LogWriter::flush);
            return Ok(SeenEnd { exit, used, wall });
        }
    }

    /// Kills the program, because its time is over; with the first process, its whole process namespace ends.
    fn end_overdue(&mut self, follow: &mut Follow<'_>) -> Result<(), RuntimeError> {
        self.clock.strike();
        self.process.signal(libc::SIGKILL)?;
        // In version 1 of control groups nothing ends while it is paused.
        follow(Followed::Overdue)
    }

    /// Gives back what only output needs.
    fn rest(&mut self, buffer: &mut Buffer) {
        buffer.rest();
        if let Some(log) = &mut self.log {
            log.rest();
        }
        self.streams.outputs.iter_mut().for_each(Output::rest);
        keep_memory_small();
    }

    /// Gives those who listen the rest of the output; hands back those to whom it could not be given without waiting.
    pub(super) fn hand_over(&mut self) -> Vec<Listener> {
        let outputs = self.streams.outputs.iter_mut();
        outputs.flat_map(Output::hand_over).collect()
    }

    /// Says that the program runs, and hands out what its input is written to.
    pub(super) fn announce(&self, reporter: &mut Reporter) {
        let report = Report::Started {
            pid: self.process.pid(),
            since: self.since,
        };
        reporter.send_with(&report, self.streams.handed_out());
    }

    /// Tells those who have attached themselves.
    pub(super) fn tell(&mut self, report: &Report) {
        for reporter in &mut self.reporters {
            reporter.send(report);
        }
    }

    /// Does what a command wants.
    fn obey(&mut self, request: Request, follow: &mut Follow<'_>) -> Result<(), RuntimeError> {
        match request {
            Request::FollowNetworks => follow(Followed::Networks(&mut self.network)),
            Request::FollowTimeLimit => follow(Followed::TimeLimit(&mut self.clock)),
            Request::Attach {
                mut reporter,
                stdout,
                stderr,
            } => {
                self.streams.admit([Some(stdout), stderr])?;
                self.announce(&mut reporter);
                self.reporters.retain(|reporter| !reporter.is_gone());
                self.reporters.push(reporter);
                Ok(())
            }
            Request::KeepTerminal(master) => {
                self.kept_terminals.push(KeptTerminal::new(master));
                Ok(())
            }
        }
    }

    /// Waits until the program has ended or there is something to do for its output, its names or a command, or until nothing
    /// of that has come for so long.
    fn wait_for_news(&self, patience: Option<Duration>) -> Result<News, RuntimeError> {
        let mut questions = vec![PollFd::new(self.process.pidfd(), PollFlags::POLLIN)];
        questions.extend(self.clock.question());
        let clock = 1..questions.len();
        let mut outputs: Vec<Range<usize>> = Vec::with_capacity(self.streams.outputs.len());
        for output in &self.streams.outputs {
            let first = questions.len();
            questions.extend(output.questions());
            outputs.push(first..questions.len());
        }
        let kept_begin = questions.len();
        questions.extend(self.kept_terminals.iter().map(KeptTerminal::question));
        let kept = kept_begin..questions.len();
        let control = self.control.as_ref().map(|control| {
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
        let quiet = patience.map(|patience| Instant::now() + patience);
        let end = [deadline, health_deadline, quiet];
        let end = end.into_iter().flatten().min();
        wait(&mut questions, end)?;
        let ready = |index: usize| questions[index].any().unwrap_or(false);
        let asked = (resolver_begin..questions.len()).any(ready);
        let is_over = |deadline: Option<Instant>| deadline.is_some_and(|end| end <= Instant::now());
        Ok(News {
            ended: ready(0),
            outputs: outputs.into_iter().map(|mut all| all.any(ready)).collect(),
            kept_terminals: kept.map(ready).collect(),
            control: control.is_some_and(ready),
            health: health.is_some_and(ready) || is_over(health_deadline),
            resolver: asked || is_over(deadline),
            overdue: clock.into_iter().any(ready),
        })
    }
}

/// Waits for the first answer.
fn wait(questions: &mut [PollFd<'_>], end: Option<Instant>) -> Result<(), RuntimeError> {
    loop {
        match poll(questions, timeout(end)) {
            Ok(_) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(RuntimeError::system("watch the container", error)),
        }
    }
}

/// What is called when a command says that something has changed, or when the time of the container is over.
pub(super) type Follow<'a> = dyn FnMut(Followed<'_>) -> Result<(), RuntimeError> + 'a;

/// What has to be made what the records say, by whoever can read them.
pub(super) enum Followed<'a> {
    /// The networks.
    Networks(&'a mut ContainerNetwork),
    /// How long it may run.
    TimeLimit(&'a mut RunClock),
    /// It was killed, because its time is over; it must not be paused any more.
    Overdue,
}

/// What there is to do.
struct News {
    ended: bool,
    outputs: Vec<bool>,
    kept_terminals: Vec<bool>,
    control: bool,
    health: bool,
    resolver: bool,
    overdue: bool,
}

impl News {
    fn nothing(&self) -> bool {
        let several = [&self.outputs, &self.kept_terminals];
        !(self.ended
            || self.control
            || self.health
            || self.resolver
            || self.overdue
            || several.iter().any(|all| all.contains(&true)))
    }
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
