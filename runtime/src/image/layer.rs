//! The name of a layer: what its directory is called.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::digest::Digest;

/// What the name of a demo layer begins with.
const DEMO_PREFIX: &str = "demo-";

/// A layer's name, and with it that of its directory below `layers/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LayerName {
    /// An imported layer: the digest of its uncompressed archive, or of its directory's listing.
    Content(Digest),
    /// The built-in layer: the digest of what identifies the executable it was made of.
    Demo(Digest),
}

impl fmt::Display for LayerName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Content(digest) => write!(formatter, "{digest}"),
            Self::Demo(digest) => write!(formatter, "{DEMO_PREFIX}{digest}"),
        }
    }
}

/// The text names no layer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a layer")]
pub(super) struct LayerNameError(String);

impl FromStr for LayerName {
    type Err = LayerNameError;

    fn from_str(text: &str) -> Result<Self, LayerNameError> {
        match text.strip_prefix(DEMO_PREFIX) {
            Some(digits) => digits.parse().map(Self::Demo),
            None => text.parse().map(Self::Content),
        }
        .map_err(|_| LayerNameError(text.to_owned()))
    }
}

impl Serialize for LayerName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LayerName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_nothing_else_is_one() {
        let digest = Digest::of(b"x");
        for name in [LayerName::Content(digest), LayerName::Demo(digest)] {
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        for bad in ["", "..", "demo-", "demo-../x", "abc"] {
            assert!(bad.parse::<LayerName>().is_err(), "{bad}");
        }
    }
}
