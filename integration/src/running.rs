//! A program that runs beside the test, and the wait for its end.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::Child;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::Signal;

use crate::finished::Finished;
use crate::process::{Process, remaining};

/// How long any one program may take before the test gives up on it; far beyond what any takes on a busy machine.
const GUARD_TIME: Duration = Duration::from_secs(60);

/// A started program. Dropped before its end, it is killed.
#[derive(Debug)]
pub struct Running {
    command: String,
    child: Child,
    process: Process,
    output: Stream,
    errors: Stream,
    deadline: Instant,
}

/// One of the two output pipes and what came through it so far.
#[derive(Debug)]
struct Stream {
    pipe: Option<File>,
    bytes: Vec<u8>,
}

impl Running {
    pub(crate) fn new(command: String, mut child: Child) -> Self {
        let pid = i32::try_from(child.id()).expect("process numbers fit");
        let stream = |pipe: Option<OwnedFd>| Stream {
            pipe: pipe.map(File::from),
            bytes: Vec::new(),
        };
        let output = stream(child.stdout.take().map(OwnedFd::from));
        let errors = stream(child.stderr.take().map(OwnedFd::from));
        Self {
            command,
            process: Process::open(pid),
            child,
            output,
            errors,
            deadline: Instant::now() + GUARD_TIME,
        }
    }

    /// Its process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits until its standard output holds `text`, and gives everything printed so far.
    ///
    /// # Panics
    ///
    /// If the program closes its output or the guard time passes first.
    #[track_caller]
    pub fn read_until(&mut self, text: &str) -> String {
        while !self.output.text().contains(text) {
            assert!(
                self.output.pipe.is_some() && self.wait_for_something(),
                "`{}` did not print `{text}`; {}",
                self.command,
                self.printed()
            );
        }
        self.output.text()
    }

    /// Waits for its end and for the end of both outputs.
    ///
    /// # Panics
    ///
    /// If the guard time passes first; the message holds all output.
    #[track_caller]
    pub fn finish(mut self) -> Finished {
        while self.output.pipe.is_some() || self.errors.pipe.is_some() {
            if !self.wait_for_something() {
                self.give_up();
            }
        }
        if !self.process.ends_before(self.deadline) {
            self.give_up();
        }
        let status = self
            .child
            .wait()
            .expect("the program is a child of this process");
        Finished::new(
            self.command.clone(),
            status,
            self.output.text(),
            self.errors.text(),
        )
    }

    #[track_caller]
    fn give_up(&mut self) -> ! {
        let state = if self.process.ends_before(Instant::now()) {
            "has ended, but something that it started keeps its output open"
        } else {
            "is still running"
        };
        panic!(
            "`{}` {state} after {} seconds; {}",
            self.command,
            GUARD_TIME.as_secs(),
            self.printed()
        )
    }

    fn printed(&self) -> String {
        format!(
            "standard output:\n{}\nstandard error:\n{}",
            self.output.text(),
            self.errors.text()
        )
    }

    /// Takes in what either output has to give. False when the guard time has passed.
    fn wait_for_something(&mut self) -> bool {
        let streams = [&self.output, &self.errors];
        let pipes: Vec<_> = streams
            .iter()
            .filter_map(|stream| stream.pipe.as_ref())
            .collect();
        let mut waiting: Vec<_> = pipes
            .iter()
            .map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN))
            .collect();
        match poll(&mut waiting, remaining(self.deadline)) {
            Ok(0) => return false,
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(error) => panic!("cannot wait for `{}`: {error}", self.command),
        }
        let ready: Vec<_> = waiting
            .iter()
            .filter(|one| one.any() == Some(true))
            .map(|one| one.as_fd().as_raw_fd())
            .collect();
        self.output.take_in(&ready);
        self.errors.take_in(&ready);
        true
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail harmlessly for a program that was already waited for.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Stream {
    fn take_in(&mut self, ready: &[i32]) {
        let Some(pipe) = self
            .pipe
            .as_mut()
            .filter(|pipe| ready.contains(&pipe.as_raw_fd()))
        else {
            return;
        };
        let mut buffer = [0; 16384];
        match pipe.read(&mut buffer) {
            Ok(0) | Err(_) => self.pipe = None,
            Ok(length) => self.bytes.extend_from_slice(&buffer[..length]),
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}
