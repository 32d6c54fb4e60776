//! Removing the images that nobody uses.

use super::error::ImageError;
use super::record::Image;
use super::remove::{Removed, remove_file};
use super::store::ImageStore;
use crate::disk_usage::tree_size;

/// What was removed, and how many bytes are free again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrunedImages {
    /// Each image that is gone, with its names.
    pub removed: Vec<Removed>,
    /// The size of the layers that no other image has.
    pub reclaimed_bytes: u64,
}

impl ImageStore {
    /// Removes images with all their names. `is_unwanted` is asked while nobody holds the store: a container that was made under a
    /// [`hold`](ImageStore::hold) is seen. It must not use the store.
    ///
    /// # Errors
    /// What went wrong in reading or removing.
    pub fn prune(
        &self,
        is_unwanted: &mut dyn FnMut(&Image) -> bool,
    ) -> Result<PrunedImages, ImageError> {
        let exclusion = self.exclude_holders()?;
        let lock = self.lock()?;
        let staging = self.stage(&lock)?;
        let mut removed = Vec::new();
        for image in self.list()? {
            if !is_unwanted(&image) {
                continue;
            }
            for reference in &image.names {
                remove_file(&self.name_path(reference))?;
            }
            self.delete(&lock, &staging, &image)?;
            removed.push(Removed {
                image: image.id,
                untagged: image.names,
                deleted: Some(image.id),
            });
        }
        // Measuring and emptying the place may take long, and others need not wait for it.
        drop(lock);
        drop(exclusion);
        Ok(PrunedImages {
            removed,
            // What was removed is gone, whether its size can be told or not.
            reclaimed_bytes: tree_size(&staging.path("")).unwrap_or_default(),
        })
    }
}
