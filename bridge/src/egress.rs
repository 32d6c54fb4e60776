//! What a container may open connections to beyond its networks and links.

use serde::{Deserialize, Serialize};

/// What `--egress` and `--egress-deny` say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Egress {}
