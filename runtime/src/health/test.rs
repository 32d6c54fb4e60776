//! The program that asks whether all is well.

use serde::{Deserialize, Serialize};

/// What is executed in the container; its exit code is the answer. In records it is a list whose first word says how the
/// others are meant, as Docker has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub enum HealthTest {
    /// A program and its arguments.
    Program(Vec<String>),
    /// A line for the shell.
    Shell(String),
}

/// A list of words that says nothing to execute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a health check begins with `CMD` and a program, or is `CMD-SHELL` and one line, not `{0:?}`"
)]
pub struct HealthTestError(Vec<String>);

impl HealthTest {
    /// The command line.
    pub fn command(&self) -> Vec<String> {
        match self {
            HealthTest::Program(words) => words.clone(),
            HealthTest::Shell(line) => vec!["/bin/sh".into(), "-c".into(), line.clone()],
        }
    }
}

impl TryFrom<Vec<String>> for HealthTest {
    type Error = HealthTestError;

    fn try_from(list: Vec<String>) -> Result<HealthTest, HealthTestError> {
        match list.split_first() {
            Some((kind, words)) if kind == "CMD" && !words.is_empty() => {
                Ok(HealthTest::Program(words.to_vec()))
            }
            Some((kind, [line])) if kind == "CMD-SHELL" => Ok(HealthTest::Shell(line.clone())),
            _ => Err(HealthTestError(list)),
        }
    }
}

impl From<HealthTest> for Vec<String> {
    fn from(test: HealthTest) -> Vec<String> {
        let (kind, words) = match test {
            HealthTest::Program(words) => ("CMD", words),
            HealthTest::Shell(line) => ("CMD-SHELL", vec![line]),
        };
        [vec![kind.to_owned()], words].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_list_is_a_program_or_a_line_for_the_shell() {
        for (words, command) in [
            (list(&["CMD", "a", "b c"]), list(&["a", "b c"])),
            (
                list(&["CMD-SHELL", "a || b"]),
                list(&["/bin/sh", "-c", "a || b"]),
            ),
        ] {
            let test = HealthTest::try_from(words.clone()).expect("a test");
            assert_eq!(test.command(), command);
            assert_eq!(Vec::from(test), words);
        }
        for words in [
            &[][..],
            &["CMD"],
            &["CMD-SHELL"],
            &["CMD-SHELL", "a", "b"],
            &["NONE"],
            &["a"],
        ] {
            assert!(HealthTest::try_from(list(words)).is_err(), "{words:?}");
        }
    }
}
