//! Environment variables as people write them: `-e NAME=value`, `-e NAME`, and files for `--env-file`.

use std::fmt;
use std::str::FromStr;

use crate::serde_as_string::serde_as_string;

/// One variable of a process; displayed and saved as `NAME=value`.
///
/// The name is not empty and holds neither `=` nor a NUL byte, and the value holds no NUL byte, when made by
/// [`EnvironmentVariable::new`] or parsed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvironmentVariable {
    /// What stands before the first `=`.
    pub name: String,
    /// Everything after it, unchanged.
    pub value: String,
}

/// What one `-e` or one line of an environment file asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvironmentEntry {
    /// `NAME=value`: set it so.
    Set(EnvironmentVariable),
    /// `NAME`: take the value that the caller's own environment has; nothing when it has none.
    Inherit(String),
}

/// A text that is not an environment variable, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid environment variable `{text}`: {problem}")]
pub struct EnvironmentError {
    /// What was given, with control characters written as escapes.
    pub text: String,
    /// What is wrong with it.
    pub problem: EnvironmentProblem,
}

/// What is wrong with an environment variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentProblem {
    /// Nothing before the `=`.
    #[error("no name; write NAME=VALUE, such as `COLOUR=blue`")]
    NoName,
    /// No `=` where a value is needed.
    #[error("no `=`; write NAME=VALUE, such as `COLOUR=blue`")]
    NoValue,
    /// A name that holds `=`.
    #[error("the name holds `=`; the first `=` ends the name")]
    EqualSign,
    /// A NUL byte, which no environment can carry.
    #[error("it holds a NUL byte; remove it")]
    Nul,
    /// White space in the name, in an environment file.
    #[error(
        "the name holds white space; write NAME=VALUE without a space before `=`, such as `COLOUR=blue`"
    )]
    WhiteSpace,
}

/// A line of an environment file that was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {source}")]
pub struct EnvironmentFileError {
    /// The line's number, from 1.
    pub line: usize,
    /// What is wrong there.
    pub source: EnvironmentError,
}

/// Reads the text of a file for `--env-file`, in order.
///
/// As in Docker: white space before a line, empty lines and lines that begin with `#` do not count; everything after
/// the first `=` is the value, quotes and trailing spaces included; a name holds no white space.
pub fn parse_env_file(text: &str) -> Result<Vec<EnvironmentEntry>, EnvironmentFileError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut entries = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let at_line = |source| EnvironmentFileError {
            line: index + 1,
            source,
        };
        let entry: EnvironmentEntry = line.parse().map_err(at_line)?;
        if entry.name().contains(char::is_whitespace) {
            return Err(at_line(refuse(line, EnvironmentProblem::WhiteSpace)));
        }
        entries.push(entry);
    }
    Ok(entries)
}

impl EnvironmentVariable {
    /// The variable `name` with this value.
    pub fn new(name: &str, value: &str) -> Result<Self, EnvironmentError> {
        check(name, value).map_err(|problem| refuse(&format!("{name}={value}"), problem))?;
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl fmt::Display for EnvironmentVariable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.name, self.value)
    }
}

impl FromStr for EnvironmentVariable {
    type Err = EnvironmentError;

    fn from_str(text: &str) -> Result<Self, EnvironmentError> {
        match text.parse()? {
            EnvironmentEntry::Set(variable) => Ok(variable),
            EnvironmentEntry::Inherit(_) => Err(refuse(text, EnvironmentProblem::NoValue)),
        }
    }
}

serde_as_string!(EnvironmentVariable);

impl EnvironmentEntry {
    /// The name of the variable it is about.
    pub fn name(&self) -> &str {
        match self {
            Self::Set(variable) => &variable.name,
            Self::Inherit(name) => name,
        }
    }

    /// The variable this entry comes to, where `lookup` answers for the caller's own environment.
    /// A variable that the caller does not have, or whose value is not fit for an environment, stays unset.
    pub fn resolve(
        self,
        lookup: impl FnOnce(&str) -> Option<String>,
    ) -> Option<EnvironmentVariable> {
        match self {
            Self::Set(variable) => Some(variable),
            Self::Inherit(name) => EnvironmentVariable::new(&name, &lookup(&name)?).ok(),
        }
    }
}

impl fmt::Display for EnvironmentEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(variable) => variable.fmt(formatter),
            Self::Inherit(name) => formatter.write_str(name),
        }
    }
}

