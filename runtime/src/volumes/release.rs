//! Removing volumes.

use super::error::VolumeError;
use super::record::Volume;
use crate::config::ContainerConfig;
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::runtime::Runtime;
use crate::storage::{VolumeKind, VolumeName};

impl Runtime {
    /// Removes a volume with everything in it.
    ///
    /// # Errors
    /// [`VolumeError::Unknown`]; [`VolumeError::InUse`] if a container has it, even one that does not run.
    pub fn remove_volume(&self, name: &VolumeName) -> Result<(), RuntimeError> {
        self.wait_for_leaving()?;
        self.remove_unused(name)
    }

    /// Waits for no container, so it can be called with one's lock in hand.
    fn remove_unused(&self, name: &VolumeName) -> Result<(), RuntimeError> {
        let store = self.volumes();
        let unknown = || VolumeError::Unknown(name.to_string());
        let lock = store.lock(name)?.ok_or_else(unknown)?;
        if store.find(name)?.is_none() {
            return Err(unknown().into());
        }
        let users = self.users_of(name)?;
        if !users.is_empty() {
            return Err(VolumeError::InUse {
                name: name.clone(),
                users,
            }
            .into());
        }
        store.remove_locked(lock)?;
        self.tell_event(Event::volume(name.as_str(), Action::Destroy));
        Ok(())
    }

    /// The volumes that no container has, by name.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn unused_volumes(&self) -> Result<Vec<Volume>, RuntimeError> {
        self.wait_for_leaving()?;
        let volumes = self.volumes_in_use()?.into_iter();
        Ok(volumes
            .filter(|one| one.users.is_empty())
            .map(|one| one.volume)
            .collect())
    }

    /// Removes the volumes that nobody named and that came with a container, unless another one has them by now. The container is
    /// removed already, or is just being removed. What cannot be removed is left to `volume prune`.
    pub fn remove_anonymous_volumes(&self, config: &ContainerConfig) {
        for volume in config.storage.volumes() {
            if volume.kind == VolumeKind::Anonymous {
                let _ = self.remove_unused(&volume.name);
            }
        }
    }
}
