//! What becomes of a tree that is read, one entry after the other: a tree on disk, an archive, a layer.
//!
//! Whoever reads (`unpack`, `crate::files::walk`) knows nothing of what is made of it; whoever receives decides what an entry
//! of a kind that it does not want means.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;

use super::attributes::Attributes;
use super::entry_path::EntryPath;
use super::tree_error::TreeError;

/// Takes the entries of a tree. A directory comes before what is in it; an entry of a path that was there before replaces it.
pub(crate) trait Receive {
    /// Takes a directory.
    fn directory(&mut self, path: EntryPath, attributes: Attributes) -> Result<(), TreeError>;

    /// Takes a file, and says how many bytes of its content were read.
    fn file(
        &mut self,
        path: &EntryPath,
        attributes: &Attributes,
        content: Content<'_>,
    ) -> Result<u64, TreeError>;

    /// Takes a symbolic link.
    fn symbolic_link(
        &mut self,
        path: &EntryPath,
        target: &OsStr,
        attributes: &Attributes,
    ) -> Result<(), TreeError>;

    /// Takes another name of something that came before.
    fn hard_link(
        &mut self,
        path: &EntryPath,
        target: &EntryPath,
        attributes: &Attributes,
    ) -> Result<(), TreeError>;

    /// Takes a FIFO.
    fn fifo(&mut self, path: &EntryPath, attributes: &Attributes) -> Result<(), TreeError>;

    /// Takes a device node, which nobody has opened.
    fn device(
        &mut self,
        path: &EntryPath,
        device: Device,
        attributes: &Attributes,
    ) -> Result<(), TreeError>;

    /// Hears of a socket, which no tree keeps.
    fn socket(&mut self, _path: &EntryPath) {}
}

/// The content of a file on its way.
pub(crate) struct Content<'a> {
    /// How long the file is said to be, in bytes.
    pub(crate) length: u64,
    /// Where the content comes from.
    pub(crate) source: Source<'a>,
}

/// Where the content of a file comes from.
pub(crate) enum Source<'a> {
    /// An archive.
    Archive(&'a mut dyn Read),
    /// A file of its own, which may have holes. It may be longer or shorter than it was said to be.
    File(&'a mut File),
}

/// What a device node stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Device {
    /// How it is read and written.
    pub(crate) kind: DeviceKind,
    /// Its number, as `stat` gives it.
    pub(crate) number: u64,
}

impl Device {
    /// The device that an overlay puts where something of a lower layer was removed.
    pub(crate) const WHITEOUT: Self = Self {
        kind: DeviceKind::Character,
        number: 0,
    };
}

/// How a device is read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeviceKind {
    /// Byte by byte.
    Character,
    /// In blocks.
    Block,
}
