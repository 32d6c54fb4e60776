//! Removing what nobody uses.
//!
//! Everything is looked at again under its lock before it is removed, so nothing goes that has come into use meanwhile.

use crate::config::ContainerConfig;
use crate::container_state::ContainerState;
use crate::disk_usage::measured;
use crate::error::RuntimeError;
use crate::events::{Event, EventKind};
use crate::image::{Image, ImageId, PrunedImages};
use crate::remove::Force;
use crate::runtime::Runtime;
use crate::storage::VolumeName;
use crate::volumes::{Volume, VolumeError};
use minirun_bridge::error::NetworkError;
use minirun_bridge::id::ContainerId;
use minirun_bridge::name::NetworkName;
use minirun_bridge::network::Network;
use minirun_netns::Silent;
use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;

/// What was removed.
#[derive(Debug)]
pub struct Pruned<T> {
    /// What is gone.
    pub removed: Vec<T>,
    /// How many bytes are free again.
    pub reclaimed_bytes: u64,
    /// Why something else is not.
    pub failures: Vec<RuntimeError>,
}

impl<T> Default for Pruned<T> {
    fn default() -> Pruned<T> {
        Pruned {
            removed: Vec::new(),
            reclaimed_bytes: 0,
            failures: Vec::new(),
        }
    }
}

/// Which images are of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnusedImages {
    /// Those without a name that no container was made of.
    Dangling,
    /// All that no container was made of.
    All,
}

/// Keeps containers that were never started from being pruned while it lives: for whoever creates one and starts it then.
#[derive(Debug)]
pub struct CreationHold {
    _directory: File,
}

impl Runtime {
    /// Keeps new containers from being pruned before they are started.
    ///
    /// # Errors
    /// When their directory cannot be made or locked.
    pub fn hold_new_containers(&self) -> Result<CreationHold, RuntimeError> {
        let path = self.containers();
        let open = || File::open(&path);
        let directory = match open() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(&path)
                    .map_err(|error| RuntimeError::file("create", &path, error))?;
                open()
            }
            outcome => outcome,
        };
        directory
            .and_then(|directory| directory.lock_shared().map(|()| directory))
            .map(|directory| CreationHold {
                _directory: directory,
            })
            .map_err(|error| RuntimeError::file("lock", &path, error))
    }

    /// Removes the containers that do not run and fit.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub fn prune_containers(
        &self,
        fits: &dyn Fn(&ContainerConfig) -> bool,
    ) -> Result<Pruned<ContainerId>, RuntimeError> {
        let mut pruned = Pruned::default();
        for config in self.all()? {
            // One that removes itself needs nobody else for it.
            if config.auto_remove || !fits(&config) {
                continue;
            }
            match self.prune_container(&config) {
                Ok(None) => {}
                Ok(Some(bytes)) => {
                    pruned.removed.push(config.id);
                    pruned.reclaimed_bytes += bytes;
                }
                Err(error) => pruned.failures.push(error),
            }
        }
        self.tell_event(Event::pruned(EventKind::Container, pruned.reclaimed_bytes));
        Ok(pruned)
    }

    /// Removes a container and says how much it had written; nothing if it is in use.
    fn prune_container(&self, config: &ContainerConfig) -> Result<Option<u64>, RuntimeError> {
        let paths = self.paths(&config.id);
        let _exclusion = match paths.container_state()? {
            ContainerState::Created => match self.exclude_creators()? {
                // Somebody may be about to start it.
                None => return Ok(None),
                exclusion => exclusion,
            },
            ContainerState::Exited(_) => None,
            _ => return Ok(None),
        };
        let bytes = measured(&paths.root.join("upper"))?;
        match self.remove(config, Force::No, &mut Silent) {
            Ok(()) => Ok(Some(bytes)),
            // Somebody has just started it.
            Err(RuntimeError::StillRunning(_) | RuntimeError::IsRestarting(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps others from creating and starting containers, unless somebody is just doing so.
    fn exclude_creators(&self) -> Result<Option<CreationHold>, RuntimeError> {
        let path = self.containers();
        let directory =
            File::open(&path).map_err(|error| RuntimeError::file("open", &path, error))?;
        match directory.try_lock() {
            Ok(()) => Ok(Some(CreationHold {
                _directory: directory,
            })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(RuntimeError::file("lock", &path, error)),
        }
    }

    /// Removes the networks that no container refers to and that fit.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub fn prune_networks(
        &self,
        fits: &dyn Fn(&Network) -> bool,
    ) -> Result<Pruned<NetworkName>, RuntimeError> {
        let mut pruned = Pruned::default();
        for network in self.unused_networks()? {
            if !fits(&network) {
                continue;
            }
            match self.remove_network(&network.name, Force::No) {
                Ok(()) => pruned.removed.push(network.name),
                // It has come into use, or was removed, since we looked.
                Err(RuntimeError::Network(
                    NetworkError::InUse { .. } | NetworkError::UnknownNetwork(_),
                )) => {}
                Err(error) => pruned.failures.push(error),
            }
        }
        self.tell_event(Event::pruned(EventKind::Network, 0));
        Ok(pruned)
    }

    /// Removes the volumes that no container has and that fit.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub fn prune_volumes(
        &self,
        fits: &dyn Fn(&Volume) -> bool,
    ) -> Result<Pruned<VolumeName>, RuntimeError> {
        let mut pruned = Pruned::default();
        for volume in self.unused_volumes()? {
            if !fits(&volume) {
                continue;
            }
            let size = self.volumes().size(&volume.name);
            match self.remove_volume(&volume.name) {
                Ok(()) => {
                    pruned.removed.push(volume.name);
                    pruned.reclaimed_bytes += size.map_or(0, |size| size.bytes());
                }
                // Somebody was faster, with removing it or with using it.
                Err(RuntimeError::Volume(VolumeError::Unknown(_) | VolumeError::InUse { .. })) => {}
                Err(error) => pruned.failures.push(error),
            }
        }
        self.tell_event(Event::pruned(EventKind::Volume, pruned.reclaimed_bytes));
        Ok(pruned)
    }

    /// Removes the images that are of no use and fit.
    ///
    /// # Errors
    /// When the records cannot be read, or something cannot be removed.
    pub fn prune_images(
        &self,
        unused: UnusedImages,
        fits: &dyn Fn(&Image) -> bool,
    ) -> Result<PrunedImages, RuntimeError> {
        self.wait_for_leaving()?;
        let mut used: Option<Result<BTreeSet<ImageId>, RuntimeError>> = None;
        let mut is_unwanted = |image: &Image| {
            // Asked under the image store's lock, so that a container which is just being made is seen.
            let used = used.get_or_insert_with(|| {
                let containers = self.outlines()?;
                Ok(containers.iter().map(|outline| outline.image_id).collect())
            });
            let is_meant = unused == UnusedImages::All || image.names.is_empty();
            let is_free = used.as_ref().is_ok_and(|used| !used.contains(&image.id));
            is_meant && is_free && fits(image)
        };
        let pruned = self.images.prune(&mut is_unwanted)?;
        if let Some(Err(error)) = used {
            return Err(error);
        }
        for removed in &pruned.removed {
            self.tell_removed(removed);
        }
        self.tell_event(Event::pruned(EventKind::Image, pruned.reclaimed_bytes));
        Ok(pruned)
    }
}
