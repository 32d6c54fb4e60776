//! Makes a layer of what a container has written, together with the listing that identifies it.

use std::ffi::OsStr;
use std::io::Read;

use super::attributes::Attributes;
use super::digest::{Digest, HashingReader};
use super::entry_path::EntryPath;
use super::listing::{Content as Listed, Listing};
use super::receive::{Content, Device, DeviceKind, Receive, Source};
use super::tree::Tree;
use super::tree_error::TreeError;

/// A layer in the making: a tree and its listing.
pub(super) struct Layer {
    tree: Tree,
    listing: Listing,
}

impl Layer {
    /// Begins a layer in an empty tree.
    pub(super) fn begin(tree: Tree) -> Self {
        Self {
            tree,
            listing: Listing::new(),
        }
    }

    /// The digest of everything, and how many bytes of content there are. A container that has written nothing makes a
    /// layer, too.
    pub(super) fn finish(self) -> Result<(Digest, u64), TreeError> {
        let size_bytes = self.tree.finish()?;
        Ok((self.listing.finish_even_if_empty(), size_bytes))
    }
}

impl Receive for Layer {
    fn directory(&mut self, path: EntryPath, attributes: Attributes) -> Result<(), TreeError> {
        self.listing.add(&path, &attributes, &Listed::Directory);
        self.tree.directory(path, attributes)
    }

    fn file(
        &mut self,
        path: &EntryPath,
        attributes: &Attributes,
        content: Content<'_>,
    ) -> Result<u64, TreeError> {
        self.tree.check_room(path, content.length)?;
        let unreadable = |source| TreeError::Read {
            path: path.to_string(),
            source,
        };
        let reader: &mut dyn Read = match content.source {
            Source::Archive(reader) => reader,
            Source::File(file) => file,
        };
        let mut hashed = HashingReader::new(reader);
        let length = self.tree.file(path, attributes, &mut hashed, unreadable)?;
        let digest = hashed.drain().map_err(unreadable)?;
        self.listing.add(path, attributes, &Listed::File(digest));
        Ok(length)
    }

    fn symbolic_link(
        &mut self,
        path: &EntryPath,
        target: &OsStr,
        attributes: &Attributes,
    ) -> Result<(), TreeError> {
        let listed = Listed::SymbolicLink(target.as_encoded_bytes());
        self.listing.add(path, attributes, &listed);
        self.tree.symbolic_link(path, target, attributes)
    }

    fn hard_link(
        &mut self,
        path: &EntryPath,
        target: &EntryPath,
        attributes: &Attributes,
    ) -> Result<(), TreeError> {
        self.listing
            .add(path, attributes, &Listed::HardLink(target));
        self.tree.hard_link(path, target)
    }

    fn fifo(&mut self, path: &EntryPath, attributes: &Attributes) -> Result<(), TreeError> {
        self.listing.add(path, attributes, &Listed::Fifo);
        self.tree.fifo(path, attributes)
    }

    /// A node for something that was removed stays what it is. Others are kept as well: nothing that lies on a container's
    /// root can be opened as a device, and nobody but root gets at the layers.
    fn device(
        &mut self,
        path: &EntryPath,
        device: Device,
        attributes: &Attributes,
    ) -> Result<(), TreeError> {
        // Who removed something, and when, is not part of what the image is.
        let nobodys = Attributes::of_nobody();
        let attributes = match device == Device::WHITEOUT {
            true => &nobodys,
            false => attributes,
        };
        let kind = match device.kind {
            DeviceKind::Character => b'c',
            DeviceKind::Block => b'b',
        };
        let listed = Listed::Device(kind, device.number);
        self.listing.add(path, attributes, &listed);
        self.tree.device(path, device, attributes)
    }
}
