//! Whether the users of a container are users of the host.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What `--userns` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserNamespaceChoice {
    /// They are: root inside is root.
    #[default]
    Host,
    /// Each container has a range of user and group ids of its own, so that root inside is nobody outside.
    Auto,
}

/// A word after `--userns` that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown user namespace `{0}`: use `auto` or `host`")]
pub struct UserNamespaceError(String);

impl FromStr for UserNamespaceChoice {
    type Err = UserNamespaceError;

    fn from_str(word: &str) -> Result<Self, UserNamespaceError> {
        match word {
            "host" | "" => Ok(UserNamespaceChoice::Host),
            "auto" => Ok(UserNamespaceChoice::Auto),
            other => Err(UserNamespaceError(other.to_owned())),
        }
    }
}

impl fmt::Display for UserNamespaceChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            UserNamespaceChoice::Host => "host",
            UserNamespaceChoice::Auto => "auto",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_user_namespaces_are_understood() {
        for word in ["host", "auto"] {
            assert_eq!(
                word.parse::<UserNamespaceChoice>().unwrap().to_string(),
                word
            );
        }
        let error = "keep-id".parse::<UserNamespaceChoice>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown user namespace `keep-id`: use `auto` or `host`"
        );
    }
}
