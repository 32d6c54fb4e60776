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
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use nix::sys::stat::mknod;
    use tempfile::TempDir;

    use super::*;

    /// Three empty layers, top first, beside a file that no container may see.
    struct Stack {
        directory: TempDir,
        layers: Vec<PathBuf>,
    }

    impl Stack {
        fn new() -> Stack {
            let directory = tempfile::tempdir().unwrap();
            let layers: Vec<PathBuf> = ["upper", "middle", "lower"]
                .iter()
                .map(|name| directory.path().join(name))
                .collect();
            for layer in &layers {
                fs::create_dir_all(layer.join("etc")).unwrap();
            }
            fs::write(directory.path().join("secret"), "secret").unwrap();
            Stack { directory, layers }
        }

        fn write(&self, layer: usize, path: &str, text: &str) {
            let path = self.layers[layer].join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn read(&self, path: &str) -> Result<Option<String>, LayerError> {
            let bytes = read_file(&self.layers, Path::new(path), 100)?;
            Ok(bytes.map(|bytes| String::from_utf8(bytes).unwrap()))
        }
    }

    #[test]
    fn the_topmost_layer_that_has_the_file_wins() {
        let stack = Stack::new();
        assert_eq!(stack.read("etc/passwd").unwrap(), None);
        stack.write(2, "etc/passwd", "lower");
        assert_eq!(stack.read("etc/passwd").unwrap().unwrap(), "lower");
        stack.write(0, "etc/passwd", "upper");
        assert_eq!(stack.read("/etc/./passwd").unwrap().unwrap(), "upper");
    }

    #[test]
    fn a_whiteout_hides_the_file_and_an_opaque_directory_hides_its_namesakes() {
        let stack = Stack::new();
        stack.write(2, "etc/passwd", "lower");
        let whiteout = stack.layers[1].join("etc/passwd");
        mknod(&whiteout, SFlag::S_IFCHR, Mode::S_IRUSR, 0).unwrap();
        assert_eq!(stack.read("etc/passwd").unwrap(), None);
        fs::remove_file(&whiteout).unwrap();

        let name = std::ffi::CString::new(stack.layers[1].join("etc").as_os_str().as_bytes());
        // SAFETY: path, name and value are valid for the call.
        let set = unsafe {
            libc::setxattr(
                name.unwrap().as_ptr(),
                c"trusted.overlay.opaque".as_ptr(),
                c"y".as_ptr().cast(),
                1,
                0,
            )
        };
        // A file system without trusted attributes cannot be overlayfs's upper layer either.
        if set == 0 {
            assert_eq!(stack.read("etc/passwd").unwrap(), None);
        }
    }

    #[test]
    fn links_are_followed_through_the_merged_view_and_never_out_of_it() {
        let stack = Stack::new();
        stack.write(1, "data/users", "middle");
        symlink("/data/users", stack.layers[2].join("etc/passwd")).unwrap();
        assert_eq!(stack.read("etc/passwd").unwrap().unwrap(), "middle");
        stack.write(0, "data/users", "upper");
        assert_eq!(stack.read("etc/passwd").unwrap().unwrap(), "upper");

        let secret = stack.directory.path().join("secret");
        for target in [
            secret.as_path(),
            Path::new("../../secret"),
            Path::new("../../../../secret"),
        ] {
            let link = stack.layers[0].join("etc/group");
            symlink(target, &link).unwrap();
            assert_eq!(stack.read("etc/group").unwrap(), None, "{target:?}");
            fs::remove_file(&link).unwrap();
        }
    }

    #[test]
    fn a_ring_of_links_a_pipe_a_directory_and_a_large_file_are_refused() {
        let stack = Stack::new();
        symlink("ring", stack.layers[0].join("etc/ring")).unwrap();
        assert!(matches!(
            stack.read("etc/ring"),
            Err(LayerError::TooManyLinks(_))
        ));
        nix::unistd::mkfifo(&stack.layers[0].join("etc/pipe"), Mode::S_IRWXU).unwrap();
        assert!(matches!(
            stack.read("etc/pipe"),
            Err(LayerError::NotRegular(_))
        ));
        assert!(matches!(stack.read("etc"), Err(LayerError::NotRegular(_))));
        stack.write(1, "etc/large", &"x".repeat(101));
        assert!(matches!(
            stack.read("etc/large"),
            Err(LayerError::TooLarge { .. })
        ));
    }

    /// A container that runs exchanges a file for a device: nothing of it may ever be opened, because opening alone has effects.
    #[test]
    fn what_takes_the_place_of_a_file_is_never_opened() {
        use nix::fcntl::{RenameFlags, renameat2};
        use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
        use std::sync::atomic::{AtomicBool, Ordering};

        let stack = Stack::new();
        stack.write(0, "etc/passwd", "upper");
        let etc = stack.layers[0].join("etc");
        let (file, pipe) = (etc.join("passwd"), etc.join("pipe"));
        nix::unistd::mkfifo(&pipe, Mode::S_IRWXU).unwrap();
        let opened = Inotify::init(InitFlags::IN_NONBLOCK).unwrap();
        opened.add_watch(&pipe, AddWatchFlags::IN_OPEN).unwrap();
        let finished = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !finished.load(Ordering::Relaxed) {
                    let flags = RenameFlags::RENAME_EXCHANGE;
                    renameat2(AT_FDCWD, &file, AT_FDCWD, &pipe, flags).unwrap();
                }
            });
            for _ in 0..20_000 {
                match stack.read("etc/passwd") {
                    Ok(Some(text)) => assert_eq!(text, "upper"),
                    Err(LayerError::NotRegular(_)) => {}
                    other => panic!("{other:?}"),
                }
            }
            finished.store(true, Ordering::Relaxed);
        });
        assert_eq!(opened.read_events().err(), Some(Errno::EAGAIN));
    }

    #[test]
    fn a_file_where_the_path_needs_a_directory_means_missing() {
        let stack = Stack::new();
        stack.write(2, "a/b", "lower");
        stack.write(0, "a", "a file");
        assert_eq!(stack.read("a/b").unwrap(), None);
    }

    #[test]
    fn a_missing_layer_is_named() {
        let error = read_file(&["/nowhere/at/all".into()], Path::new("a"), 1).unwrap_err();
        assert!(error.to_string().contains("`/nowhere/at/all`"), "{error}");
    }
}
