//! How much of the host a container may use.

use serde::{Deserialize, Serialize};

/// The limits of a container; what is absent is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {}
