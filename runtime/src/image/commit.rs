//! Makes an image of another and of what a container made of that one has written.
//!
//! The container's writable directory becomes a layer as it is, with the marks for what was removed; the layers below are
//! shared with the parent image. So an image made like this is as good as its layers, whether or not its parent is still there.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;

use jiff::Timestamp;

use super::config::ImageConfig;
use super::error::{ImageError, at};
use super::id::ImageId;
use super::import::begin_tree;
use super::layer::LayerName;
use super::layer_receiver::Layer;
use super::publish::TREE;
use super::record::{Content, Image, Origin, Record};
use super::reference::ImageReference;
use super::staging::Staging;
use super::store::ImageStore;
use super::walk::Walk;

/// What an image is made of.
#[derive(Debug)]
pub struct CommitRequest<'a> {
    /// The image that the container was made of.
    pub parent: ImageId,
    /// What the container has written: the upper directory of its overlay.
    pub upper: &'a Path,
    /// The new image's configuration.
    pub config: ImageConfig,
    /// Who made it.
    pub author: Option<String>,
    /// What is to be said about it.
    pub comment: Option<String>,
    /// Its name, if it is to have one; an image that had it loses it.
    pub reference: Option<ImageReference>,
}

/// Makes an image of what a container has written. `still_there` is asked when everything was read: what was removed meanwhile
/// makes no image.
///
/// The same content with the same configuration is the same image.
///
/// # Errors
/// [`ImageError::Commit`] with what could not be read, or what went wrong in the store. Nothing is kept then.
pub fn commit<E: From<ImageError>>(
    store: &ImageStore,
    request: CommitRequest<'_>,
    still_there: impl FnOnce() -> Result<(), E>,
) -> Result<Image, E> {
    let staging = store.lock().and_then(|lock| store.stage_clean(&lock))?;
    let (layer, size_bytes) = make_layer(request.upper, &staging)?;
    still_there()?;
    let lock = store.lock()?;
    // Its layers cannot go while the container uses it; its record is read under the lock all the same.
    let parent = store
        .record(&request.parent)?
        .ok_or_else(|| ImageError::Unknown {
            image: request.parent.to_string(),
        })?;
    let mut layers = vec![layer];
    layers.extend(parent.content.layers);
    let record = Record {
        created: Timestamp::now(),
        size_bytes: parent.size_bytes + size_bytes,
        origin: Origin::Committed,
        parent: Some(request.parent),
        content: Content {
            config: request.config,
            layers,
            author: request.author,
            comment: request.comment,
        },
    };
    store.publish_layer(&lock, &staging, &layer)?;
    Ok(store.publish_record(&lock, &staging, record, request.reference)?)
}

fn make_layer(upper: &Path, staging: &Staging) -> Result<(LayerName, u64), ImageError> {
    let path = staging.path(TREE);
    let tree =
        begin_tree(&path).map_err(at(path, |path, source| ImageError::Stage { path, source }))?;
    let root: OwnedFd = File::open(upper)
        .map_err(at(upper, |path, source| ImageError::ReadLayer {
            path,
            source,
        }))?
        .into();
    let mut layer = Layer::begin(tree);
    let refused = |source| ImageError::Commit { source };
    Walk::of_upper(root).through(&mut layer).map_err(refused)?;
    let (digest, size_bytes) = layer.finish().map_err(refused)?;
    Ok((LayerName::Content(digest), size_bytes))
}
