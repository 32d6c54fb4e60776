//! Who uses which volume: what the containers' records say.

use std::collections::BTreeMap;

use minirun_bridge::name::ContainerName;

use super::error::VolumeError;
use super::record::Volume;
use super::store::VolumeStore;
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use crate::storage::VolumeName;

/// A volume, and who uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeUse {
    /// The volume.
    pub volume: Volume,
    /// The containers it is mounted in, running or not.
    pub users: Vec<ContainerName>,
}

impl Runtime {
    /// The volumes.
    pub fn volumes(&self) -> VolumeStore {
        VolumeStore::open(self.directories.root.join("volumes"))
    }

    /// The volume of this name.
    ///
    /// # Errors
    /// [`VolumeError::Unknown`] if there is none.
    pub fn resolve_volume(&self, text: &str) -> Result<Volume, RuntimeError> {
        let found = match text.parse::<VolumeName>() {
            Ok(name) => self.volumes().find(&name)?,
            Err(_) => None,
        };
        Ok(found.ok_or_else(|| VolumeError::Unknown(text.to_owned()))?)
    }

    /// All volumes, by name, and who uses them.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn volumes_in_use(&self) -> Result<Vec<VolumeUse>, RuntimeError> {
        let mut users: BTreeMap<VolumeName, Vec<ContainerName>> = BTreeMap::new();
        for container in self.outlines()? {
            for name in container.storage.volume_names() {
                users
                    .entry(name.clone())
                    .or_default()
                    .push(container.name.clone());
            }
        }
        let volumes = self.volumes().all()?;
        Ok(volumes
            .into_iter()
            .map(|volume| VolumeUse {
                users: users.remove(&volume.name).unwrap_or_default(),
                volume,
            })
            .collect())
    }

    /// The containers that a volume is mounted in, running or not.
    pub(super) fn users_of(&self, name: &VolumeName) -> Result<Vec<ContainerName>, RuntimeError> {
        let containers = self.outlines()?.into_iter();
        Ok(containers
            .filter(|container| container.storage.uses(name))
            .map(|container| container.name)
            .collect())
    }
}
