//! How an error is shown: `error: ` and what, `hint: ` and the cure where one is known, and the exit code.

use minirun_runtime::error::RuntimeError;
use std::fmt;
use std::process::ExitCode;

/// The exit code when a command did not do what was asked, where Docker's is 1.
pub const REFUSED: u8 = 1;

/// The exit code for an error of minirun itself in a command that otherwise passes on a program's code.
pub const OWN_ERROR: u8 = 125;

/// Why a command failed, in words.
#[derive(Debug)]
pub struct Failure {
    message: String,
    hint: Option<String>,
    code: u8,
}

impl Failure {
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

    /// An error of a command whose exit code is that of a program otherwise: 125, 126 or 127.
    pub fn of_program(error: &RuntimeError) -> Failure {
        Failure {
            code: u8::try_from(error.exit_code()).unwrap_or(OWN_ERROR),
            ..Failure::from(error)
        }
    }

    /// Writes it to standard error.
    pub fn show(&self) -> ExitCode {
        eprintln!("error: {}", self.message);
        if let Some(hint) = &self.hint {
            eprintln!("hint: {hint}");
        }
        ExitCode::from(self.code)
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
