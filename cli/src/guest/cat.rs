//! `cat`: writes files, or its input, to its output.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use super::options::{Grammar, Operands};
use super::program::{Failure, Program, Status};
use super::reason::reason;
use super::signals;

const PROGRAM: Program = Program {
    name: "cat",
    usage: "cat [FILE|-]...",
    misuse: 2,
};

const GRAMMAR: Grammar = Grammar {
    flags: "",
    valued: "",
    operands: Operands::Anywhere,
};

/// Bytes moved at once.
const BUFFER_SIZE: usize = 64 * 1024;

/// Runs `cat`.
pub fn main(arguments: &[OsString]) -> ExitCode {
    PROGRAM.run(arguments, run)
}

fn run(arguments: &[OsString]) -> Result<Status, Failure> {
    let mut names = GRAMMAR.parse(arguments)?.operands;
    signals::end_when_asked()?;
    if names.is_empty() {
        names.push("-".into());
    }
    let mut output = io::stdout().lock();
    let mut status = 0;
    for name in &names {
        if let Err(error) = open(name).and_then(|mut input| copy(&mut input, &mut output)) {
            match error {
                CopyError::Read(error) => {
                    let name = name.to_string_lossy();
                    PROGRAM.complain(&format!("cannot read `{name}`: {}", reason(&error)));
                    status = 1;
                }
                // One output serves all files, so there is no point in going on to the next.
                CopyError::Write(error) => {
                    let message = format!("cannot write the output: {}", reason(&error));
                    return Err(Failure::new(message));
                }
            }
        }
    }
    Ok(status)
}

/// Which side of a copy failed.
#[derive(Debug)]
enum CopyError {
    Read(io::Error),
    Write(io::Error),
}

fn open(name: &OsStr) -> Result<Box<dyn Read>, CopyError> {
    if name == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(name).map_err(CopyError::Read)?;
    Ok(Box::new(file))
}

/// Copies to the end of `input`. What was read is passed on before more is waited for, so that a person at a terminal
/// sees each line come back.
fn copy(input: &mut dyn Read, output: &mut dyn Write) -> Result<(), CopyError> {
    let mut buffer = vec![0; BUFFER_SIZE];
    loop {
        let count = match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::Read(error)),
        };
        output
            .write_all(&buffer[..count])
            .and_then(|()| output.flush())
            .map_err(CopyError::Write)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_complete() {
        let bytes: Vec<u8> = (0..=255).cycle().take(3 * BUFFER_SIZE + 1).collect();
        let mut output = Vec::new();
        copy(&mut bytes.as_slice(), &mut output).unwrap();
        assert!(output == bytes);
    }

    #[test]
    fn the_side_that_failed_is_known() {
        let mut full: &mut [u8] = &mut [0; 2];
        assert!(matches!(
            copy(&mut b"abc".as_slice(), &mut full),
            Err(CopyError::Write(_))
        ));
        let mut directory = open(OsStr::new("/")).unwrap();
        assert!(matches!(
            copy(&mut directory, &mut Vec::new()),
            Err(CopyError::Read(_))
        ));
    }

    #[test]
    fn a_missing_file_is_a_failed_read() {
        assert!(matches!(
            open(OsStr::new("/no/such/file")),
            Err(CopyError::Read(_))
        ));
    }
}
