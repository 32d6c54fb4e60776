//! When a container whose program has ended is started again without anybody asking.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// `--restart`, in Docker's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartPolicy {
    /// Never.
    #[default]
    No,
    /// When it ended with another code than 0; at most so many times in a row, if there is a number.
    OnFailure(Option<NonZeroU32>),
    /// Always, and after a boot also if a user had stopped it.
    Always,
    /// Always, unless a user has stopped it.
    UnlessStopped,
}

/// A word after `--restart` that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown restart policy `{0}`: use `no`, `on-failure`, `on-failure:NUMBER`, `always` or `unless-stopped`"
)]
pub struct RestartPolicyError(String);

impl FromStr for RestartPolicy {
    type Err = RestartPolicyError;

    fn from_str(word: &str) -> Result<RestartPolicy, RestartPolicyError> {
        match word {
            "no" => Ok(RestartPolicy::No),
            "on-failure" => Ok(RestartPolicy::OnFailure(None)),
            "always" => Ok(RestartPolicy::Always),
            "unless-stopped" => Ok(RestartPolicy::UnlessStopped),
            _ => word
                .strip_prefix("on-failure:")
                .and_then(|number| number.parse().ok())
                // Docker understands 0 as no limit.
                .map(|number| RestartPolicy::OnFailure(NonZeroU32::new(number)))
                .ok_or_else(|| RestartPolicyError(word.to_owned())),
        }
    }
}

impl fmt::Display for RestartPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RestartPolicy::No => formatter.write_str("no"),
            RestartPolicy::OnFailure(None) => formatter.write_str("on-failure"),
            RestartPolicy::OnFailure(Some(most)) => write!(formatter, "on-failure:{most}"),
            RestartPolicy::Always => formatter.write_str("always"),
            RestartPolicy::UnlessStopped => formatter.write_str("unless-stopped"),
        }
    }
}
