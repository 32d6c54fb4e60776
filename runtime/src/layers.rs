//! Reads one file out of a stack of layers as overlayfs would show it, without mounting anything.
//!
//! Theory of operation
//!
//! 1. A path is walked one name at a time; symbolic links are followed by hand and start again at the top of the
//!    stack, never at the host's root. No name that is opened holds a slash or is `..`, so nothing leads out.
//! 2. A directory of the merged view is the list of its directories in the layers, top first.
//! 3. A whiteout (character device 0/0) hides the name in all lower layers; so does a file over a directory; an
//!    opaque directory hides its lower namesakes.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, openat, readlinkat};
use nix::sys::stat::{Mode, SFlag, fstat};

use crate::image::walk::open_location;

/// As many symbolic links as the kernel itself follows in one path.
const MOST_LINKS: usize = 40;

/// Why a file could not be read from the layers.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The directory that holds a layer cannot be opened.
    #[error("cannot open the layer `{}`: {source}", path.display())]
    Layer {
        /// The layer's directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Something on the way to the file, or the file, cannot be read.
    #[error("cannot read `/{}` of the image: {source}", path.display())]
    Read {
        /// The path inside the container.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The path leads through a ring of symbolic links.
    #[error("cannot read `/{}` of the image: too many symbolic links", .0.display())]
    TooManyLinks(PathBuf),
    /// The path leads to a directory, a pipe or a device.
    #[error("cannot read `/{}` of the image: it is not a regular file", .0.display())]
    NotRegular(PathBuf),
    /// The file is larger than the caller is ready to hold in memory.
    #[error("cannot read `/{}` of the image: it has more than {limit} bytes", path.display())]
    TooLarge {
        /// The path inside the container.
        path: PathBuf,
        /// The most that would have been read, in bytes.
        limit: u64,
    },
}

/// Reads the file at `path` (inside the container; relative to its root) from `layers`, topmost first. `None` when the
/// merged view has no such file. At most `limit` bytes are read; a larger file is an error.
pub fn read_file(
    layers: &[PathBuf],
    path: &Path,
    limit: u64,
) -> Result<Option<Vec<u8>>, LayerError> {
    let Some(file) = open_file(layers, path)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    let count = File::from(file)
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| read_error(path, source))?;
    if count as u64 > limit {
        return Err(LayerError::TooLarge {
            path: path.to_owned(),
            limit,
        });
    }
    Ok(Some(bytes))
}

/// One directory of the merged view: its directories in the layers, top first.
pub(crate) type MergedDirectory = Vec<OwnedFd>;

/// What a name in a merged directory is.
pub(crate) enum Entry {
    /// Nothing.
    Missing,
    /// A directory.
    Directory(MergedDirectory),
    /// A symbolic link, with its target.
    Link(OsString),
    /// Anything else.
    File(OwnedFd),
}

/// The directory at `path` (inside the container) as overlayfs would show it; `None` when the merged view has no such directory.
pub(crate) fn find_directory(
    layers: &[PathBuf],
    path: &Path,
) -> Result<Option<MergedDirectory>, LayerError> {
    match walk(layers, path)? {
        Some(Found::Directory(found)) => Ok(Some(found)),
        Some(Found::File(_)) | None => Ok(None),
    }
}

/// What stands at the end of a path.
enum Found {
    Directory(MergedDirectory),
    File(OwnedFd),
}

/// Walks to the file and opens it for reading.
fn open_file(layers: &[PathBuf], path: &Path) -> Result<Option<OwnedFd>, LayerError> {
    match walk(layers, path)? {
        Some(Found::File(file)) => check_regular(file, path).map(Some),
        Some(Found::Directory(_)) => Err(LayerError::NotRegular(path.to_owned())),
        None => Ok(None),
    }
}

fn walk(layers: &[PathBuf], path: &Path) -> Result<Option<Found>, LayerError> {
    let mut way: Vec<MergedDirectory> = vec![open_layers(layers)?];
    let mut names: VecDeque<OsString> = split(path.as_os_str());
    let mut links = 0;
    while let Some(name) = names.pop_front() {
        if name == ".." {
            way.truncate((way.len() - 1).max(1));
            continue;
        }
        let Some(directory) = way.last() else {
            return Ok(None);
        };
        match look_up(directory, &name).map_err(|errno| read_error(path, errno.into()))? {
            Entry::Missing => return Ok(None),
            Entry::Directory(found) => way.push(found),
            Entry::Link(target) => {
                links += 1;
                if links > MOST_LINKS {
                    return Err(LayerError::TooManyLinks(path.to_owned()));
                }
                if target.as_bytes().starts_with(b"/") {
                    way.truncate(1);
                }
                let mut rest = split(&target);
                rest.append(&mut names);
                names = rest;
            }
            Entry::File(file) if names.is_empty() => return Ok(Some(Found::File(file))),
            Entry::File(_) => return Ok(None),
        }
    }
    Ok(way.pop().map(Found::Directory))
}

