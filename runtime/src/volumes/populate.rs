//! Filling an empty volume with what the image has at its destination, as Docker does.
//!
//! 1. The content is copied to `_new`, which is renamed to `_ready` when it is whole.
//! 2. Each entry is renamed from `_ready` into `_data`, and `_data` gets owner and mode of the image's directory.
//! 3. Whoever finds `_new` throws it away; whoever finds `_ready` moves on. So a killed command leaves neither half a content behind nor
//!    touches what another container wrote meanwhile.

use std::ffi::CString;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use super::error::VolumeError;
use super::store::VolumeStore;
use crate::error::RuntimeError;
use crate::image::copy_from_layers;
use crate::storage::{Destination, VolumeName};
use crate::tree_removal::remove_tree;

const NEW: &str = "_new";
const READY: &str = "_ready";

impl VolumeStore {
    /// Fills a volume if it is empty and the image has such a directory. The caller holds its lock.
    pub(super) fn populate(
        &self,
        name: &VolumeName,
        layers: &[PathBuf],
        destination: &Destination,
    ) -> Result<(), RuntimeError> {
        let (new, ready) = (self.path(name).join(NEW), self.path(name).join(READY));
        let data = self.data(name);
        let cannot = |error| RuntimeError::file("fill", &data, error);
        if !ready.exists() {
            remove(&new).map_err(cannot)?;
            if !is_empty(&data).map_err(cannot)? {
                return Ok(());
            }
            fs::create_dir(&new).map_err(cannot)?;
            let copied = copy_from_layers(layers, Path::new(destination.as_str()), &new);
            match copied {
                Ok(true) => fs::rename(&new, &ready).map_err(cannot)?,
                Ok(false) => return fs::remove_dir(&new).map_err(cannot),
                Err(source) => {
                    // What remains is thrown away the next time.
                    let _ = remove(&new);
                    return Err(VolumeError::Populate {
                        name: name.clone(),
                        source,
                    }
                    .into());
                }
            }
        }
        move_in(&ready, &data).map_err(cannot)
    }
}

fn is_empty(directory: &Path) -> io::Result<bool> {
    Ok(fs::read_dir(directory)?.next().is_none())
}

fn remove(directory: &Path) -> io::Result<()> {
    match remove_tree(directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What stands in `data` under the same name was written by a container and stays.
fn move_in(ready: &Path, data: &Path) -> io::Result<()> {
    for entry in fs::read_dir(ready)? {
        let entry = entry?;
        match rename_no_replace(&entry.path(), &data.join(entry.file_name())) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    let like = fs::metadata(ready)?;
    chown(data, Some(like.uid()), Some(like.gid()))?;
    fs::set_permissions(data, fs::Permissions::from_mode(like.mode() & 0o7777))?;
    remove(ready)
}

fn rename_no_replace(from: &Path, to: &Path) -> io::Result<()> {
    let word = |path: &Path| CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other);
    let (from, to) = (word(from)?, word(to)?);
    // SAFETY: both pointers name C strings that outlive the call.
    let result = unsafe {
        libc::renameat2(
            libc::AT_FDCWD,
            from.as_ptr(),
            libc::AT_FDCWD,
            to.as_ptr(),
            libc::RENAME_NOREPLACE,
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
