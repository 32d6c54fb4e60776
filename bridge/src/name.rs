//! Names that people give: of containers, networks, link aliases and hosts.
//!
//! All of them end up in file names, hosts files and rule comments, so their characters are checked once, here.

use std::fmt;
use std::str::FromStr;

use crate::id::ContainerId;
use crate::serde_as_string::serde_as_string;

/// The longest name in characters: a file name of 255 bytes then has room for a suffix.
pub const LONGEST_NAME: usize = 128;

/// The longest host name in bytes that `sethostname(2)` takes.
pub const LONGEST_HOSTNAME: usize = 64;

/// The longest part between two dots of a host name, in bytes (RFC 1035).
const LONGEST_LABEL: usize = 63;

/// The name of a container, at least two characters long. A leading `/`, as Docker's `inspect` prints it, is dropped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerName(String);

/// The name under which a linked container is known inside the container that links to it.
/// A leading `/` is dropped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alias(String);

/// The name of a network.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkName(String);

/// What a container calls itself: the full host name, which may hold dots.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hostname(String);

/// Which kind of name was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// A [`ContainerName`].
    Container,
    /// An [`Alias`].
    Alias,
    /// A [`NetworkName`].
    Network,
    /// A [`Hostname`].
    Host,
}

/// A name that was refused, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {kind} `{text}`: {problem}")]
pub struct NameError {
    /// What the text should have named.
    pub kind: NameKind,
    /// The text as it was given.
    pub text: String,
    /// What is wrong with it.
    pub problem: NameProblem,
}

/// What is wrong with a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    /// There is nothing.
    #[error("it is empty; write a name such as `web1`")]
    Empty,
    /// Fewer characters than this kind of name needs.
    #[error("it is too short; write at least 2 characters, such as `web1`")]
    TooShort,
    /// More characters than fit.
    #[error("it has {length} characters; at most {most} are allowed")]
    TooLong {
        /// How many there are.
        length: usize,
        /// How many there may be.
        most: usize,
    },
    /// The first character is not a letter or digit.
    #[error("it begins with `{0}`; begin with a letter or a digit, such as `web1`")]
    Start(char),
    /// A character that has no place in a name.
    #[error("`{0}` is not allowed; use letters, digits, `_`, `.` and `-`, such as `web1`")]
    Character(char),
    /// A part of a host name between dots that is empty, too long, or has `-` at an end.
    #[error(
        "the part `{0}` is not right; each part between dots has 1 to 63 letters, digits, `_` or `-` and no `-` at either end, such as `web1.example.org`"
    )]
    Label(String),
}

impl fmt::Display for NameKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Container => "container name",
            Self::Alias => "alias",
            Self::Network => "network name",
            Self::Host => "hostname",
        })
    }
}

/// What the four kinds of names share: they read as a string and display as one.
macro_rules! reads_as_string {
    ($($name:ident),+) => {$(
        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(&self.0)
            }
        }
    )+};
}

reads_as_string!(ContainerName, Alias, NetworkName, Hostname);
serde_as_string!(ContainerName, Alias, NetworkName, Hostname);

impl FromStr for ContainerName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let name = text.strip_prefix('/').unwrap_or(text);
        match check_name(name) {
            Ok(()) if name.len() < 2 => {
                Err(refuse(NameKind::Container, text, NameProblem::TooShort))
            }
            Ok(()) => Ok(Self(name.to_owned())),
            Err(problem) => Err(refuse(NameKind::Container, text, problem)),
        }
    }
}

impl FromStr for Alias {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let name = text.strip_prefix('/').unwrap_or(text);
        check_name(name).map_err(|problem| refuse(NameKind::Alias, text, problem))?;
        Ok(Self(name.to_owned()))
    }
}

impl FromStr for NetworkName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        check_name(text).map_err(|problem| refuse(NameKind::Network, text, problem))?;
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for Hostname {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        check_hostname(text).map_err(|problem| refuse(NameKind::Host, text, problem))?;
        Ok(Self(text.to_owned()))
    }
}

impl Hostname {
    /// The part before the first dot.
    pub fn short(&self) -> &str {
        self.0
            .split_once('.')
            .map_or(self.as_str(), |(short, _)| short)
    }
}

/// A link without an alias uses the target's own name.
/// The network that every container joins unless told otherwise.
impl Default for NetworkName {
    fn default() -> NetworkName {
        NetworkName(crate::network::DEFAULT_NETWORK.to_string())
    }
}

impl From<&ContainerName> for Alias {
    fn from(name: &ContainerName) -> Self {
        Self(name.0.clone())
    }
}

/// A container without `--hostname` is called by its short id.
impl From<&ContainerId> for Hostname {
    fn from(id: &ContainerId) -> Self {
        Self(id.short())
    }
}

fn refuse(kind: NameKind, text: &str, problem: NameProblem) -> NameError {
    NameError {
        kind,
        text: text.to_owned(),
        problem,
    }
}

