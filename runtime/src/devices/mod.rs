//! Which devices of the host a container has: what was asked for, in words and types. Nothing here acts.

use serde::{Deserialize, Serialize};

/// The devices of a container beside the usual ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Devices {}
