//! What becomes of a container's output.

use serde::{Deserialize, Serialize};

/// Where output is kept, and how much of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogOptions {}