/// `[a-zA-Z0-9][a-zA-Z0-9_.-]*`, the grammar of Docker's names. It rules out `.`, `..` and every path separator.
fn check_name(name: &str) -> Result<(), NameProblem> {
    let first = name.chars().next().ok_or(NameProblem::Empty)?;
    let is_allowed = |character: &char| {
        character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '-')
    };
    if let Some(stranger) = name.chars().find(|character| !is_allowed(character)) {
        return Err(NameProblem::Character(stranger));
    }
    if !first.is_ascii_alphanumeric() {
        return Err(NameProblem::Start(first));
    }
    if name.len() > LONGEST_NAME {
        return Err(NameProblem::TooLong {
            length: name.len(),
            most: LONGEST_NAME,
        });
    }
    Ok(())
}

/// Labels of RFC 1123 between dots; `_` is let through because Docker's users rely on it.
fn check_hostname(name: &str) -> Result<(), NameProblem> {
    if name.is_empty() {
        return Err(NameProblem::Empty);
    }
    let is_allowed = |character: &char| {
        character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '-')
    };
    if let Some(stranger) = name.chars().find(|character| !is_allowed(character)) {
        return Err(NameProblem::Character(stranger));
    }
    if name.len() > LONGEST_HOSTNAME {
        return Err(NameProblem::TooLong {
            length: name.len(),
            most: LONGEST_HOSTNAME,
        });
    }
    let is_wrong = |label: &&str| {
        label.is_empty()
            || label.len() > LONGEST_LABEL
            || label.starts_with('-')
            || label.ends_with('-')
    };
    match name.split('.').find(is_wrong) {
        Some(label) => Err(NameProblem::Label(label.to_owned())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal<T: FromStr<Err = NameError>>(text: &str) -> String {
        text.parse::<T>()
            .err()
            .map(|error| error.to_string())
            .unwrap()
    }

    #[test]
    fn a_leading_slash_is_tolerated_and_dropped() {
        assert_eq!("/web1".parse::<ContainerName>().unwrap().as_str(), "web1");
        assert_eq!("/mysql".parse::<Alias>().unwrap().as_str(), "mysql");
        assert!("/bridge".parse::<NetworkName>().is_err());
    }

    #[test]
    fn a_container_name_has_two_characters_and_an_alias_one() {
        assert!(refusal::<ContainerName>("w").contains("at least 2 characters"));
        assert_eq!("w".parse::<Alias>().unwrap().as_str(), "w");
    }

    #[test]
    fn what_is_wrong_with_a_name_is_said() {
        assert_eq!(
            refusal::<ContainerName>("web one"),
            "invalid container name `web one`: ` ` is not allowed; use letters, digits, `_`, `.` and `-`, such as `web1`"
        );
        assert!(refusal::<Alias>("").contains("invalid alias ``: it is empty"));
        assert!(refusal::<NetworkName>("..").contains("it begins with `.`"));
        assert!(refusal::<NetworkName>(&"a".repeat(129)).contains("at most 128"));
    }

    #[test]
    fn a_hostname_may_hold_dots_and_its_short_form_ends_at_the_first() {
        let hostname: Hostname = "web1.example.org".parse().unwrap();
        assert_eq!(hostname.short(), "web1");
        assert_eq!("web1".parse::<Hostname>().unwrap().short(), "web1");
    }

    #[test]
    fn a_hostname_is_made_of_labels() {
        for wrong in [
            "",
            ".",
            "a..b",
            "-a",
            "a-",
            "a.b.",
            "a/b",
            &"a".repeat(64),
            &"a.".repeat(40),
        ] {
            assert!(wrong.parse::<Hostname>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_default_hostname_is_the_short_id() {
        let id = ContainerId::random().unwrap();
        assert_eq!(Hostname::from(&id).as_str(), id.short());
    }

    #[test]
    fn names_are_saved_as_strings_and_checked_when_read() {
        let name: ContainerName = "web1".parse().unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"web1\"");
        assert!(serde_json::from_str::<ContainerName>("\"we b\"").is_err());
    }

    proptest! {
        #[test]
        fn every_name_of_the_grammar_survives_display_and_parse(text in "[a-zA-Z0-9][a-zA-Z0-9_.-]{1,100}") {
            let name: ContainerName = text.parse().unwrap();
            prop_assert_eq!(name.to_string(), text);
        }

        #[test]
        fn what_a_name_parser_accepts_is_safe_in_a_path(text in any::<String>()) {
            if let Ok(name) = text.parse::<ContainerName>() {
                prop_assert!(!name.as_str().contains('/') && !name.as_str().starts_with('.'));
            }
            if let Ok(name) = text.parse::<NetworkName>() {
                prop_assert!(!name.as_str().contains('/') && !name.as_str().starts_with('.'));
            }
            let _ = text.parse::<Alias>();
            let _ = text.parse::<Hostname>();
        }
    }
}
