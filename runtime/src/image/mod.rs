//! Images: what a container's root file system is made of.
//!
//! An image is a small record (its configuration and the names of its layers) beside layers that stand unpacked on disk, ready to be
//! the lower directories of an overlay. [`import()`] turns a tar archive or a directory into an image, [`ImageStore`] finds, lists, names
//! and removes images, and [`DemoImage`] makes the built-in image out of the running executable.
//!
//! Data flows one way: bytes are recognised (`compression`), hashed (`digest`), turned into entries (`unpack`, or `copy` for a
//! directory), written below a directory that nothing can lead out of (`tree`) inside a private place (`staging`), and only when
//! everything is known to be whole do they get their final name (`publish`).
//!
//! The invariant: whatever stands in `layers/`, `records/` and `names/` is complete. Everything unfinished stands below `tmp/`.

mod allowance;
pub(crate) mod attributes;
pub(crate) mod beneath;
mod change;
mod commit;
pub(crate) mod compression;
mod config;
pub(crate) mod copy;
mod demo;
pub(crate) mod digest;
pub(crate) mod entry_attributes;
pub(crate) mod entry_path;
mod error;
mod health_change;
mod id;
mod import;
mod import_receiver;
mod layer;
mod layer_receiver;
mod listing;
mod populate;
mod prune;
mod publish;
pub(crate) mod receive;
mod record;
mod reference;
mod remove;
mod staging;
mod store;
mod tree;
pub(crate) mod tree_error;
pub(crate) mod unpack;
pub(crate) mod walk;

pub use change::{Change, ChangeError, apply};
pub use commit::{CommitRequest, commit};
pub use config::ImageConfig;
pub use demo::DemoImage;
pub use error::ImageError;
pub use id::{ImageId, ImageIdError};
pub use import::{ImportSource, import};
pub use populate::{PopulateError, copy_from_layers};
pub use prune::PrunedImages;
pub use record::{Image, Origin, RootAttributes};
pub use reference::{ImageReference, ReferenceError};
pub use remove::Removed;
pub use store::{ImageStore, StoreHold};
pub use tree_error::TreeError;

#[cfg(test)]
mod tests;
