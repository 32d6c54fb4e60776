//! Copies a directory out of an image: the merged view of its layers, without mounting them.
//!
//! What is copied is what a container would see: files with owner, mode, time and attributes, hard links as such, symbolic links as they
//! are, pipes. Sockets and devices are left out. No link is followed but those on the way to the directory, and these never out of the
//! image.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, readlinkat};
use nix::sys::stat::{SFlag, fstat};
use thiserror::Error;

use super::copy::{Identity, attributes_of, identity, kind_of, names_in, plain_attributes};
use super::entry_path::EntryPath;
use super::tree::Tree;
use super::tree_error::TreeError;
use crate::layers::{Entry, LayerError, MergedDirectory, find_directory, look_up, open_at};

/// Why a directory of an image could not be copied.
#[derive(Debug, Error)]
pub enum PopulateError {
    /// The image cannot be read.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// The copy cannot be made.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The directory that it is copied to cannot be used.
    #[error("cannot open `{}`: {source}", path.display())]
    Target {
        /// The directory.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
}

/// Copies what the directory `path` of an image holds into the empty directory `target`, which gets its owner and mode as well. Says
/// false if the image has no such directory.
///
/// # Errors
/// [`PopulateError`]; what was copied until then stays in `target`.
pub fn copy_from_layers(
    layers: &[PathBuf],
    path: &Path,
    target: &Path,
) -> Result<bool, PopulateError> {
    let Some(directory) = find_directory(layers, path)? else {
        return Ok(false);
    };
    let mut tree = Tree::begin(target).map_err(|source| PopulateError::Target {
        path: target.to_owned(),
        source,
    })?;
    let mut copier = Copier {
        root: directory,
        seen: HashMap::new(),
        tree: &mut tree,
    };
    let mut pending = vec![EntryPath::root()];
    while let Some(path) = pending.pop() {
        pending.extend(copier.directory(path)?);
    }
    tree.finish()?;
    Ok(true)
}

struct Copier<'a> {
    root: MergedDirectory,
    seen: HashMap<Identity, EntryPath>,
    tree: &'a mut Tree,
}

impl Copier<'_> {
    /// Copies a directory and what is in it, except for the directories in it, which it returns.
    fn directory(&mut self, path: EntryPath) -> Result<Vec<EntryPath>, TreeError> {
        let Some(merged) = self.open(&path)? else {
            return Ok(Vec::new());
        };
        let Some(top) = merged.first() else {
            return Ok(Vec::new());
        };
        let status = fstat(top).map_err(|error| unreadable(&path)(error.into()))?;
        let attributes = attributes_of(top, &status, &path)?;
        self.tree.directory(path.clone(), attributes)?;
        let mut directories = Vec::new();
        for name in names(&merged).map_err(unreadable(&path))? {
            let child = path.child(&name);
            let found = look_up(&merged, &name);
            match found.map_err(|error| unreadable(&child)(error.into()))? {
                Entry::Missing => {}
                Entry::Directory(_) => directories.push(child),
                Entry::Link(_) => self.symbolic_link(&child, &merged, &name)?,
                Entry::File(file) => self.file(&child, file)?,
            }
        }
        Ok(directories)
    }

    /// Opened anew from the top, so that a wide tree does not hold a descriptor for each directory in it.
    fn open(&self, path: &EntryPath) -> Result<Option<MergedDirectory>, TreeError> {
        let mut merged = None;
        for name in path.as_bytes().split(|byte| *byte == b'/') {
            let name = std::ffi::OsStr::from_bytes(name);
            let name = if name.is_empty() { ".".as_ref() } else { name };
            let above = merged.as_ref().unwrap_or(&self.root);
            match look_up(above, name).map_err(|error| unreadable(path)(error.into()))? {
                Entry::Directory(found) => merged = Some(found),
                _ => return Ok(None),
            }
        }
        Ok(merged)
    }

    fn symbolic_link(
        &mut self,
        path: &EntryPath,
        merged: &MergedDirectory,
        name: &OsString,
    ) -> Result<(), TreeError> {
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW;
        let opened = merged
            .iter()
            .find_map(|layer| open_at(layer, name, flags).ok());
        let Some(link) = opened else {
            return Ok(());
        };
        let fail = |error: nix::Error| unreadable(path)(error.into());
        let status = fstat(&link).map_err(fail)?;
        let target = readlinkat(&link, "").map_err(fail)?;
        self.tree
            .symbolic_link(path, &target, &plain_attributes(&status))
    }

    fn file(&mut self, path: &EntryPath, file: OwnedFd) -> Result<(), TreeError> {
        let status = fstat(&file).map_err(|error| unreadable(path)(error.into()))?;
        let kind = kind_of(&status);
        if kind != SFlag::S_IFREG && kind != SFlag::S_IFIFO {
            return Ok(());
        }
        if let Some(target) = self.seen.get(&identity(&status)) {
            return self.tree.hard_link(path, target);
        }
        if status.st_nlink > 1 {
            self.seen.insert(identity(&status), path.clone());
        }
        if kind == SFlag::S_IFIFO {
            return self.tree.fifo(path, &plain_attributes(&status));
        }
        let attributes = attributes_of(&file, &status, path)?;
        self.tree.check_room(path, status.st_size.cast_unsigned())?;
        self.tree
            .file(path, &attributes, &mut File::from(file), unreadable(path))?;
        Ok(())
    }
}

