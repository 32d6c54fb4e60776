//! The name of a volume.

use std::fmt;
use std::str::FromStr;

use minirun_bridge::id::{ContainerId, ContainerIdError};

/// The longest name in characters: a file name of 255 bytes then has room for a suffix.
const LONGEST: usize = 128;

/// The name of a volume, which is also that of its directory. An anonymous one has 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VolumeName(String);

/// Why a text does not name a volume.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VolumeNameError {
    /// Fewer than two characters.
    #[error("the volume name `{0}` is too short; write at least 2 characters, such as `data`")]
    TooShort(String),
    /// More than fit.
    #[error("the volume name `{0}` is too long; at most {LONGEST} characters are allowed")]
    TooLong(String),
    /// A path that does not begin like one.
    #[error("`{0}` holds a `/`, and so is no volume name; begin a path with `/` or `./`")]
    Path(String),
    /// It does not begin with a letter or a digit.
    #[error("the volume name `{0}` does not begin with a letter or a digit")]
    Start(String),
    /// A character that has no place in it.
    #[error("the volume name `{name}` holds `{character}`; use letters, digits, `_`, `.` and `-`")]
    Character {
        /// The name.
        name: String,
        /// The first character that does not belong.
        character: char,
    },
}

impl VolumeName {
    /// A name for a volume that nobody named.
    ///
    /// # Errors
    /// When the kernel gives no random bytes.
    pub fn random() -> Result<Self, ContainerIdError> {
        Ok(Self(ContainerId::random()?.to_string()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for VolumeName {
    type Err = VolumeNameError;

    fn from_str(text: &str) -> Result<Self, VolumeNameError> {
        let name = || text.to_owned();
        if text.contains('/') {
            return Err(VolumeNameError::Path(name()));
        }
        let is_allowed = |character: &char| {
            character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '-')
        };
        if let Some(character) = text.chars().find(|character| !is_allowed(character)) {
            return Err(VolumeNameError::Character {
                name: name(),
                character,
            });
        }
        if text.len() < 2 {
            return Err(VolumeNameError::TooShort(name()));
        }
        if !text.starts_with(|first: char| first.is_ascii_alphanumeric()) {
            return Err(VolumeNameError::Start(name()));
        }
        if text.len() > LONGEST {
            return Err(VolumeNameError::TooLong(name()));
        }
        Ok(Self(name()))
    }
}

impl fmt::Display for VolumeName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

minirun_bridge::serde_as_string!(VolumeName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_a_file_name() {
        for name in ["db", "a.b-c_d", "0a"] {
            assert_eq!(name.parse::<VolumeName>().unwrap().as_str(), name);
        }
        for (name, part) in [
            ("", "too short"),
            ("a", "too short"),
            (".a", "does not begin"),
            ("-a", "does not begin"),
            ("a/b", "begin a path with"),
            ("..", "does not begin"),
            ("a b", "` `"),
            ("bücher", "`ü`"),
        ] {
            let error = name.parse::<VolumeName>().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        assert!("a".repeat(129).parse::<VolumeName>().is_err());
    }

    #[test]
    fn an_anonymous_one_has_64_digits() {
        let name = VolumeName::random().unwrap();
        assert_eq!(name.as_str().len(), 64);
        assert_eq!(name.as_str().parse(), Ok(name));
    }
}
