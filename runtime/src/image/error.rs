//! What can go wrong with images.

use std::io;
use std::path::PathBuf;

use super::reference::{ImageReference, ReferenceError};
use super::store::is_demo;
use super::tree_error::TreeError;

/// Why something about an image could not be done. Paths are those on the host.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// No image has this name, id or beginning of an id.
    #[error("there is no image `{image}` here")]
    Unknown {
        /// What was asked for, as typed.
        image: String,
    },
    /// Several images' ids begin so.
    #[error(
        "`{prefix}` is the beginning of {count} images' ids; give more digits of the one you mean"
    )]
    Ambiguous {
        /// What was asked for, as typed.
        prefix: String,
        /// How many there are.
        count: usize,
    },
    /// The text cannot name an image.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A container needs the image.
    #[error(
        "the image `{image}` cannot be removed: the container `{container}` uses it; remove that first"
    )]
    InUse {
        /// What was to be removed, as typed.
        image: String,
        /// The container, as the caller named it.
        container: String,
    },
    /// An image given by its id has more than one name.
    #[error("the image `{image}` has {count} names; remove them by name")]
    SeveralNames {
        /// What was to be removed, as typed.
        image: String,
        /// How many names it has.
        count: usize,
    },
    /// The archive or directory did not become a tree.
    #[error("cannot import `{reference}`: {source}")]
    Import {
        /// The name the image was to get.
        reference: ImageReference,
        /// What is wrong.
        source: TreeError,
    },
    /// What a container has written did not become a layer.
    #[error("cannot make a layer of what the container has written: {source}")]
    Commit {
        /// What is wrong.
        source: TreeError,
    },
    /// The directory to import cannot be looked at, or is none.
    #[error("cannot import the directory `{path}`: {source}")]
    Source {
        /// The directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A directory of the store cannot be made.
    #[error("cannot make the directory `{path}`: {source}")]
    MakeDirectory {
        /// The directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A directory of the store cannot be read.
    #[error("cannot read the directory `{path}`: {source}")]
    ReadDirectory {
        /// The directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The lock cannot be taken.
    #[error("cannot lock `{path}`: {source}")]
    Lock {
        /// The lock's file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A private place for unfinished things cannot be had.
    #[error("cannot prepare a place below `{path}`: {source}")]
    Stage {
        /// The directory of unfinished things.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A name's symbolic link cannot be read.
    #[error("cannot read the image name `{path}`: {source}")]
    ReadName {
        /// The symbolic link.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A name's symbolic link cannot be made.
    #[error("cannot write the image name `{path}`: {source}")]
    WriteName {
        /// The symbolic link.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A record cannot be read.
    #[error("cannot read the image record `{path}`: {source}")]
    ReadRecord {
        /// The record's file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A record is not what was written.
    #[error("the image record `{path}` is damaged: {source}")]
    ParseRecord {
        /// The record's file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A record cannot be turned into text.
    #[error("cannot write down what the image is: {source}")]
    EncodeRecord {
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A record cannot be written.
    #[error("cannot write the image record `{path}`: {source}")]
    WriteRecord {
        /// The record's file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A layer cannot be put in its place.
    #[error("cannot store the layer `{path}`: {source}")]
    StoreLayer {
        /// The layer's directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A layer cannot be looked at.
    #[error("cannot look at the layer `{path}`: {source}")]
    ReadLayer {
        /// The layer's directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Something cannot be removed.
    #[error("cannot remove `{path}`: {source}")]
    Remove {
        /// What it is.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The running executable cannot be looked at.
    #[error("cannot look at the running executable `{path}`: {source}")]
    Executable {
        /// Its path, a link of the process file system.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Part of the demo image cannot be made.
    #[error("cannot make `{path}` for the built-in image: {source}")]
    Demo {
        /// What could not be made.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

impl ImageError {
    /// What to do about it, where a cure is known: one sentence.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { image } if is_demo(image) => {
                Some("it is built in, and made again as soon as it is used".to_owned())
            }
            Self::Unknown { .. } => Some(
                "`minirun images` lists what is here; `minirun import FILE NAME` adds an image, and `demo` is always there"
                    .to_owned(),
            ),
            Self::ParseRecord { path, .. } => Some(format!(
                "delete `{}` and import the image again",
                path.display()
            )),
            _ => None,
        }
    }
}

/// Attaches a path to what the kernel said: `map_err(at(&path, |path, source| ImageError::Lock { path, source }))`.
pub(super) fn at<P: Into<PathBuf>, E>(
    path: P,
    make: impl FnOnce(PathBuf, E) -> ImageError,
) -> impl FnOnce(E) -> ImageError {
    move |source| make(path.into(), source)
}