/// Opens the roots of all layers.
pub(crate) fn open_layers(layers: &[PathBuf]) -> Result<MergedDirectory, LayerError> {
    let open = |layer: &PathBuf| {
        open_at(AT_FDCWD, layer.as_os_str(), OFlag::O_DIRECTORY).map_err(|errno| {
            LayerError::Layer {
                path: layer.clone(),
                source: errno.into(),
            }
        })
    };
    layers.iter().map(open).collect()
}

/// Finds what `name`, a single component, is in the merged directory.
pub(crate) fn look_up(directory: &[OwnedFd], name: &OsStr) -> Result<Entry, Errno> {
    let mut found = MergedDirectory::new();
    for layer in directory {
        let handle = match open_at(layer, name, OFlag::O_PATH | OFlag::O_NOFOLLOW) {
            Ok(handle) => handle,
            Err(Errno::ENOENT) => continue,
            Err(errno) => return Err(errno),
        };
        let status = fstat(&handle)?;
        let kind = SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT;
        if kind == SFlag::S_IFDIR {
            let opened = open_at(&handle, OsStr::new("."), OFlag::O_DIRECTORY)?;
            let opaque = is_opaque(&opened);
            found.push(opened);
            if opaque {
                break;
            }
            continue;
        }
        if !found.is_empty() || (kind == SFlag::S_IFCHR && status.st_rdev == 0) {
            break;
        }
        return match kind {
            SFlag::S_IFLNK => readlinkat(&handle, "").map(Entry::Link),
            // By the name it could be something else by now, and to open a device can do much.
            SFlag::S_IFREG => open_location(&handle)
                .map(|file| Entry::File(file.into()))
                .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO))),
            _ => Ok(Entry::File(handle)),
        };
    }
    Ok(if found.is_empty() {
        Entry::Missing
    } else {
        Entry::Directory(found)
    })
}

/// Opens for reading. A running container may swap the file for a pipe or a terminal meanwhile, which must neither
/// block nor become ours.
pub(crate) fn open_at(directory: impl AsFd, name: &OsStr, flags: OFlag) -> Result<OwnedFd, Errno> {
    let always = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    // O_PATH takes none of the flags that are about reading.
    let flags = if flags.contains(OFlag::O_PATH) {
        flags | OFlag::O_CLOEXEC
    } else {
        flags | always
    };
    openat(directory, name, flags, Mode::empty())
}

/// Whether overlayfs hides everything beneath this directory in lower layers.
fn is_opaque(directory: &OwnedFd) -> bool {
    let mut value = [0_u8; 1];
    // SAFETY: the name is a C string, and the kernel writes at most `value.len()` bytes into `value`, which outlives
    // the call.
    let length = unsafe {
        libc::fgetxattr(
            directory.as_raw_fd(),
            c"trusted.overlay.opaque".as_ptr(),
            value.as_mut_ptr().cast(),
            value.len(),
        )
    };
    length == 1 && value[0] == b'y'
}

fn check_regular(file: OwnedFd, path: &Path) -> Result<OwnedFd, LayerError> {
    let status = fstat(&file).map_err(|errno| read_error(path, errno.into()))?;
    if SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG {
        Ok(file)
    } else {
        Err(LayerError::NotRegular(path.to_owned()))
    }
}

fn read_error(path: &Path, source: io::Error) -> LayerError {
    LayerError::Read {
        path: path.to_owned(),
        source,
    }
}

/// The names of a path, without the empty ones and `.`; `..` stays.
fn split(path: &OsStr) -> VecDeque<OsString> {
    path.as_bytes()
        .split(|byte| *byte == b'/')
        .filter(|name| !name.is_empty() && *name != b".")
        .map(|name| OsStr::from_bytes(name).to_owned())
        .collect()
}

#[cfg(test)]
mod tests;
