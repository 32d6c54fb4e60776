//! What of a container's file system is not its image's: mounts, volumes, and how much it may write.

use serde::{Deserialize, Serialize};

/// What is mounted, with everything resolved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storage {}

/// What a user asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StorageWanted {}
