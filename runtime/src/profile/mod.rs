//! Profiles: options of `run` and `create` that belong together, in a file of TOML (`--profile`).
//!
//! A profile sets nothing that an option could not: its keys are the long names of options. Here is what is read from its
//! text, and where it is found; what the keys mean is known to whoever knows the options.

mod error;
mod find;
mod setting;

pub use error::{ProfileError, SyntaxError};
pub use find::{Listed, find, list};
pub use setting::{Setting, SettingValue, parse_settings};

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The end of a name by which a file is told from a profile's name.
const SUFFIX: &str = ".toml";

/// What stands behind `--profile`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileWord {
    /// The name of one that the host or minirun has.
    Name(String),
    /// A file: a word with a slash in it, or with `.toml` at its end.
    File(PathBuf),
}

/// A profile that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Where it is.
    pub origin: Origin,
    /// Its text, with all comments.
    pub text: String,
    /// What it sets, in the order of its lines.
    pub settings: Vec<Setting>,
}

/// Where a profile is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In minirun.
    BuiltIn(&'static str),
    /// In a file.
    File(PathBuf),
}

impl FromStr for ProfileWord {
    type Err = ProfileError;

    fn from_str(word: &str) -> Result<ProfileWord, ProfileError> {
        if word.contains('/') || word.ends_with(SUFFIX) {
            return Ok(ProfileWord::File(word.into()));
        }
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        match word.starts_with(|first: char| first.is_ascii_alphanumeric())
            && word.bytes().all(fits)
        {
            true => Ok(ProfileWord::Name(word.to_owned())),
            false => Err(ProfileError::BadName(word.to_owned())),
        }
    }
}

impl fmt::Display for ProfileWord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProfileWord::Name(name) => formatter.write_str(name),
            ProfileWord::File(path) => path.display().fmt(formatter),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::BuiltIn(name) => write!(formatter, "built-in profile `{name}`"),
            Origin::File(path) => write!(formatter, "profile `{}`", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_word_with_a_slash_or_a_suffix_is_a_file() {
        let name = |word: &str| ProfileWord::Name(word.into());
        let file = |word: &str| ProfileWord::File(word.into());
        for (word, meaning) in [
            ("judge", name("judge")),
            ("ci-2.old_1", name("ci-2.old_1")),
            ("./judge", file("./judge")),
            ("judge.toml", file("judge.toml")),
            ("/etc/x", file("/etc/x")),
        ] {
            assert_eq!(word.parse::<ProfileWord>().unwrap(), meaning);
        }
        for word in ["", ".", "..", "-x", "a b", "ä"] {
            assert!(word.parse::<ProfileWord>().is_err(), "{word}");
        }
    }

    proptest! {
        #[test]
        fn a_word_is_shown_as_it_is_typed(word in "\\PC{0,20}") {
            if let Ok(parsed) = word.parse::<ProfileWord>() {
                prop_assert_eq!(parsed.to_string(), word);
            }
        }
    }
}
