//! Which system calls a container may make, as asked for.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::seccomp::error::SeccompError;
use crate::seccomp::profile::Profile;
use crate::seccomp::profile_error::ProfileError;

/// More than any profile needs, and little enough to be read whole.
const LARGEST_PROFILE: u64 = 1024 * 1024;

/// The filter of a container's system calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SeccompChoice {
    /// The usual one, which depends on the capabilities.
    #[default]
    Default,
    /// None.
    Unconfined,
    /// One of the user's own.
    Profile(ProfileText),
}

/// A profile as it was written, without white space. The container keeps it: the file may change, or go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProfileText(String);

impl SeccompChoice {
    /// What the word behind `seccomp=` means: `default`, `unconfined`, or a file with a profile. `builtin` is what Docker calls
    /// the default.
    ///
    /// # Errors
    /// When the file cannot be read or is no profile.
    pub fn of_word(word: &str) -> Result<SeccompChoice, SeccompError> {
        match word {
            "default" | "builtin" => Ok(SeccompChoice::Default),
            "unconfined" => Ok(SeccompChoice::Unconfined),
            path => ProfileText::read(Path::new(path)).map(SeccompChoice::Profile),
        }
    }
}

impl ProfileText {
    /// The profile in a file.
    ///
    /// # Errors
    /// When the file cannot be read or is no profile.
    pub fn read(path: &Path) -> Result<ProfileText, SeccompError> {
        let fail = |error| SeccompError::Read {
            path: path.to_owned(),
            error,
        };
        let mut text = String::new();
        let file = File::open(path).map_err(fail)?;
        file.take(LARGEST_PROFILE + 1)
            .read_to_string(&mut text)
            .map_err(fail)?;
        if text.len() as u64 > LARGEST_PROFILE {
            return Err(SeccompError::TooLarge {
                path: path.to_owned(),
                limit: LARGEST_PROFILE,
            });
        }
        ProfileText::of(&text).map_err(|error| SeccompError::Profile {
            path: path.to_owned(),
            error,
        })
    }

    /// The profile that a text is.
    ///
    /// # Errors
    /// When it is none.
    pub fn of(text: &str) -> Result<ProfileText, ProfileError> {
        text.parse::<Profile>()?;
        let value: serde_json::Value = serde_json::from_str(text).map_err(ProfileError::Grammar)?;
        Ok(ProfileText(value.to_string()))
    }

    /// What it means.
    ///
    /// # Errors
    /// When a newer version accepted it.
    pub fn understand(&self) -> Result<Profile, ProfileError> {
        self.0.parse()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
