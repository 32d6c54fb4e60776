//! A program about to be run in a place.

use std::ffi::OsString;
use std::io::{Seek, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::sys::signal::{SigHandler, Signal};
use nix::unistd::write;

use crate::filesystem::PROGRAM_DIRECTORY;
use crate::finished::Finished;
use crate::place::Place;
use crate::running::Running;
use crate::terminal::Terminal;
use crate::words::Words;

/// What is to be run, where, and with what input.
#[derive(Debug)]
pub struct Program {
    place: Place,
    name: OsString,
    arguments: Vec<OsString>,
    input: Vec<u8>,
}

impl Program {
    pub(crate) fn new(place: Place, name: &str, arguments: impl Words) -> Self {
        Self {
            place,
            name: name.into(),
            arguments: arguments.words(),
            input: Vec::new(),
        }
    }

    /// What the program reads from its standard input before the end of file.
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Runs it to its end.
    ///
    /// # Panics
    ///
    /// If it cannot be started, or is not done (and its output closed) within the guard time of 60 seconds.
    #[must_use = "say what is expected of it"]
    #[track_caller]
    pub fn run(self) -> Finished {
        self.spawn().finish()
    }

    /// Starts it beside the test.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    #[track_caller]
    pub fn spawn(self) -> Running {
        let shown = self.shown();
        let mut command = self.command();
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start `{shown}`: {error}"));
        Running::new(shown, child)
    }

    /// Starts it at a terminal of its own, as a person does who opens a window for it.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    #[track_caller]
    pub fn at_terminal(self) -> Terminal {
        Terminal::start(self.shown(), self.command())
    }

    /// The command line as a person would type it.
    fn shown(&self) -> String {
        let words = [&self.name].into_iter().chain(&self.arguments);
        let quote = |word: &OsString| {
            let word = word.to_string_lossy();
            if word.is_empty() || word.contains(char::is_whitespace) {
                format!("'{word}'")
            } else {
                word.into_owned()
            }
        };
        words.map(quote).collect::<Vec<_>>().join(" ")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.name);
        command
            .args(&self.arguments)
            .env_clear()
            .env("PATH", format!("{PROGRAM_DIRECTORY}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"))
            .stdin(self.standard_input())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let place = self.place.clone();
        let enter = move || {
            // A shell that runs the tests in the background has them ignored, and a person's would not.
            for signal in [Signal::SIGINT, Signal::SIGQUIT] {
                // SAFETY: the default replaces no handler of ours.
                unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl) }?;
            }
            write(place.cgroup().commands(), b"0")?;
            place.namespaces().enter()
        };
        // SAFETY: the closure only sets signals to their default and makes the write and setns system calls on descriptors opened
        // before; it allocates nothing and takes no lock.
        unsafe { command.pre_exec(enter) };
        command
    }

    /// A file instead of a pipe, so that no amount of input can block the harness.
    fn standard_input(&self) -> Stdio {
        if self.input.is_empty() {
            return Stdio::null();
        }
        let mut file = tempfile::tempfile().expect("cannot make a temporary file");
        file.write_all(&self.input)
            .and_then(|()| file.rewind())
            .expect("cannot write a temporary file");
        file.into()
    }
}
