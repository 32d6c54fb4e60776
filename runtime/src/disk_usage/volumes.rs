//! What volumes take.

use crate::error::RuntimeError;
use crate::runtime::Runtime;
use crate::volumes::Volume;
use std::path::PathBuf;

/// What a volume takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeUsage {
    /// The volume.
    pub volume: Volume,
    /// Where its files are.
    pub path: PathBuf,
    /// What they take.
    pub bytes: u64,
    /// How many containers use it, running or not.
    pub links: usize,
}

impl Runtime {
    /// Measures the volumes, by name.
    pub(super) fn volume_usage(&self) -> Result<Vec<VolumeUsage>, RuntimeError> {
        let store = self.volumes();
        let volumes = self.volumes_in_use()?.into_iter();
        let measured = volumes.map(|one| {
            Ok(VolumeUsage {
                path: store.data(&one.volume.name),
                bytes: store.size(&one.volume.name)?.bytes(),
                links: one.users.len(),
                volume: one.volume,
            })
        });
        measured.collect()
    }
}
