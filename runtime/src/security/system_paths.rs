//! Whether parts of `/proc` and `/sys` are hidden from a container and protected from it.

use serde::{Deserialize, Serialize};

/// What `--security-opt systempaths=` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SystemPaths {
    /// They are.
    #[default]
    Confined,
    /// They are not.
    Unconfined,
}
