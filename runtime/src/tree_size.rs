//! How much a tree holds that a container may change meanwhile.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::dir::Dir;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{SFlag, fstatat};

/// How many bytes the files below a directory have, each counted once however many names it has. What is gone when it is looked at, or
/// lies deeper than a path reaches, does not count, and no link leads out, also none that takes a directory's place meanwhile.
pub(crate) fn size_below(root: &OwnedFd) -> u64 {
    let mut seen = HashSet::new();
    let mut bytes = 0_u64;
    let mut pending = vec![PathBuf::from(".")];
    while let Some(path) = pending.pop() {
        let Ok((directories, files)) = look_into(root, &path) else {
            continue;
        };
        pending.extend(directories);
        for (identity, size) in files {
            if seen.insert(identity) {
                bytes = bytes.saturating_add(size);
            }
        }
    }
    bytes
}

/// Device, inode and length of a file.
type Measured = ((u64, u64), u64);

fn look_into(root: &OwnedFd, path: &Path) -> io::Result<(Vec<PathBuf>, Vec<Measured>)> {
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC)
        .resolve(
            ResolveFlag::RESOLVE_BENEATH
                | ResolveFlag::RESOLVE_NO_SYMLINKS
                | ResolveFlag::RESOLVE_NO_XDEV,
        );
    let opened = openat2(root, path, how)?;
    let mut directory = Dir::from_fd(opened.try_clone()?)?;
    let (mut directories, mut files) = (Vec::new(), Vec::new());
    for entry in directory.iter() {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name == "." || name == ".." {
            continue;
        }
        let Ok(status) = fstatat(&opened, name, AtFlags::AT_SYMLINK_NOFOLLOW) else {
            continue;
        };
        match SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT {
            SFlag::S_IFDIR => directories.push(path.join(name)),
            SFlag::S_IFREG => files.push((
                (status.st_dev, status.st_ino),
                status.st_size.cast_unsigned(),
            )),
            _ => {}
        }
    }
    Ok((directories, files))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn files_count_once_and_links_do_not_lead_out() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("outside"), [0; 5000]).unwrap();
        let top = place.path().join("top");
        fs::create_dir_all(top.join("sub")).unwrap();
        fs::write(top.join("sub/a"), [0; 1000]).unwrap();
        fs::hard_link(top.join("sub/a"), top.join("b")).unwrap();
        symlink(place.path(), top.join("out")).unwrap();
        let root = OwnedFd::from(File::open(&top).unwrap());
        assert_eq!(size_below(&root), 1000);
        // As if the link had taken the place of a directory that was listed before.
        assert!(look_into(&root, Path::new("out")).is_err());
    }
}
