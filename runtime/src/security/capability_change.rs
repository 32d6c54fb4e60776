//! Capabilities beside the usual ones.

use serde::{Deserialize, Serialize};

/// What `--cap-add` and `--cap-drop` say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CapabilityChange {}
