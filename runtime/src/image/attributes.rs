//! Who owns a file, what may be done with it and when it was changed.

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::sys::stat::{FchmodatFlags, Mode, UtimensatFlags, fchmod, fchmodat, futimens, utimensat};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, fchown, fchownat};

use super::entry_path::EntryPath;
use super::tree_error::TreeError;

/// The one attribute of the `security.` family that makes sense on another machine: file capabilities.
pub(crate) const CAPABILITY: &[u8] = b"security.capability";

/// The attribute by which an overlay knows a directory that hides its namesakes in lower layers. Never taken from an archive.
pub(crate) const OPAQUE: &CStr = c"trusted.overlay.opaque";

/// What a file system keeps of a file besides its name and content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attributes {
    /// The twelve permission bits, set-user-id and its like included.
    pub(crate) mode: u32,
    /// The numeric owner.
    pub(crate) owner: u32,
    /// The numeric group.
    pub(crate) group: u32,
    /// When the content was changed, since the epoch.
    pub(crate) modified: TimeSpec,
    /// Extended attributes by name, only those that [`is_kept`].
    pub(crate) extended: Vec<(CString, Vec<u8>)>,
}

/// Whether an extended attribute goes into a layer: file capabilities and what users set. Those that overlayfs reads would let an
/// image redirect directories, and the rest belongs to the machine the image was made on.
pub(crate) fn is_kept(name: &[u8]) -> bool {
    name == CAPABILITY || name.starts_with(b"user.") && !name.starts_with(b"user.overlay.")
}

impl Attributes {
    /// Those of something that is a mark and nothing else.
    pub(crate) fn of_nobody() -> Self {
        Self {
            mode: 0,
            owner: 0,
            group: 0,
            modified: TimeSpec::new(0, 0),
            extended: Vec::new(),
        }
    }

    /// Gives a file or directory these attributes.
    ///
    /// The owner comes first because a change of owner takes set-user-id bits and file capabilities away.
    pub(crate) fn set(&self, file: impl AsFd, path: &EntryPath) -> Result<(), TreeError> {
        let file = file.as_fd();
        fchown(file, Some(self.uid()), Some(self.gid())).map_err(failed("owner", path))?;
        fchmod(file, self.permissions()).map_err(failed("mode", path))?;
        self.set_extended_only(file, path)?;
        futimens(file, &self.modified, &self.modified).map_err(failed("time", path))
    }

    /// Gives a file or directory the extended attributes and nothing else.
    pub(crate) fn set_extended_only(
        &self,
        file: impl AsFd,
        path: &EntryPath,
    ) -> Result<(), TreeError> {
        self.extended.iter().try_for_each(|(name, value)| {
            set_extended(file.as_fd(), name, value).map_err(failed("extended attribute", path))
        })
    }

    /// Gives these attributes to something that is not opened: a FIFO just made as `name` in `directory`.
    pub(crate) fn set_on_special(
        &self,
        directory: BorrowedFd<'_>,
        name: &OsStr,
        path: &EntryPath,
    ) -> Result<(), TreeError> {
        self.set_owner_at(directory, name, path)?;
        fchmodat(
            directory,
            name,
            self.permissions(),
            FchmodatFlags::FollowSymlink,
        )
        .map_err(failed("mode", path))?;
        self.set_time_at(directory, name, path)
    }

    /// Gives a symbolic link what it can have: owner and time.
    pub(crate) fn set_on_link(
        &self,
        directory: BorrowedFd<'_>,
        name: &OsStr,
        path: &EntryPath,
    ) -> Result<(), TreeError> {
        self.set_owner_at(directory, name, path)?;
        self.set_time_at(directory, name, path)
    }

    fn set_owner_at(
        &self,
        directory: BorrowedFd<'_>,
        name: &OsStr,
        path: &EntryPath,
    ) -> Result<(), TreeError> {
        let flags = AtFlags::AT_SYMLINK_NOFOLLOW;
        fchownat(directory, name, Some(self.uid()), Some(self.gid()), flags)
            .map_err(failed("owner", path))
    }

