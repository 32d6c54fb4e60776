//! What becomes of a container's processes when memory is scarce.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How readily what a container has in memory is moved to swap, from 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Swappiness(u8);

/// How readily the kernel kills processes of a container when the host's memory is used up: from -1000, never, to 1000, first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OomScore(i16);

/// What happens when a container's memory is at its limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OomKiller {
    /// The kernel kills one of its processes.
    #[default]
    Usual,
    /// Its processes wait until there is memory again.
    Disabled,
}

/// A rule for scarce memory cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScarceMemoryError {
    /// It is no swappiness.
    #[error("`{0}` is not a swappiness: write a number from 0 to 100")]
    Swappiness(String),
    /// It is no score.
    #[error("`{0}` is not a score: write a number from -1000 to 1000")]
    Score(String),
}

impl Swappiness {
    /// The number.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl OomScore {
    /// The number.
    pub fn get(self) -> i16 {
        self.0
    }
}

impl FromStr for Swappiness {
    type Err = ScarceMemoryError;

    fn from_str(text: &str) -> Result<Swappiness, ScarceMemoryError> {
        match text.parse() {
            Ok(number @ 0..=100) => Ok(Swappiness(number)),
            _ => Err(ScarceMemoryError::Swappiness(text.to_owned())),
        }
    }
}

impl FromStr for OomScore {
    type Err = ScarceMemoryError;

    fn from_str(text: &str) -> Result<OomScore, ScarceMemoryError> {
        match text.parse() {
            Ok(number @ -1000..=1000) => Ok(OomScore(number)),
            _ => Err(ScarceMemoryError::Score(text.to_owned())),
        }
    }
}

impl fmt::Display for OomScore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_and_swappiness_have_the_kernels_bounds() {
        assert_eq!("-1000".parse::<OomScore>().map(OomScore::get), Ok(-1000));
        assert_eq!("100".parse::<Swappiness>().map(Swappiness::get), Ok(100));
        for text in ["-1001", "1001", "", "x"] {
            assert!(text.parse::<OomScore>().is_err(), "{text}");
        }
        for text in ["-1", "101", "", "x"] {
            assert!(text.parse::<Swappiness>().is_err(), "{text}");
        }
    }
}
