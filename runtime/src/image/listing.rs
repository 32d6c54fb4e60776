//! The canonical listing of a directory, whose digest identifies the layer made of it.

use sha2::{Digest as _, Sha256};

use super::attributes::Attributes;
use super::digest::Digest;
use super::entry_path::EntryPath;

/// What an entry is, with what distinguishes it from another of its kind.
pub(super) enum Content<'a> {
    /// A directory.
    Directory,
    /// A file, by the digest of its content.
    File(Digest),
    /// A symbolic link, by its target.
    SymbolicLink(&'a [u8]),
    /// Another name of a file listed before, by that path.
    HardLink(&'a EntryPath),
    /// A FIFO.
    Fifo,
    /// A device node, by the letter of its kind and its number.
    Device(u8, u64),
}

/// Digests one entry after the other. Every field has its length in front, so that no two listings look alike.
pub(super) struct Listing {
    hasher: Sha256,
    entries: u64,
}

impl Listing {
    /// A listing with nothing in it. The name in front keeps it from ever equalling the digest of an archive.
    pub(super) fn new() -> Self {
        Self {
            hasher: Sha256::new_with_prefix(b"minirun directory listing 1\0"),
            entries: 0,
        }
    }

    /// Adds an entry.
    pub(super) fn add(&mut self, path: &EntryPath, attributes: &Attributes, content: &Content<'_>) {
        let number;
        let (kind, rest): (u8, &[u8]) = match content {
            Content::Directory => (b'd', b""),
            Content::File(digest) => (b'f', digest.as_bytes()),
            Content::SymbolicLink(target) => (b'l', target),
            Content::HardLink(target) => (b'h', target.as_bytes()),
            Content::Fifo => (b'p', b""),
            Content::Device(kind, device) => {
                number = device.to_be_bytes();
                (*kind, &number)
            }
        };
        self.hasher.update([kind]);
        self.field(path.as_bytes());
        self.field(rest);
        for number in [attributes.mode, attributes.owner, attributes.group] {
            self.hasher.update(number.to_be_bytes());
        }
        self.hasher
            .update(attributes.modified.tv_sec().to_be_bytes());
        self.hasher
            .update(attributes.modified.tv_nsec().to_be_bytes());
        self.length(attributes.extended.len());
        for (name, value) in &attributes.extended {
            self.field(name.to_bytes());
            self.field(value);
        }
        self.entries += 1;
    }

    /// The digest of all entries, or none if there was nothing but the root.
    pub(super) fn finish(self) -> Option<Digest> {
        (self.entries > 1).then(|| Digest::finish(self.hasher))
    }

    /// The digest of all entries, be there any or not.
    pub(super) fn finish_even_if_empty(self) -> Digest {
        Digest::finish(self.hasher)
    }

    fn field(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.hasher.update(bytes);
    }

    fn length(&mut self, length: usize) {
        self.hasher.update((length as u64).to_be_bytes());
    }
}
