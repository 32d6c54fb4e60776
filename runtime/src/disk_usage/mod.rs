//! How much of the disk images, containers and volumes take, and how much of it nobody needs.
//!
//! Files are counted by their length, as Docker does it: those with several names once, and so each layer that several images
//! share.

mod tree;
mod volumes;

use crate::error::RuntimeError;
use crate::image::{Image, ImageId};
use crate::runtime::Runtime;
use crate::summary::ContainerSummary;
use minirun_bridge::id::ContainerId;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
pub(crate) use tree::tree_size;
pub use volumes::VolumeUsage;

/// What there is on the disk.
#[derive(Debug)]
pub struct DiskUsage {
    /// The images, newest first.
    pub images: Vec<ImageUsage>,
    /// What all layers take.
    pub layer_bytes: u64,
    /// What those take that no container needs.
    pub unused_layer_bytes: u64,
    /// The containers, oldest first.
    pub containers: Vec<ContainerUsage>,
    /// The volumes, by name.
    pub volumes: Vec<VolumeUsage>,
}

/// What an image takes.
#[derive(Debug)]
pub struct ImageUsage {
    /// The image.
    pub image: Image,
    /// Its layers that are other images', too.
    pub shared_bytes: u64,
    /// Its layers that are no other image's.
    pub unique_bytes: u64,
    /// How many containers were made of it.
    pub containers: usize,
}

/// What a container takes.
#[derive(Debug)]
pub struct ContainerUsage {
    /// The container.
    pub summary: ContainerSummary,
    /// What it wrote.
    pub size: ContainerSize,
    /// How many volumes it uses.
    pub volumes: usize,
}

/// How large a container is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContainerSize {
    /// What it wrote.
    pub writable_bytes: u64,
    /// The same with its image.
    pub root_bytes: u64,
}

impl Runtime {
    /// Measures everything.
    ///
    /// # Errors
    /// When a record or directory cannot be read.
    pub fn disk_usage(&self) -> Result<DiskUsage, RuntimeError> {
        let mut containers = Vec::new();
        for summary in self.survey()?.containers {
            let outline = &summary.outline;
            containers.push(ContainerUsage {
                size: self.container_size(&outline.id, &outline.image_id)?,
                volumes: outline.storage.volume_names().len(),
                summary,
            });
        }
        let layers = Layers::of(self.images.list()?)?;
        let used: BTreeSet<&ImageId> = containers
            .iter()
            .map(|container| &container.summary.outline.image_id)
            .collect();
        let needed = layers.bytes(|users| users.iter().any(|image| used.contains(image)));
        let layer_bytes = layers.bytes(|_| true);
        let images = layers.usage(&containers);
        let volumes = self.volume_usage()?;
        Ok(DiskUsage {
            images,
            layer_bytes,
            unused_layer_bytes: layer_bytes - needed,
            containers,
            volumes,
        })
    }

    /// Measures a container.
    ///
    /// # Errors
    /// When a directory cannot be read.
    pub fn container_size(
        &self,
        id: &ContainerId,
        image_id: &ImageId,
    ) -> Result<ContainerSize, RuntimeError> {
        let writable_bytes = measured(&self.paths(id).root.join("upper"))?;
        // Its image may be damaged, and its own size is known all the same.
        let image = self.images.image(image_id);
        Ok(ContainerSize {
            writable_bytes,
            root_bytes: writable_bytes + image.map_or(0, |image| image.size_bytes),
        })
    }
}

/// What is below a directory; nothing if it was removed meanwhile.
pub(crate) fn measured(path: &Path) -> Result<u64, RuntimeError> {
    tree_size(path).map_err(|error| RuntimeError::file("measure", path, error))
}

/// Every layer with its size and the images that it is part of.
struct Layers {
    images: Vec<Image>,
    layers: BTreeMap<PathBuf, (u64, BTreeSet<ImageId>)>,
}

impl Layers {
    fn of(images: Vec<Image>) -> Result<Layers, RuntimeError> {
        let mut layers: BTreeMap<PathBuf, (u64, BTreeSet<ImageId>)> = BTreeMap::new();
        for image in &images {
            for path in &image.layers {
                if !layers.contains_key(path) {
                    layers.insert(path.clone(), (measured(path)?, BTreeSet::new()));
                }
                if let Some((_, users)) = layers.get_mut(path) {
                    users.insert(image.id);
                }
            }
        }
        Ok(Layers { images, layers })
    }

    /// What those layers take whose images are such.
    fn bytes(&self, is_meant: impl Fn(&BTreeSet<ImageId>) -> bool) -> u64 {
        let meant = self.layers.values().filter(|(_, users)| is_meant(users));
        meant.map(|(bytes, _)| bytes).sum()
    }

    fn usage(self, containers: &[ContainerUsage]) -> Vec<ImageUsage> {
        let count = |id: &ImageId| {
            let mut used = containers.iter();
            used.by_ref()
                .filter(|container| container.summary.outline.image_id == *id)
                .count()
        };
        let part = |image: &Image, is_shared: bool| {
            let paths: BTreeSet<&PathBuf> = image.layers.iter().collect();
            let layers = paths.into_iter().filter_map(|path| self.layers.get(path));
            let meant = layers.filter(|(_, users)| (users.len() > 1) == is_shared);
            meant.map(|(bytes, _)| bytes).sum()
        };
        let measured = self
            .images
            .iter()
            .map(|image| (part(image, true), part(image, false), count(&image.id)));
        let measured: Vec<_> = measured.collect();
        self.images
            .into_iter()
            .zip(measured)
            .map(
                |(image, (shared_bytes, unique_bytes, containers))| ImageUsage {
                    image,
                    shared_bytes,
                    unique_bytes,
                    containers,
                },
            )
            .collect()
    }
}
