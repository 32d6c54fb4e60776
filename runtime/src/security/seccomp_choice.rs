//! Which system calls a container may make, as asked for.

use serde::{Deserialize, Serialize};

/// The filter of a container's system calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SeccompChoice {
    /// The usual one, which depends on the capabilities.
    #[default]
    Default,
    /// None.
    Unconfined,
}
