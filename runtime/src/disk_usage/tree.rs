//! The size of everything below a directory.
//!
//! Programs may write there meanwhile, and may want us to look elsewhere. So directories are opened one below the other, no
//! symbolic link is followed and no mount is entered (`openat2`), and what vanishes is not counted.

use nix::dir::{Dir, Type};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{FileStat, SFlag, fstatat};
use std::collections::HashSet;
use std::ffi::CString;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// How deep directories are opened one below the other. What lies deeper is not counted: each costs a descriptor.
const DEEPEST: usize = 500;

/// The sum of the lengths of all files below a directory that are no directories themselves; 0 if it does not exist.
pub(crate) fn tree_size(path: &Path) -> io::Result<u64> {
    let root = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW)
        .open(path);
    let root = match root {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        root => OwnedFd::from(root?),
    };
    let mut counting = Counting::default();
    let mut levels = vec![counting.level(root)?];
    while let Some(level) = levels.last_mut() {
        let Some(name) = level.subdirectories.pop() else {
            levels.pop();
            continue;
        };
        if let Some(directory) = open_below(&level.directory, &name)?
            && levels.len() < DEEPEST
        {
            let level = counting.level(directory)?;
            levels.push(level);
        }
    }
    Ok(counting.bytes)
}

/// A directory, and those in it that are still to be looked at.
struct Level {
    directory: OwnedFd,
    subdirectories: Vec<CString>,
}

#[derive(Default)]
struct Counting {
    bytes: u64,
    /// The files with several names that were met already.
    met: HashSet<(u64, u64)>,
}

impl Counting {
    /// Counts the files of a directory.
    fn level(&mut self, directory: OwnedFd) -> io::Result<Level> {
        let mut subdirectories = Vec::new();
        let mut listing = Dir::from_fd(directory.try_clone()?)?;
        for entry in listing.iter() {
            let entry = entry?;
            let name = entry.file_name();
            if [c".", c".."].contains(&name) {
                continue;
            }
            if entry.file_type() == Some(Type::Directory) {
                subdirectories.push(name.to_owned());
                continue;
            }
            match fstatat(&directory, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
                Ok(found) if is_directory(&found) => subdirectories.push(name.to_owned()),
                Ok(found) => self.count(&found),
                Err(Errno::ENOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Level {
            directory,
            subdirectories,
        })
    }

    fn count(&mut self, file: &FileStat) {
        if file.st_nlink > 1 && !self.met.insert((file.st_dev, file.st_ino)) {
            return;
        }
        self.bytes = self
            .bytes
            .saturating_add(u64::try_from(file.st_size).unwrap_or_default());
    }
}

fn is_directory(found: &FileStat) -> bool {
    SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT == SFlag::S_IFDIR
}

/// A directory in another one; none if it is gone, was replaced, or something is mounted on it.
fn open_below(directory: &OwnedFd, name: &CString) -> io::Result<Option<OwnedFd>> {
    let how = OpenHow::new()
        .flags(OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC)
        .resolve(
            ResolveFlag::RESOLVE_BENEATH
                | ResolveFlag::RESOLVE_NO_SYMLINKS
                | ResolveFlag::RESOLVE_NO_XDEV,
        );
    loop {
        return match openat2(directory.as_fd(), name.as_c_str(), how) {
            // The kernel could not prove the answer because something was renamed meanwhile.
            Err(Errno::EAGAIN | Errno::EINTR) => continue,
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP | Errno::EXDEV) => Ok(None),
            Err(error) => Err(error.into()),
            Ok(opened) => Ok(Some(opened)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn files_are_counted_once_and_links_are_not_followed() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path().join("root");
        fs::create_dir_all(root.join("a/b")).expect("made");
        fs::write(root.join("one"), [0; 100]).expect("room");
        fs::write(root.join("a/b/two"), [0; 20]).expect("room");
        fs::hard_link(root.join("one"), root.join("a/again")).expect("a link");
        fs::write(directory.path().join("outside"), [0; 4000]).expect("room");
        symlink("..", root.join("up")).expect("a link");
        symlink("../outside", root.join("a/out")).expect("a link");
        let links = "..".len() + "../outside".len();
        assert_eq!(tree_size(&root).expect("readable"), 120 + links as u64);
        assert_eq!(
            tree_size(&directory.path().join("absent")).expect("no error"),
            0
        );
    }

    #[test]
    fn no_depth_is_too_much() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut here: OwnedFd = fs::File::open(directory.path()).expect("open").into();
        for _ in 0..DEEPEST + 100 {
            nix::sys::stat::mkdirat(&here, "d", nix::sys::stat::Mode::S_IRWXU).expect("made");
            here = open_below(&here, &c"d".to_owned())
                .expect("open")
                .expect("there");
        }
        assert_eq!(tree_size(directory.path()).expect("readable"), 0);
    }
}
