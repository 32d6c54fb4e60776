//! The layers below what a container has written, merged as an overlay shows them, without mounting anything.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, PathBuf};

use nix::sys::stat::{FileStat, fstat};

use crate::image::copy::names_in;
use crate::image::entry_path::EntryPath;
use crate::layers::{Entry, LayerError, MergedDirectory, look_up, open_layers};

/// The layers of an image.
pub(super) struct LowerLayers {
    roots: MergedDirectory,
}

/// A directory of the merged layers.
pub(super) struct LowerDirectory(MergedDirectory);

/// What a name is in the merged layers.
pub(super) enum Lower {
    /// Nothing.
    Missing,
    /// A directory.
    Directory,
    /// Anything else.
    Single,
}

impl LowerLayers {
    /// Opens them, topmost first.
    pub(super) fn open(layers: &[PathBuf]) -> Result<Self, LayerError> {
        Ok(Self {
            roots: open_layers(layers)?,
        })
    }

    /// The directory of this path; none if there is none, or something else. No symbolic link is followed.
    pub(super) fn directory(&self, path: &EntryPath) -> io::Result<Option<LowerDirectory>> {
        let mut directory = self
            .roots
            .iter()
            .map(|root| root.try_clone())
            .collect::<io::Result<MergedDirectory>>()?;
        for component in path.as_path().components() {
            let Component::Normal(name) = component else {
                continue;
            };
            match look_up(&directory, name)? {
                Entry::Directory(found) => directory = found,
                _ => return Ok(None),
            }
        }
        Ok(Some(LowerDirectory(directory)))
    }
}

impl LowerDirectory {
    /// Owner, mode and time: those of the topmost layer that has the directory.
    pub(super) fn status(&self) -> io::Result<Option<FileStat>> {
        Ok(self.0.first().map(fstat).transpose()?)
    }

    /// What a name in it is.
    pub(super) fn look_up(&self, name: &OsStr) -> io::Result<Lower> {
        Ok(match look_up(&self.0, name)? {
            Entry::Missing => Lower::Missing,
            Entry::Directory(_) => Lower::Directory,
            Entry::Link(_) | Entry::File(_) => Lower::Single,
        })
    }

    /// All names in it.
    pub(super) fn names(&self) -> io::Result<BTreeSet<OsString>> {
        let mut names = BTreeSet::new();
        for layer in &self.0 {
            names.extend(names_in(layer.try_clone()?)?);
        }
        let mut present = BTreeSet::new();
        for name in names {
            if !matches!(self.look_up(&name)?, Lower::Missing) {
                present.insert(name);
            }
        }
        Ok(present)
    }
}
