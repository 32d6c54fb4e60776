//! `false`: does nothing, without success.

use std::ffi::OsString;
use std::process::ExitCode;

use super::program::Program;

const PROGRAM: Program = Program {
    name: "false",
    usage: "false",
    misuse: 2,
};

/// Runs `false`, whatever its arguments.
pub fn main(arguments: &[OsString]) -> ExitCode {
    PROGRAM.run(arguments, |_| Ok(1))
}