impl FromStr for EnvironmentEntry {
    type Err = EnvironmentError;

    fn from_str(text: &str) -> Result<Self, EnvironmentError> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        check(name, value.unwrap_or_default()).map_err(|problem| refuse(text, problem))?;
        let name = name.to_owned();
        Ok(match value {
            Some(value) => Self::Set(EnvironmentVariable {
                name,
                value: value.to_owned(),
            }),
            None => Self::Inherit(name),
        })
    }
}

fn check(name: &str, value: &str) -> Result<(), EnvironmentProblem> {
    if name.is_empty() {
        return Err(EnvironmentProblem::NoName);
    }
    if name.contains('=') {
        return Err(EnvironmentProblem::EqualSign);
    }
    if name.contains('\0') || value.contains('\0') {
        return Err(EnvironmentProblem::Nul);
    }
    Ok(())
}

fn refuse(text: &str, problem: EnvironmentProblem) -> EnvironmentError {
    EnvironmentError {
        text: text.escape_debug().to_string(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_value_is_everything_after_the_first_equal_sign() {
        let variable: EnvironmentVariable = "A=b=\"c\" ".parse().unwrap();
        assert_eq!(
            (variable.name.as_str(), variable.value.as_str()),
            ("A", "b=\"c\" ")
        );
        assert_eq!("A=".parse::<EnvironmentVariable>().unwrap().value, "");
    }

    #[test]
    fn a_bare_name_takes_the_callers_value_or_nothing() {
        let entry: EnvironmentEntry = "HOME".parse().unwrap();
        assert_eq!(entry, EnvironmentEntry::Inherit("HOME".to_owned()));
        assert_eq!(
            entry
                .clone()
                .resolve(|_| Some("/root".to_owned()))
                .unwrap()
                .to_string(),
            "HOME=/root"
        );
        assert_eq!(entry.resolve(|_| None), None);
    }

    #[test]
    fn what_is_wrong_with_a_variable_is_said() {
        let refusal = |text: &str| text.parse::<EnvironmentVariable>().unwrap_err().to_string();
        assert_eq!(
            refusal("=b"),
            "invalid environment variable `=b`: no name; write NAME=VALUE, such as `COLOUR=blue`"
        );
        assert!(refusal("A").contains("no `=`"));
        assert!(refusal("").contains("no name"));
        assert!(refusal("A=\0").contains("NUL"));
        assert!(EnvironmentVariable::new("A=B", "c").is_err());
    }

    #[test]
    fn a_file_has_comments_blank_lines_values_and_bare_names() {
        let text = "\u{feff}# a comment\r\n\n  COLOUR=blue # not a comment\r\nHOME\n\t#more\nEMPTY=\nLAST='x'\r";
        let entries: Vec<String> = parse_env_file(text)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            entries,
            ["COLOUR=blue # not a comment", "HOME", "EMPTY=", "LAST='x'"]
        );
    }

    #[test]
    fn a_bad_line_in_a_file_is_named_by_its_number() {
        let error = parse_env_file("A=b\n\nC D=e\n").unwrap_err();
        assert_eq!(error.line, 3);
        assert!(
            error
                .to_string()
                .starts_with("line 3: invalid environment variable `C D=e`"),
            "{error}"
        );
        assert_eq!(
            parse_env_file("=b").unwrap_err().source.problem,
            EnvironmentProblem::NoName
        );
    }

    #[test]
    fn a_variable_is_saved_as_one_string() {
        let variable = EnvironmentVariable::new("A", "b").unwrap();
        assert_eq!(serde_json::to_string(&variable).unwrap(), "\"A=b\"");
        assert!(serde_json::from_str::<EnvironmentVariable>("\"A\"").is_err());
    }

    proptest! {
        #[test]
        fn every_variable_survives_display_and_parse(name in "[^=\0]{1,12}", value in "[^\0]{0,20}") {
            let variable = EnvironmentVariable::new(&name, &value).unwrap();
            prop_assert_eq!(variable.to_string().parse::<EnvironmentVariable>().unwrap(), variable);
        }

        #[test]
        fn no_text_makes_a_parser_panic(text in any::<String>(), file in "([A-Z #=\r\n\t]{0,5}\n){0,6}") {
            let _ = text.parse::<EnvironmentEntry>();
            let _ = parse_env_file(&text);
            let _ = parse_env_file(&file);
        }
    }
}
