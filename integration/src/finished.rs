//! A program that has ended, and what a test says about it.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use serde_json::Value;

/// How a program ended and what it printed. Every expectation returns it, so that several read as one sentence.
#[derive(Debug, Clone)]
pub struct Finished {
    command: String,
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

impl Finished {
    pub(crate) fn new(command: String, status: ExitStatus, stdout: String, stderr: String) -> Self {
        Self {
            command,
            status,
            stdout,
            stderr,
        }
    }

    /// Expects exit code 0.
    #[track_caller]
    pub fn succeeds(self) -> Self {
        self.check(self.status.success(), "should succeed");
        self
    }

    /// Expects exactly this exit code.
    #[track_caller]
    pub fn fails_with(self, code: i32) -> Self {
        self.check(
            self.status.code() == Some(code),
            &format!("should fail with {code}"),
        );
        self
    }

    /// Expects exactly this exit code, which may be 0.
    #[track_caller]
    pub fn exits_with(self, code: i32) -> Self {
        match code {
            0 => self.succeeds(),
            code => self.fails_with(code),
        }
    }

    /// Expects that the program was ended by this signal.
    #[track_caller]
    pub fn is_killed_by(self, signal: i32) -> Self {
        self.check(
            self.status.signal() == Some(signal),
            &format!("should be killed by signal {signal}"),
        );
        self
    }

    /// Expects any exit code but 0.
    #[track_caller]
    pub fn fails(self) -> Self {
        self.check(
            self.status.code().is_some_and(|code| code != 0),
            "should fail",
        );
        self
    }

    /// Expects the whole standard output, not counting one newline at its end.
    #[track_caller]
    pub fn stdout_is(self, text: &str) -> Self {
        self.check(
            without_newline(&self.stdout) == text,
            &format!("should print exactly `{text}`"),
        );
        self
    }

    /// Expects `text` somewhere in the standard output.
    #[track_caller]
    pub fn stdout_contains(self, text: &str) -> Self {
        self.check(
            self.stdout.contains(text),
            &format!("should print `{text}`"),
        );
        self
    }

    /// Expects `text` nowhere in the standard output.
    #[track_caller]
    pub fn stdout_lacks(self, text: &str) -> Self {
        self.check(
            !self.stdout.contains(text),
            &format!("should not print `{text}`"),
        );
        self
    }

    /// Expects one line of the standard output to be exactly `text`.
    #[track_caller]
    pub fn stdout_has_line(self, text: &str) -> Self {
        self.check(
            self.stdout.lines().any(|line| line == text),
            &format!("should print the line `{text}`"),
        );
        self
    }

    /// Expects the whole standard error, not counting one newline at its end.
    #[track_caller]
    pub fn stderr_is(self, text: &str) -> Self {
        self.check(
            without_newline(&self.stderr) == text,
            &format!("should complain exactly `{text}`"),
        );
        self
    }

    /// Expects `text` somewhere in the standard error.
    #[track_caller]
    pub fn stderr_contains(self, text: &str) -> Self {
        self.check(
            self.stderr.contains(text),
            &format!("should complain `{text}`"),
        );
        self
    }

    /// The exit code; `None` for a program ended by a signal.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The standard output.
    pub fn stdout(&self) -> &str {
        &self.stdout
    }

    /// The standard error.
    pub fn stderr(&self) -> &str {
        &self.stderr
    }

    /// The standard output without the newline at its end, for programs that print one value.
    pub fn line(&self) -> &str {
        without_newline(&self.stdout)
    }

    /// The standard output as one JSON value.
    ///
    /// # Panics
    ///
    /// If it is something else.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("not JSON: {error}\n{}", self.describe()))
    }

    #[track_caller]
    fn check(&self, happened: bool, expectation: &str) {
        assert!(
            happened,
            "`{}` {expectation}\n{}",
            self.command,
            self.describe()
        );
    }

    fn describe(&self) -> String {
        let end = match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(signal)) => format!("ended by signal {signal}"),
            (None, None) => String::from("ended in an unknown way"),
        };
        format!(
            "{end}\nstandard output:\n{}\nstandard error:\n{}",
            self.stdout, self.stderr
        )
    }
}

fn without_newline(text: &str) -> &str {
    text.strip_suffix('\n').unwrap_or(text)
}
