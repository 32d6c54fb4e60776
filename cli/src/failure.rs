//! How an error is shown: `error: ` and what, `hint: ` and the cure where one is known, and the exit code.
//!
//! Everything that minirun itself says on standard error goes through [`complain`] and [`tell`]. Nobody needs to read it:
//! a full disk or a reader that has gone must not change what a command does.

use crate::output::sanitize::sanitize;
use crate::output::template::TemplateError;
use minirun_runtime::error::RuntimeError;
use std::fmt;
use std::io::Write;
use std::process::ExitCode;

/// The exit code when a command did not do what was asked, where Docker's is 1.
pub const REFUSED: u8 = 1;

/// The exit code for an error of minirun itself in a command that otherwise passes on a program's code.
pub const OWN_ERROR: u8 = 125;

/// The exit code of a program that was killed by SIGKILL (9), as a shell reports it.
const KILLED: u8 = 128 + 9;

/// Says something on standard error: what kind of thing, `error`, `warning` or `hint`, and the text, in which a terminal
/// finds nothing to obey. Lines after the first are indented, so that none of them passes for a message of its own.
pub fn complain(kind: &str, text: &str) {
    tell(&complaint(kind, text));
}

/// Writes to standard error what holds nothing from outside that was not made safe for a terminal.
pub fn tell(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn complaint(kind: &str, text: &str) -> String {
    let lines: Vec<_> = text.trim_end().lines().map(sanitize).collect();
    format!("{kind}: {}\n", lines.join("\n  "))
}

/// Why a command failed, in words.
#[derive(Debug)]
pub struct Failure {
    message: String,
    hint: Option<String>,
    code: u8,
}

impl Failure {
    /// The same with what can be done about it.
    pub fn with_hint(self, hint: impl Into<String>) -> Failure {
        Failure {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// The same with the name of what it is about.
    pub fn about(self, name: &str) -> Failure {
        Failure {
            message: format!("`{name}`: {}", self.message),
            ..self
        }
    }

    /// A failure with a message of its own.
    pub fn new(message: impl fmt::Display) -> Failure {
        Failure {
            message: message.to_string(),
            hint: None,
            code: REFUSED,
        }
    }

    /// The same, with the exit code of commands that pass on a program's.
    pub fn own(message: impl fmt::Display) -> Failure {
        Failure {
            code: OWN_ERROR,
            ..Failure::new(message)
        }
    }

    /// The container was killed in a way that nobody could report, which is a failure with the code of its program.
    pub fn killed(message: impl fmt::Display) -> Failure {
        Failure {
            code: KILLED,
            ..Failure::new(message)
        }
    }

    /// An error of a command whose exit code is that of a program otherwise: 125, 126 or 127.
    pub fn of_program(error: &RuntimeError) -> Failure {
        Failure {
            code: u8::try_from(error.exit_code()).unwrap_or(OWN_ERROR),
            ..Failure::from(error)
        }
    }

    /// The exit code for it.
    pub fn code(&self) -> u8 {
        self.code
    }

    /// Writes it to standard error.
    pub fn show(&self) -> ExitCode {
        complain("error", &self.message);
        if let Some(hint) = &self.hint {
            complain("hint", hint);
        }
        ExitCode::from(self.code)
    }
}

/// Says everything that went wrong, and the exit code for it.
pub fn show_all(failures: impl IntoIterator<Item = impl Into<Failure>>) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for failure in failures {
        code = failure.into().show();
    }
    code
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl From<TemplateError> for Failure {
    fn from(error: TemplateError) -> Failure {
        Failure::new(error)
    }
}

impl From<&RuntimeError> for Failure {
    fn from(error: &RuntimeError) -> Failure {
        Failure {
            message: error.to_string(),
            hint: error.hint(),
            code: REFUSED,
        }
    }
}

impl From<RuntimeError> for Failure {
    fn from(error: RuntimeError) -> Failure {
        Failure::from(&error)
    }
}

impl From<minirun_runtime::image::ImageError> for Failure {
    fn from(error: minirun_runtime::image::ImageError) -> Failure {
        RuntimeError::from(error).into()
    }
}

impl From<minirun_bridge::error::NetworkError> for Failure {
    fn from(error: minirun_bridge::error::NetworkError) -> Failure {
        RuntimeError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_outside_can_neither_colour_a_message_nor_add_one() {
        assert_eq!(
            complaint("error", "entry `\x1b[31mred\nerror: fake\n` is bad"),
            "error: entry `\\x1b[31mred\n  error: fake\n  ` is bad\n"
        );
    }

    #[test]
    fn a_message_is_one_line() {
        assert_eq!(complaint("hint", "look again\n"), "hint: look again\n");
    }
}
