//! Turns a directory into a tree, and says what it is by its canonical listing.
//!
//! The directory may be somebody else's and may change while it is read, so it is read as carefully as the tree is written: every path is
//! opened beneath its root, and no symbolic link in it is followed.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use nix::dir::Dir;
use nix::fcntl::{OFlag, readlinkat};
use nix::sys::stat::{FileStat, SFlag, fstat};
use nix::sys::time::TimeSpec;

use super::attributes::{Attributes, read_extended};
use super::beneath::{Links, open_beneath};
use super::digest::{Digest, HashingReader};
use super::entry_path::EntryPath;
use super::listing::{Content, Listing};
use super::tree::Tree;
use super::tree_error::TreeError;

/// A file's identity on this machine: device and inode.
pub(crate) type Identity = (u64, u64);

/// Copies a directory. `store` is the directory that must not be met on the way, because the copy grows in it.
///
/// Sockets are left out. A directory on which another file system is mounted is kept, empty, as with `tar --one-file-system`.
///
/// # Errors
/// [`TreeError`]; whatever was copied until then stays in the tree, which is the caller's to throw away.
pub(super) fn copy(source: &Path, store: Identity, tree: &mut Tree) -> Result<Digest, TreeError> {
    let unreadable = |source_error| TreeError::Read {
        path: source.display().to_string(),
        source: source_error,
    };
    let root: OwnedFd = File::open(source).map_err(unreadable)?.into();
    let device = fstat(&root)
        .map_err(|error| unreadable(error.into()))?
        .st_dev;
    let mut copier = Copier {
        root,
        device,
        store,
        seen: HashMap::new(),
        listing: Listing::new(),
        tree,
    };
    let mut pending = vec![EntryPath::root()];
    while let Some(path) = pending.pop() {
        pending.extend(copier.directory(path)?);
    }
    copier.listing.finish().ok_or(TreeError::Empty)
}

struct Copier<'a> {
    root: OwnedFd,
    device: u64,
    store: Identity,
    seen: HashMap<Identity, EntryPath>,
    listing: Listing,
    tree: &'a mut Tree,
}

