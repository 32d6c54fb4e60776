//! What a container is to have mounted, before its volumes are made.

use super::error::VolumeError;
use crate::create::CreateRequest;
use crate::error::RuntimeError;
use crate::image::Image;
use crate::runtime::Runtime;
use crate::storage::{Inherited, KindWanted, MissingSource, MountWanted};
use std::path::Path;

impl Runtime {
    /// All mounts that a request comes to. Nothing is touched.
    ///
    /// # Errors
    /// When a container that is named does not exist, two mounts have one destination, or the source of a bind that is not made does
    /// not exist.
    pub(crate) fn resolve_mounts(
        &self,
        request: &CreateRequest,
        image: &Image,
    ) -> Result<Vec<MountWanted>, RuntimeError> {
        let wanted = &request.storage;
        let mut inherited = Vec::new();
        for from in &wanted.volumes_from {
            inherited.push(Inherited {
                from: from.clone(),
                mounts: self.resolve(&from.container)?.storage.mounts,
            });
        }
        let mounts = wanted
            .merge(&inherited, &image.config.volumes)
            .map_err(VolumeError::from)?;
        for mount in &mounts {
            if let KindWanted::Bind(bind) = &mount.kind
                && bind.missing == MissingSource::Refuse
                && !Path::new(&bind.source).exists()
            {
                return Err(VolumeError::NoSource(bind.source.clone().into()).into());
            }
        }
        Ok(mounts)
    }
}
