//! What an import makes of an archive's entries.

use std::ffi::OsStr;

use super::attributes::Attributes;
use super::entry_path::EntryPath;
use super::receive::{Content, Device, Receive, Source};
use super::tree::Tree;
use super::tree_error::TreeError;

impl Receive for Tree {
    fn directory(&mut self, path: EntryPath, attributes: Attributes) -> Result<(), TreeError> {
        Tree::directory(self, path, attributes)
    }

    fn file(
        &mut self,
        path: &EntryPath,
        attributes: &Attributes,
        content: Content<'_>,
    ) -> Result<u64, TreeError> {
        self.check_room(path, content.length)?;
        match content.source {
            Source::Archive(reader) => Tree::file(self, path, attributes, reader, |source| {
                TreeError::Archive { source }
            }),
            Source::File(file) => {
                Tree::file(self, path, attributes, file, |source| TreeError::Read {
                    path: path.to_string(),
                    source,
                })
            }
        }
    }

    fn symbolic_link(
        &mut self,
        path: &EntryPath,
        target: &OsStr,
        attributes: &Attributes,
    ) -> Result<(), TreeError> {
        Tree::symbolic_link(self, path, target, attributes)
    }

    fn hard_link(
        &mut self,
        path: &EntryPath,
        target: &EntryPath,
        _attributes: &Attributes,
    ) -> Result<(), TreeError> {
        Tree::hard_link(self, path, target)
    }

    fn fifo(&mut self, path: &EntryPath, attributes: &Attributes) -> Result<(), TreeError> {
        Tree::fifo(self, path, attributes)
    }

    /// Containers get their devices from the runtime; those in `dev/` would be hidden by its own.
    fn device(
        &mut self,
        path: &EntryPath,
        _device: Device,
        _attributes: &Attributes,
    ) -> Result<(), TreeError> {
        match path.is_device_of_the_runtime() {
            true => Ok(()),
            false => Err(TreeError::Device {
                path: path.to_string(),
            }),
        }
    }
}
