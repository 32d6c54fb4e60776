//! `true`: does nothing, with success.

use std::ffi::OsString;
use std::process::ExitCode;

use super::program::Program;

const PROGRAM: Program = Program {
    name: "true",
    usage: "true",
    misuse: 2,
};

/// Runs `true`, whatever its arguments.
pub fn main(arguments: &[OsString]) -> ExitCode {
    PROGRAM.run(arguments, |_| Ok(0))
}