/// The names in all layers of a directory, each once.
fn names(merged: &MergedDirectory) -> io::Result<BTreeSet<OsString>> {
    let mut names = BTreeSet::new();
    for layer in merged {
        names.extend(names_in(layer.try_clone()?)?);
    }
    Ok(names)
}

fn unreadable(path: &EntryPath) -> impl Fn(io::Error) -> TreeError {
    move |source| TreeError::Read {
        path: path.to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use nix::sys::stat::{Mode, mknod};
    use nix::unistd::mkfifo;

    use super::*;

    /// Two empty layers, top first, a target, and a file that no image may lead to.
    fn places() -> (tempfile::TempDir, Vec<PathBuf>, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let [top, base, target] = ["top", "base", "target"].map(|name| {
            let path = directory.path().join(name);
            fs::create_dir(&path).unwrap();
            path
        });
        fs::write(directory.path().join("secret"), "secret").unwrap();
        (directory, vec![top, base], target)
    }

    fn write(layer: &Path, path: &str, text: &str) {
        let path = layer.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn the_merged_view_is_copied_with_links_and_pipes() {
        let (directory, layers, target) = places();
        write(&layers[1], "srv/data/a", "base");
        write(&layers[1], "srv/data/gone", "base");
        write(&layers[1], "srv/data/sub/b", "base");
        write(&layers[0], "srv/data/a", "top");
        let data = layers[0].join("srv/data");
        mknod(&data.join("gone"), SFlag::S_IFCHR, Mode::empty(), 0).unwrap();
        mkfifo(&data.join("pipe"), Mode::S_IRUSR).unwrap();
        fs::hard_link(data.join("a"), data.join("same")).unwrap();
        symlink(directory.path().join("secret"), data.join("link")).unwrap();
        fs::set_permissions(&data, fs::Permissions::from_mode(0o750)).unwrap();

        assert!(copy_from_layers(&layers, Path::new("/srv/data"), &target).unwrap());
        assert_eq!(fs::read_to_string(target.join("a")).unwrap(), "top");
        assert_eq!(fs::read_to_string(target.join("sub/b")).unwrap(), "base");
        assert!(!target.join("gone").exists());
        let inode = |name: &str| fs::symlink_metadata(target.join(name)).unwrap().ino();
        assert_eq!(inode("a"), inode("same"));
        let link = fs::read_link(target.join("link")).unwrap();
        assert_eq!(link, directory.path().join("secret"));
        assert_eq!(fs::metadata(&target).unwrap().mode() & 0o7777, 0o750);
        assert_eq!(fs::read_dir(&target).unwrap().count(), 5);
    }

    #[test]
    fn a_directory_behind_a_link_is_looked_for_in_the_image_only() {
        let (directory, layers, target) = places();
        write(&layers[1], "real/file", "inside");
        symlink("/real", layers[0].join("data")).unwrap();
        assert!(copy_from_layers(&layers, Path::new("/data"), &target).unwrap());
        assert_eq!(fs::read_to_string(target.join("file")).unwrap(), "inside");

        fs::remove_file(layers[0].join("data")).unwrap();
        symlink(directory.path(), layers[0].join("data")).unwrap();
        assert!(!copy_from_layers(&layers, Path::new("/data"), &target).unwrap());
        assert!(!copy_from_layers(&layers, Path::new("/real/file"), &target).unwrap());
        assert!(!copy_from_layers(&layers, Path::new("/missing"), &target).unwrap());
    }
}
