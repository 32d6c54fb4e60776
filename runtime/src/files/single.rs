//! The attributes of what is never opened, symbolic links and FIFOs, set through a location and so on nothing else.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat};
use nix::sys::stat::{FchmodatFlags, Mode, SFlag, fchmodat, fstat};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, fchownat};

use crate::image::attributes::Attributes;
use crate::image::copy::kind_of;

/// Gives the attributes to something of this kind, made just now under this name.
///
/// # Errors
/// The kernel's; `EINVAL` if somebody has put something of another kind in its place.
pub(super) fn set_attributes(
    directory: BorrowedFd<'_>,
    (name, kind): (&OsStr, SFlag),
    attributes: &Attributes,
) -> io::Result<()> {
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let location = openat(directory, name, flags, Mode::empty())?;
    if kind_of(&fstat(&location)?) != kind {
        return Err(Errno::EINVAL.into());
    }
    let (owner, group) = (attributes.owner, attributes.group);
    let (owner, group) = (Some(Uid::from_raw(owner)), Some(Gid::from_raw(group)));
    fchownat(&location, "", owner, group, AtFlags::AT_EMPTY_PATH)?;
    if kind != SFlag::S_IFLNK {
        let path = format!("/proc/self/fd/{}", location.as_raw_fd());
        let mode = Mode::from_bits_truncate(attributes.mode);
        fchmodat(AT_FDCWD, path.as_str(), mode, FchmodatFlags::FollowSymlink)?;
    }
    set_time(&location, &attributes.modified)
}

fn set_time(location: &OwnedFd, time: &TimeSpec) -> io::Result<()> {
    let times = [*time.as_ref(), *time.as_ref()];
    // SAFETY: the pointers name an empty C string and the two times that the call reads.
    let outcome = unsafe {
        libc::utimensat(
            location.as_raw_fd(),
            c"".as_ptr(),
            times.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    };
    Errno::result(outcome).map(drop).map_err(io::Error::from)
}

/// Whether something is mounted on the name, if it is there.
///
/// # Errors
/// The kernel's.
pub(super) fn is_mount_point(location: &OwnedFd) -> io::Result<bool> {
    // SAFETY: statx is plain data, for which all zeroes is a value.
    let mut found: libc::statx = unsafe { std::mem::zeroed() };
    // SAFETY: the pointers name an empty C string and the place where one statx is written.
    let outcome = unsafe {
        libc::statx(
            location.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            0,
            &raw mut found,
        )
    };
    Errno::result(outcome)?;
    Ok(found.stx_attributes & libc::STATX_ATTR_MOUNT_ROOT as u64 != 0)
}
