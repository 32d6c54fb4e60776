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
mod attributes;
mod beneath;
mod change;
mod compression;
mod config;
mod copy;
mod demo;
mod digest;
mod entry_attributes;
mod entry_path;
mod error;
mod id;
mod import;
mod layer;
mod listing;
mod prune;
mod publish;
mod record;
mod reference;
mod remove;
mod staging;
mod store;
mod tree;
mod tree_error;
mod unpack;

pub use change::{Change, ChangeError, apply};
pub use config::ImageConfig;
pub use demo::DemoImage;
pub use error::ImageError;
pub use id::{ImageId, ImageIdError};
pub use import::{ImportSource, import};
pub use prune::PrunedImages;
pub use record::{Image, Origin, RootAttributes};
pub use reference::{ImageReference, ReferenceError};
pub use remove::Removed;
pub use store::{ImageStore, StoreHold};
pub use tree_error::TreeError;

#[cfg(test)]
mod tests;
