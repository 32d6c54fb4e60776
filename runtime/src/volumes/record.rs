//! What is known of a volume.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::storage::{VolumeKind, VolumeName};

/// A volume, as its record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Its name.
    pub name: VolumeName,
    /// When it was made.
    pub created: Timestamp,
    /// Whether anybody named it.
    pub kind: VolumeKind,
    /// What users noted on it.
    pub labels: BTreeMap<String, String>,
}

/// A volume to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVolume {
    /// Its name.
    pub name: VolumeName,
    /// Whether anybody named it.
    pub kind: VolumeKind,
    /// What is noted on it.
    pub labels: BTreeMap<String, String>,
}
