//! What is written down of an image, and what is handed out of it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::config::ImageConfig;
use super::digest::Digest;
use super::error::{ImageError, at};
use super::id::ImageId;
use super::layer::LayerName;
use super::reference::ImageReference;

/// An image that stands in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// The names met when it was looked up: all of them from a listing, the one asked for from a look-up by name, none by id.
    pub names: Vec<ImageReference>,
    /// When it was first imported or built here.
    pub created: Timestamp,
    /// How many bytes of file content its layers hold.
    pub size_bytes: u64,
    /// The defaults of containers made of it.
    pub config: ImageConfig,
    /// The unpacked layers' directories, top first, ready as lower directories of an overlay.
    pub layers: Vec<PathBuf>,
    /// Where it comes from.
    pub origin: Origin,
    /// The image that it was made of, which may be gone.
    pub parent: Option<ImageId>,
    /// Who made it.
    pub author: Option<String>,
    /// What was said about it.
    pub comment: Option<String>,
}

/// What the root directory of an image, `/` in its containers, may be used for and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RootAttributes {
    /// The twelve permission bits.
    pub mode: u32,
    /// The numeric owner.
    pub uid: u32,
    /// The numeric group.
    pub gid: u32,
}

impl Image {
    /// Mode and owner of the topmost layer's root directory.
    ///
    /// An overlay shows those of its upper directory, so a container's must be made with these, or what the image says of `/` is lost.
    ///
    /// # Errors
    /// [`ImageError::ReadLayer`] if the layer is not there any more.
    pub fn root_attributes(&self) -> Result<RootAttributes, ImageError> {
        let Some(path) = self.layers.first() else {
            return Ok(RootAttributes::USUAL);
        };
        let found = fs::metadata(path).map_err(at(path, |path, source| ImageError::ReadLayer {
            path,
            source,
        }))?;
        Ok(RootAttributes {
            mode: found.mode() & 0o7777,
            uid: found.uid(),
            gid: found.gid(),
        })
    }
}

impl RootAttributes {
    /// Those of a root directory that an archive says nothing of: everybody may look, and only root may write.
    pub const USUAL: Self = Self {
        mode: 0o755,
        uid: 0,
        gid: 0,
    };
}

/// Where an image comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Somebody imported it.
    Imported,
    /// minirun made it of its own executable.
    BuiltIn,
    /// Somebody made it of a container.
    Committed,
}

/// What identifies an image: the same content is the same image, whenever and wherever it is made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Content {
    /// The configuration.
    pub(super) config: ImageConfig,
    /// The layers, top first.
    pub(super) layers: Vec<LayerName>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) author: Option<String>,
    /// What was said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<String>,
}

/// An image's record, one JSON file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// When it was first made.
    pub(super) created: Timestamp,
    /// Bytes of file content.
    pub(super) size_bytes: u64,
    /// Where it comes from.
    pub(super) origin: Origin,
    /// The image that it was made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parent: Option<ImageId>,
    /// What the id is the digest of.
    pub(super) content: Content,
}

impl Content {
    /// The id: the digest of the content's JSON, whose keys and sets are always in the same order.
    pub(super) fn id(&self) -> Result<ImageId, ImageError> {
        let json =
            serde_json::to_vec(self).map_err(|source| ImageError::EncodeRecord { source })?;
        Ok(ImageId::new(Digest::of(&json)))
    }
}
