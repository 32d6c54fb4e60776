//! How something finished gets its final name, and how names are changed.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;

use super::error::{ImageError, at};
use super::id::ImageId;
use super::layer::LayerName;
use super::record::{Image, Record};
use super::reference::ImageReference;
use super::staging::{Staging, sweep};
use super::store::{ImageStore, StoreLock, entries};

/// The name of the tree in a staging place.
pub(super) const TREE: &str = "tree";
/// The names of other things on their way.
const RECORD: &str = "record";
const NAME: &str = "name";

impl ImageStore {
    /// Gives an image another name; an image that had that name loses it.
    ///
    /// # Errors
    /// As for [`ImageStore::resolve`], and what went wrong in writing.
    pub fn tag(&self, image: &str, reference: &ImageReference) -> Result<(), ImageError> {
        let image = self.resolve(image)?;
        let lock = self.lock()?;
        // Somebody may have removed it before the lock was had.
        self.image(&image.id)?;
        let staging = self.stage(&lock)?;
        self.write_name(&staging, reference, &image.id)
    }

    /// A private place for unfinished things.
    pub(super) fn stage(&self, _lock: &StoreLock) -> Result<Staging, ImageError> {
        let path = self.staging_path();
        Staging::create(&path).map_err(at(path, |path, source| ImageError::Stage { path, source }))
    }

    /// As [`ImageStore::stage`], and clears what dead commands have left: their places, and layers that no image names.
    pub(super) fn stage_clean(&self, lock: &StoreLock) -> Result<Staging, ImageError> {
        let path = self.staging_path();
        sweep(&path).map_err(at(path, |path, source| ImageError::Stage { path, source }))?;
        let staging = self.stage(lock)?;
        let used = self.used_layers()?;
        for name in entries(&self.layers_path())? {
            if !used.contains(&name) {
                let path = self.layers_path().join(&name);
                fs::rename(&path, staging.path(&name))
                    .map_err(at(path, |path, source| ImageError::Remove { path, source }))?;
            }
        }
        Ok(staging)
    }

    /// The names of the layers that some image is made of.
    pub(super) fn used_layers(&self) -> Result<BTreeSet<String>, ImageError> {
        let mut used = BTreeSet::new();
        for id in self.ids()? {
            if let Some(record) = self.record(&id)? {
                used.extend(record.content.layers.iter().map(LayerName::to_string));
            }
        }
        Ok(used)
    }

    /// Puts the tree of a staging place among the layers, unless that layer is there already.
    pub(super) fn publish_layer(
        &self,
        _lock: &StoreLock,
        staging: &Staging,
        layer: &LayerName,
    ) -> Result<(), ImageError> {
        let path = self.layer_path(layer);
        match fs::rename(staging.path(TREE), &path) {
            Err(error) if is_taken(&error) => Ok(()),
            outcome => outcome.map_err(at(path, |path, source| ImageError::StoreLayer {
                path,
                source,
            })),
        }
    }

    /// Writes a record and perhaps a name for it. A record that is there already stays, with the time at which it was made.
    pub(super) fn publish_record(
        &self,
        _lock: &StoreLock,
        staging: &Staging,
        record: Record,
        reference: Option<ImageReference>,
    ) -> Result<Image, ImageError> {
        let id = record.content.id()?;
        let record = match self.record(&id) {
            Ok(Some(present)) => present,
            // A damaged record is replaced: all that it said is known again.
            Ok(None) | Err(ImageError::ParseRecord { .. }) => {
                self.write_record(staging, &id, &record)?;
                record
            }
            Err(error) => return Err(error),
        };
        if let Some(reference) = &reference {
            self.write_name(staging, reference, &id)?;
        }
        Ok(Image {
            names: reference.into_iter().collect(),
            ..self.describe(id, record)
        })
    }

    fn write_record(
        &self,
        staging: &Staging,
        id: &ImageId,
        record: &Record,
    ) -> Result<(), ImageError> {
        let json = serde_json::to_vec_pretty(record)
            .map_err(|source| ImageError::EncodeRecord { source })?;
        let (unfinished, path) = (staging.path(RECORD), self.record_path(id));
        fs::write(&unfinished, json)
            .and_then(|()| fs::rename(&unfinished, &path))
            .map_err(at(path, |path, source| ImageError::WriteRecord {
                path,
                source,
            }))
    }

    fn write_name(
        &self,
        staging: &Staging,
        reference: &ImageReference,
        id: &ImageId,
    ) -> Result<(), ImageError> {
        let (unfinished, path) = (staging.path(NAME), self.name_path(reference));
        symlink(id.hexadecimal(), &unfinished)
            .and_then(|()| fs::rename(&unfinished, &path))
            .map_err(at(path, |path, source| ImageError::WriteName {
                path,
                source,
            }))
    }
}

/// Whether a rename failed because a directory with something in it has that name.
fn is_taken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists
    )
}