    fn set_time_at(
        &self,
        directory: BorrowedFd<'_>,
        name: &OsStr,
        path: &EntryPath,
    ) -> Result<(), TreeError> {
        let (time, flags) = (&self.modified, UtimensatFlags::NoFollowSymlink);
        utimensat(directory, name, time, time, flags).map_err(failed("time", path))
    }

    fn uid(&self) -> Uid {
        Uid::from_raw(self.owner)
    }

    fn gid(&self) -> Gid {
        Gid::from_raw(self.group)
    }

    fn permissions(&self) -> Mode {
        Mode::from_bits_truncate(self.mode)
    }
}

/// Says which attribute of which path could not be set.
fn failed(attribute: &'static str, path: &EntryPath) -> impl FnOnce(Errno) -> TreeError {
    move |error| TreeError::Attribute {
        attribute,
        path: path.to_string(),
        source: error.into(),
    }
}

fn set_extended(file: BorrowedFd<'_>, name: &CStr, value: &[u8]) -> Result<(), Errno> {
    // SAFETY: the name ends in a zero byte, the value is as long as said, and the call keeps neither.
    let outcome = unsafe {
        libc::fsetxattr(
            file.as_raw_fd(),
            name.as_ptr(),
            value.as_ptr().cast(),
            value.len(),
            0,
        )
    };
    match Errno::result(outcome) {
        // A file system without user attributes loses remarks only; without capabilities programs would stop working.
        Err(Errno::EOPNOTSUPP) if name.to_bytes() != CAPABILITY => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// Reads the extended attributes that [`is_kept`], sorted by name.
pub(crate) fn read_extended(file: impl AsFd) -> io::Result<Vec<(CString, Vec<u8>)>> {
    let file = file.as_fd();
    // SAFETY: the buffer is as long as said and the call writes at most that much.
    let names = match fill(|buffer| unsafe {
        libc::flistxattr(file.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len())
    }) {
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => return Ok(Vec::new()),
        names => names?,
    };
    let mut kept = Vec::new();
    for name in names.split_inclusive(|byte| *byte == 0) {
        let Ok(name) = CStr::from_bytes_with_nul(name) else {
            continue;
        };
        if is_kept(name.to_bytes()) {
            // It may have been removed since.
            kept.extend(read_one(file, name)?.map(|value| (name.to_owned(), value)));
        }
    }
    kept.sort();
    Ok(kept)
}

/// Reads one extended attribute; none if the file has no such.
pub(crate) fn read_one(file: impl AsFd, name: &CStr) -> io::Result<Option<Vec<u8>>> {
    let file = file.as_fd();
    // SAFETY: the name ends in a zero byte, the buffer is as long as said and the call writes at most that much.
    let value = fill(|buffer| unsafe {
        let (start, length) = (buffer.as_mut_ptr().cast(), buffer.len());
        libc::fgetxattr(file.as_raw_fd(), name.as_ptr(), start, length)
    });
    match value {
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENODATA | libc::EOPNOTSUPP)) => {
            Ok(None)
        }
        value => value.map(Some),
    }
}

/// Calls with buffers that grow until the answer fits; 64 KiB is the kernel's own limit.
fn fill(mut call: impl FnMut(&mut [u8]) -> isize) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; 1024];
    loop {
        match usize::try_from(call(&mut buffer)) {
            Ok(length) => {
                buffer.truncate(length);
                return Ok(buffer);
            }
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.raw_os_error() != Some(libc::ERANGE) || buffer.len() > 64 * 1024 {
                    return Err(error);
                }
                buffer.resize(buffer.len() * 4, 0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_capabilities_and_what_users_set_are_kept() {
        assert!(is_kept(b"security.capability"));
        assert!(is_kept(b"user.mime_type"));
        assert!(!is_kept(b"user.overlay.redirect"));
        assert!(!is_kept(b"trusted.overlay.opaque"));
        assert!(!is_kept(b"security.selinux"));
    }
}
