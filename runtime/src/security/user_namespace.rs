//! Whether the users of a container are users of the host.

use serde::{Deserialize, Serialize};

/// What `--userns` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserNamespaceChoice {
    /// They are: root inside is root.
    #[default]
    Host,
    /// Each container has a range of user and group ids of its own, so that root inside is nobody outside.
    Auto,
}
