//! The AppArmor profile of a container.

use serde::{Deserialize, Serialize};

/// The profile a container runs under.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AppArmorChoice {
    /// Ours, where the host has AppArmor.
    #[default]
    Default,
    /// None.
    Unconfined,
    /// One that the host has loaded, by its name.
    Profile(String),
}
