//! Docker's grammar of a profile, as it is written: JSON, and no meaning yet. What is not in the grammar is refused, lest a
//! slip of the pen opens what was to be closed.

use serde::Deserialize;

/// A profile.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Document {
    pub(super) default_action: Option<String>,
    pub(super) default_errno_ret: Option<u64>,
    /// The name of that number, for people.
    #[serde(rename = "defaultErrno")]
    pub(super) _default_errno: Option<String>,
    pub(super) architectures: Option<Vec<String>>,
    pub(super) arch_map: Option<Vec<ArchitectureDocument>>,
    pub(super) flags: Option<Vec<String>>,
    pub(super) listener_path: Option<String>,
    pub(super) listener_metadata: Option<String>,
    pub(super) syscalls: Option<Vec<RuleDocument>>,
}

/// An architecture, and which others its machines have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ArchitectureDocument {
    pub(super) architecture: String,
    pub(super) sub_architectures: Option<Vec<String>>,
}

/// An entry of `syscalls`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RuleDocument {
    pub(super) name: Option<String>,
    pub(super) names: Option<Vec<String>>,
    pub(super) action: String,
    pub(super) errno_ret: Option<u64>,
    /// The name of that number, for people.
    #[serde(rename = "errno")]
    pub(super) _errno: Option<String>,
    pub(super) args: Option<Vec<ConditionDocument>>,
    #[serde(rename = "comment")]
    pub(super) _comment: Option<String>,
    pub(super) includes: Option<CircumstancesDocument>,
    pub(super) excludes: Option<CircumstancesDocument>,
}

/// A demand on an argument.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ConditionDocument {
    pub(super) index: u64,
    pub(super) value: u64,
    #[serde(default)]
    pub(super) value_two: u64,
    pub(super) op: String,
}

/// When an entry counts, or does not.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CircumstancesDocument {
    pub(super) caps: Option<Vec<String>>,
    pub(super) arches: Option<Vec<String>>,
    pub(super) min_kernel: Option<String>,
}
