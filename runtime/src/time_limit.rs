//! How long a container may run.

use serde::{Deserialize, Serialize};

/// What `--timeout` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeLimit {
    /// As long as it likes.
    #[default]
    None,
}
