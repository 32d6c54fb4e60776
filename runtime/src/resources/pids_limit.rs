//! How many processes and threads a container may have.

use super::error::ResourcesError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The most that the kernel can have (`PID_MAX_LIMIT`).
const HIGHEST: u32 = 4 << 20;

/// A number of processes and threads, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PidsLimit(u32);

impl PidsLimit {
    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl FromStr for PidsLimit {
    type Err = ResourcesError;

    fn from_str(text: &str) -> Result<PidsLimit, ResourcesError> {
        match text.parse() {
            Ok(number @ 1..=HIGHEST) => Ok(PidsLimit(number)),
            _ => Err(ResourcesError::Pids(text.to_owned())),
        }
    }
}

impl fmt::Display for PidsLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_that_the_kernel_can_count_to() {
        assert_eq!("1".parse::<PidsLimit>().unwrap().get(), 1);
        assert!("4194304".parse::<PidsLimit>().is_ok());
        for text in ["", "0", "-1", "many", "4194305"] {
            assert!(text.parse::<PidsLimit>().is_err(), "{text}");
        }
    }
}
