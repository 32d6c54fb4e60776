//! `echo`: writes its arguments.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use super::program::{Failure, Program, Status, print};

const PROGRAM: Program = Program {
    name: "echo",
    usage: "echo [-n] [TEXT...]",
    misuse: 2,
};

/// Runs `echo`.
pub fn main(arguments: &[OsString]) -> ExitCode {
    PROGRAM.run(arguments, run)
}

fn run(arguments: &[OsString]) -> Result<Status, Failure> {
    print(&line(arguments))?;
    Ok(0)
}

/// The arguments with a space between each two, and a newline unless the first is `-n`. No other word is an option:
/// whatever people echo comes out.
fn line(arguments: &[OsString]) -> Vec<u8> {
    let (texts, end): (_, &[u8]) = match arguments.split_first() {
        Some((first, rest)) if first == "-n" => (rest, b""),
        _ => (arguments, b"\n"),
    };
    let texts: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
    [&texts.join(&b' '), end].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::options::words;

    #[test]
    fn arguments_come_out_with_spaces_between_and_a_newline_behind() {
        assert_eq!(line(&words("hello   world")), b"hello world\n");
        assert_eq!(line(&[]), b"\n");
        assert_eq!(line(&words("-e -x")), b"-e -x\n");
    }

    #[test]
    fn the_newline_can_be_left_out() {
        assert_eq!(line(&words("-n hello -n")), b"hello -n");
        assert_eq!(line(&words("-n")), b"");
    }
}
