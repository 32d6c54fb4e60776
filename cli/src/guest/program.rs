//! What all the programs share: a name, a line of usage, and the ways to end.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use super::reason::reason;

/// The status a program ends with, 0 for success.
pub type Status = u8;

/// Who speaks, and how it wants to be called.
pub struct Program {
    /// The name it was called by.
    pub name: &'static str,
    /// One line: the name and what may follow.
    pub usage: &'static str,
    /// The status after arguments that make no sense.
    pub misuse: Status,
}

/// Why a program ends before its work is done.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// The arguments make no sense; the usage is shown after the message.
    Misuse(String),
    /// The work could not be done.
    Failed {
        /// What failed and why, without the program's name.
        message: String,
        /// The status to end with.
        status: Status,
    },
}

impl Program {
    /// Answers `--help`, or else runs `body` on the arguments and tells how it failed.
    pub fn run(
        &self,
        arguments: &[OsString],
        body: fn(&[OsString]) -> Result<Status, Failure>,
    ) -> ExitCode {
        let outcome = match arguments.first() {
            Some(word) if word == "--help" => self.show_usage().map(|()| 0),
            _ => body(arguments),
        };
        let status = outcome.unwrap_or_else(|failure| match failure {
            Failure::Misuse(message) => {
                self.complain(&format!("{message}\nusage: {}", self.usage));
                self.misuse
            }
            Failure::Failed { message, status } => {
                self.complain(&message);
                status
            }
        });
        ExitCode::from(status)
    }

    /// Says `message` under the program's name. Where nobody can hear it, nothing is left to be done.
    pub fn complain(&self, message: &str) {
        let _ = writeln!(io::stderr(), "{}: {message}", self.name);
    }

    fn show_usage(&self) -> Result<(), Failure> {
        print(format!("usage: {}\n", self.usage).as_bytes())
    }
}

impl Failure {
    /// The work could not be done, with the usual status 1.
    pub fn new(message: String) -> Self {
        Self::Failed { message, status: 1 }
    }
}

/// Writes to the standard output, down to the last byte.
///
/// # Errors
///
/// If nobody takes the output, as when a pipe was closed.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    output
        .write_all(bytes)
        .and_then(|()| output.flush())
        .map_err(|error| Failure::new(format!("cannot write the output: {}", reason(&error))))
}
