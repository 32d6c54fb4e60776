//! Making a volume without a container.

use std::collections::BTreeMap;

use super::record::NewVolume;
use super::store::Made;
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::runtime::Runtime;
use crate::storage::{VolumeKind, VolumeName};

impl Runtime {
    /// Makes a volume; one that exists stays as it is. Without a name it gets one of 64 digits.
    ///
    /// # Errors
    /// When the directory of volumes cannot be written to.
    pub fn create_volume(
        &self,
        name: Option<VolumeName>,
        labels: BTreeMap<String, String>,
    ) -> Result<VolumeName, RuntimeError> {
        let kind = match name {
            Some(_) => VolumeKind::Named,
            None => VolumeKind::Anonymous,
        };
        let name = name.map_or_else(VolumeName::random, Ok)?;
        let (_lock, made) = self.volumes().make(&NewVolume {
            name: name.clone(),
            kind,
            labels,
        })?;
        if made == Made::New {
            self.tell_event(Event::volume(name.as_str(), Action::Create));
        }
        Ok(name)
    }
}
