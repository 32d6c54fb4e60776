//! What identifies an image: the digest of its content.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::digest::Digest;

/// The algorithm's name, which every full id begins with.
pub(super) const PREFIX: &str = "sha256:";

/// An image's id: `sha256:` and 64 hexadecimal digits, the digest of its configuration and its layers' names.
///
/// Two imports of the same bytes with the same changes give the same id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageId(Digest);

impl ImageId {
    /// The first 12 hexadecimal digits, as tables show an id.
    #[must_use]
    pub fn short(&self) -> String {
        let mut text = self.0.to_string();
        text.truncate(12);
        text
    }

    /// All 64 hexadecimal digits without the algorithm's name.
    #[must_use]
    pub fn hexadecimal(&self) -> String {
        self.0.to_string()
    }

    /// The id of an image whose content has this digest.
    pub(super) fn new(digest: Digest) -> Self {
        Self(digest)
    }

    /// Reads the 64 digits that stand in a file's name.
    pub(super) fn from_hexadecimal(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{PREFIX}{}", self.0)
    }
}

impl fmt::Debug for ImageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The text is not an image's full id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an image id; one is `sha256:` and 64 hexadecimal digits")]
pub struct ImageIdError(String);

impl FromStr for ImageId {
    type Err = ImageIdError;

    fn from_str(text: &str) -> Result<Self, ImageIdError> {
        text.strip_prefix(PREFIX)
            .and_then(Self::from_hexadecimal)
            .ok_or_else(|| ImageIdError(text.to_owned()))
    }
}

impl Serialize for ImageId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ImageId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_writes() {
        let id = ImageId::new(Digest::of(b"abc"));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.short(), "ba7816bf8f01");
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<ImageId>(&json).unwrap(), id);
    }

    #[test]
    fn an_id_without_its_algorithm_is_refused() {
        let digits = Digest::of(b"abc").to_string();
        assert!(digits.parse::<ImageId>().is_err());
        assert!("sha256:12".parse::<ImageId>().is_err());
    }
}
