//! `env`: shows the environment, or runs a program in a changed one.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use super::options::{Choice, Grammar, Operands};
use super::program::{Failure, Program, Status, print};
use super::reason::reason;

const PROGRAM: Program = Program {
    name: "env",
    usage: "env [-i] [-u NAME]... [NAME=VALUE]... [COMMAND [ARGUMENT...]]",
    misuse: 2,
};

const GRAMMAR: Grammar = Grammar {
    flags: "i",
    valued: "u",
    operands: Operands::Last,
};

/// The status after a command that exists and cannot be run.
const NOT_EXECUTABLE: Status = 126;

/// The status after a command that does not exist.
const NOT_FOUND: Status = 127;

/// Name and value of one variable.
pub type Variable = (OsString, OsString);

/// Runs `env`.
pub fn main(arguments: &[OsString]) -> ExitCode {
    PROGRAM.run(arguments, run)
}

/// The variables as `NAME=VALUE`, one on each line.
pub fn listing(variables: &[Variable]) -> Vec<u8> {
    let line = |(name, value): &Variable| [name.as_bytes(), b"=", value.as_bytes(), b"\n"].concat();
    variables.iter().flat_map(line).collect()
}

fn run(arguments: &[OsString]) -> Result<Status, Failure> {
    let parsed = GRAMMAR.parse(arguments)?;
    let mut variables: Vec<Variable> = env::vars_os().collect();
    for choice in parsed.choices {
        match choice {
            Choice::Value(_, name) => variables.retain(|(known, _)| *known != name),
            Choice::Flag(_) => variables.clear(),
        }
    }
    let mut words = parsed.operands.into_iter().peekable();
    while let Some(variable) = words.peek().and_then(|word| assignment(word)) {
        set(&mut variables, variable);
        words.next();
    }
    match words.next() {
        None => print(&listing(&variables)).map(|()| 0),
        Some(command) => Err(execute(command, words, variables)),
    }
}

/// Name and value of a word such as `A=b`, split at its first `=`.
fn assignment(word: &OsStr) -> Option<Variable> {
    let bytes = word.as_bytes();
    let position = bytes.iter().position(|byte| *byte == b'=')?;
    let part = |bytes| OsStr::from_bytes(bytes).to_owned();
    Some((part(&bytes[..position]), part(&bytes[position + 1..])))
}

/// Gives a variable its value in its place, or at the end if it is new.
fn set(variables: &mut Vec<Variable>, (name, value): Variable) {
    match variables.iter_mut().find(|(known, _)| *known == name) {
        Some((_, known)) => *known = value,
        None => variables.push((name, value)),
    }
}

/// Becomes `command`; returns only with the reason why that was not possible.
fn execute(
    command: OsString,
    arguments: impl Iterator<Item = OsString>,
    variables: Vec<Variable>,
) -> Failure {
    let error = Command::new(&command)
        .args(arguments)
        .env_clear()
        .envs(variables)
        .exec();
    Failure::Failed {
        message: format!(
            "cannot run `{}`: {}",
            command.to_string_lossy(),
            reason(&error)
        ),
        status: match error.kind() {
            io::ErrorKind::NotFound => NOT_FOUND,
            _ => NOT_EXECUTABLE,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(text: &str) -> Variable {
        assignment(OsStr::new(text)).unwrap()
    }

    #[test]
    fn an_assignment_ends_its_name_at_the_first_equals_sign() {
        assert_eq!(variable("A=b=c"), ("A".into(), "b=c".into()));
        assert_eq!(variable("A="), ("A".into(), "".into()));
        assert_eq!(assignment(OsStr::new("cat")), None);
    }

    #[test]
    fn a_variable_is_changed_in_its_place_and_a_new_one_comes_last() {
        let mut variables = vec![variable("A=1"), variable("B=2")];
        set(&mut variables, variable("A=3"));
        set(&mut variables, variable("C=4"));
        assert_eq!(listing(&variables), b"A=3\nB=2\nC=4\n");
    }

    #[test]
    fn what_cannot_be_run_has_the_status_of_a_shell() {
        let status = |name: &str| match execute(name.into(), [].into_iter(), Vec::new()) {
            Failure::Failed { status, .. } => status,
            Failure::Misuse(message) => panic!("{message}"),
        };
        assert_eq!(status("/no/such/program"), 127);
        assert_eq!(status("/"), 126);
    }
}
