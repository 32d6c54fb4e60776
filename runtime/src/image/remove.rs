//! Removing names and images.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::error::{ImageError, at};
use super::id::ImageId;
use super::record::Image;
use super::reference::ImageReference;
use super::staging::Staging;
use super::store::{ImageStore, StoreLock};

/// What a removal removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The image.
    pub image: ImageId,
    /// The names that are gone.
    pub untagged: Vec<ImageReference>,
    /// The image that is gone, if that was its last name.
    pub deleted: Option<ImageId>,
}

impl ImageStore {
    /// Removes a name, and with the last name the image; an image given by its id must have one name at most.
    ///
    /// `user_of` says which container uses an image, if any. It is asked only if the image itself would go, while nobody holds the store: a
    /// container that was made under a [`hold`](ImageStore::hold) is seen. It must not use the store.
    ///
    /// # Errors
    /// [`ImageError::Unknown`], [`ImageError::Ambiguous`], [`ImageError::InUse`], [`ImageError::SeveralNames`], or what went wrong in
    /// removing.
    pub fn remove(
        &self,
        image: &str,
        user_of: impl FnOnce(&ImageId) -> Option<String>,
    ) -> Result<Removed, ImageError> {
        let exclusion = self.exclude_holders()?;
        let lock = self.lock()?;
        let found = self.find(image)?;
        let all = self.names()?.remove(&found.id).unwrap_or_default();
        let untagged = match found.names.is_empty() {
            false => found.names.clone(),
            true if all.len() > 1 => {
                return Err(ImageError::SeveralNames {
                    image: image.to_owned(),
                    count: all.len(),
                });
            }
            true => all.clone(),
        };
        let is_last = all.len() <= untagged.len();
        if is_last && let Some(container) = user_of(&found.id) {
            return Err(ImageError::InUse {
                image: image.to_owned(),
                container,
            });
        }
        let staging = self.stage(&lock)?;
        for reference in &untagged {
            remove_file(&self.name_path(reference))?;
        }
        if is_last {
            self.delete(&lock, &staging, &found)?;
        }
        // Emptying the place may take long, and others need not wait for it.
        drop(lock);
        drop(exclusion);
        Ok(Removed {
            image: found.id,
            untagged,
            deleted: is_last.then_some(found.id),
        })
    }

    /// Takes the record away first: a layer without a record is cleared some day, a record without its layer would be a broken image.
    pub(super) fn delete(
        &self,
        _lock: &StoreLock,
        staging: &Staging,
        image: &Image,
    ) -> Result<(), ImageError> {
        remove_file(&self.record_path(&image.id))?;
        let used = self.used_layers()?;
        for path in &image.layers {
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(name) = name.filter(|name| !used.contains(*name)) else {
                continue;
            };
            ignore_missing(fs::rename(path, staging.path(name)))
                .map_err(at(path, |path, source| ImageError::Remove { path, source }))?;
        }
        Ok(())
    }
}

pub(super) fn remove_file(path: &Path) -> Result<(), ImageError> {
    ignore_missing(fs::remove_file(path))
        .map_err(at(path, |path, source| ImageError::Remove { path, source }))
}

fn ignore_missing(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}
