//! What a container may do to its kernel: what was asked for, in words and types. Nothing here acts.

pub mod app_armor;
pub mod capability_change;
pub mod capability_word;
pub mod seccomp_choice;
pub mod system_paths;
pub mod user_namespace;

use crate::user_ids::IdRange;
use app_armor::AppArmorChoice;
use capability_change::CapabilityChange;
use seccomp_choice::SeccompChoice;
use serde::{Deserialize, Serialize};
use system_paths::SystemPaths;
use user_namespace::UserNamespaceChoice;

/// How far a container is trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Security {
    /// Whether it is a sandbox at all.
    pub privilege: Privilege,
    /// What is added to the usual capabilities, and taken from them.
    pub capabilities: CapabilityChange,
    /// Which system calls it may make.
    pub seccomp: SeccompChoice,
    /// The AppArmor profile it runs under.
    pub app_armor: AppArmorChoice,
    /// Whether parts of `/proc` and `/sys` are hidden and protected.
    pub system_paths: SystemPaths,
    /// Whether its users are users of the host.
    pub user_namespace: UserNamespaceChoice,
    /// The users of the host that its users are, if they are not the host's own; found when the container is created.
    pub id_range: Option<IdRange>,
}

/// Whether a container is a sandbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Privilege {
    /// It is.
    #[default]
    Ordinary,
    /// It has all capabilities, system calls and devices, and nothing is hidden from it (`--privileged`).
    Privileged,
}

impl Security {
    /// Whether parts of `/proc` and `/sys` are hidden and protected, after `--privileged` is considered.
    pub fn effective_system_paths(&self) -> SystemPaths {
        match self.privilege {
            Privilege::Ordinary => self.system_paths,
            Privilege::Privileged => SystemPaths::Unconfined,
        }
    }
}
