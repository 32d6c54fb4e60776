//! How much a volume holds.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::dir::Dir;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{SFlag, fstatat};

use super::store::VolumeStore;
use crate::byte_size::ByteSize;
use crate::error::RuntimeError;
use crate::storage::VolumeName;

impl VolumeStore {
    /// How many bytes the files of a volume have, each counted once however many names it has. A container may change the volume
    /// meanwhile: what is gone when it is looked at does not count, and no link leads out.
    ///
    /// # Errors
    /// When the volume itself cannot be read.
    pub fn size(&self, name: &VolumeName) -> Result<ByteSize, RuntimeError> {
        let data = self.data(name);
        let root = File::open(&data).map_err(|error| RuntimeError::file("read", &data, error))?;
        let root = OwnedFd::from(root);
        let mut seen = HashSet::new();
        let mut bytes = 0_u64;
        let mut pending = vec![PathBuf::from(".")];
        while let Some(path) = pending.pop() {
            let Ok((directories, files)) = look_into(&root, &path) else {
                continue;
            };
            pending.extend(directories);
            for (identity, size) in files {
                if seen.insert(identity) {
                    bytes = bytes.saturating_add(size);
                }
            }
        }
        Ok(ByteSize::from_bytes(bytes))
    }
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
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn files_count_once_and_links_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let store = VolumeStore::open(directory.path());
        let name: VolumeName = "db".parse().unwrap();
        let data = store.data(&name);
        fs::create_dir_all(data.join("sub")).unwrap();
        fs::write(data.join("sub/a"), [0; 1000]).unwrap();
        fs::hard_link(data.join("sub/a"), data.join("b")).unwrap();
        fs::write(directory.path().join("outside"), [0; 5000]).unwrap();
        symlink(directory.path(), data.join("out")).unwrap();
        assert_eq!(store.size(&name).unwrap().bytes(), 1000);
    }
}