impl Copier<'_> {
    /// Copies a directory and what is in it, except for the directories in it, which it returns last to first.
    fn directory(&mut self, path: EntryPath) -> Result<Vec<EntryPath>, TreeError> {
        let (file, status) = self.open(&path, OFlag::O_RDONLY | OFlag::O_DIRECTORY)?;
        if identity(&status) == self.store {
            return Err(TreeError::HoldsStore {
                path: path.to_string(),
            });
        }
        let attributes = attributes_of(&file, &status, &path)?;
        self.listing.add(&path, &attributes, &Content::Directory);
        self.tree.directory(path.clone(), attributes)?;
        let mut directories = Vec::new();
        if status.st_dev == self.device {
            for name in names_in(file).map_err(unreadable(&path))? {
                let child = path.child(&name);
                if self.entry(&child)? == Entered::Directory {
                    directories.push(child);
                }
            }
        }
        directories.reverse();
        Ok(directories)
    }

    /// Copies something unless it is a directory.
    fn entry(&mut self, path: &EntryPath) -> Result<Entered, TreeError> {
        let (file, status) = self.open(path, OFlag::O_PATH)?;
        match kind_of(&status) {
            SFlag::S_IFDIR => return Ok(Entered::Directory),
            SFlag::S_IFSOCK => return Ok(Entered::Done),
            SFlag::S_IFCHR | SFlag::S_IFBLK if path.is_device_of_the_runtime() => {
                return Ok(Entered::Done);
            }
            SFlag::S_IFCHR | SFlag::S_IFBLK => {
                return Err(TreeError::Device {
                    path: path.to_string(),
                });
            }
            _ => {}
        }
        if let Some(target) = self.seen.get(&identity(&status)) {
            let attributes = plain_attributes(&status);
            self.listing
                .add(path, &attributes, &Content::HardLink(target));
            self.tree.hard_link(path, target)?;
            return Ok(Entered::Done);
        }
        if status.st_nlink > 1 {
            self.seen.insert(identity(&status), path.clone());
        }
        self.single(path, file, &status)?;
        Ok(Entered::Done)
    }

    fn single(
        &mut self,
        path: &EntryPath,
        file: OwnedFd,
        status: &FileStat,
    ) -> Result<(), TreeError> {
        match kind_of(status) {
            SFlag::S_IFREG => self.file(path),
            SFlag::S_IFLNK => {
                let target =
                    readlinkat(&file, "").map_err(|error| unreadable(path)(error.into()))?;
                let attributes = plain_attributes(status);
                let content = Content::SymbolicLink(target.as_bytes());
                self.listing.add(path, &attributes, &content);
                self.tree.symbolic_link(path, &target, &attributes)
            }
            _ => {
                let attributes = plain_attributes(status);
                self.listing.add(path, &attributes, &Content::Fifo);
                self.tree.fifo(path, &attributes)
            }
        }
    }

    /// Opens the file a second time, to read it; what is opened then is what counts.
    fn file(&mut self, path: &EntryPath) -> Result<(), TreeError> {
        let (file, status) = self.open(path, OFlag::O_RDONLY | OFlag::O_NONBLOCK)?;
        if kind_of(&status) != SFlag::S_IFREG {
            return Err(unreadable(path)(io::Error::other(
                "it changed while it was read",
            )));
        }
        let attributes = attributes_of(&file, &status, path)?;
        self.tree.check_room(path, status.st_size.cast_unsigned())?;
        let mut content = HashingReader::new(File::from(file));
        self.tree
            .file(path, &attributes, &mut content, unreadable(path))?;
        let digest = content.drain().map_err(unreadable(path))?;
        self.listing.add(path, &attributes, &Content::File(digest));
        Ok(())
    }

    fn open(&self, path: &EntryPath, flags: OFlag) -> Result<(OwnedFd, FileStat), TreeError> {
        let file = open_beneath(&self.root, path, flags | OFlag::O_NOFOLLOW, Links::Refused)
            .map_err(unreadable(path))?;
        let status = fstat(&file).map_err(|error| unreadable(path)(error.into()))?;
        Ok((file, status))
    }
}

/// What became of an entry.
#[derive(PartialEq, Eq)]
enum Entered {
    Done,
    Directory,
}

/// The names in a directory, sorted by their bytes.
pub(crate) fn names_in(directory: OwnedFd) -> io::Result<Vec<OsString>> {
    let mut directory = Dir::from_fd(directory)?;
    let mut names = Vec::new();
    for entry in directory.iter() {
        let name = entry?.file_name().to_bytes().to_owned();
        if name != b"." && name != b".." {
            names.push(OsString::from_vec(name));
        }
    }
    names.sort();
    Ok(names)
}

/// The attributes of something that was opened.
pub(crate) fn attributes_of(
    file: impl AsFd,
    status: &FileStat,
    path: &EntryPath,
) -> Result<Attributes, TreeError> {
    Ok(Attributes {
        extended: read_extended(file).map_err(unreadable(path))?,
        ..plain_attributes(status)
    })
}

/// The attributes of something that is not opened, and so has no extended ones that are kept.
pub(crate) fn plain_attributes(status: &FileStat) -> Attributes {
    Attributes {
        mode: status.st_mode & 0o7777,
        owner: status.st_uid,
        group: status.st_gid,
        modified: TimeSpec::new(status.st_mtime, status.st_mtime_nsec),
        extended: Vec::new(),
    }
}

/// Which file it is.
pub(crate) fn identity(status: &FileStat) -> Identity {
    (status.st_dev, status.st_ino)
}

/// What kind of file it is.
pub(crate) fn kind_of(status: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT
}

fn unreadable(path: &EntryPath) -> impl Fn(io::Error) -> TreeError {
    move |source| TreeError::Read {
        path: path.to_string(),
        source,
    }
}
