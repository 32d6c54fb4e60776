//! Opens paths that cannot leave the directory they start from, whatever symbolic links stand in it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};

use super::entry_path::EntryPath;

/// What becomes of symbolic links on the way to the last component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// Followed as long as they stay below the root: `lib -> usr/lib` is common in archives.
    Within,
    /// Not followed at all.
    Refused,
}

/// Opens a path below `root`. The kernel refuses with `EXDEV` or `ELOOP` whatever leads out of it.
pub(crate) fn open_beneath(
    root: impl AsFd,
    path: &EntryPath,
    flags: OFlag,
    links: Links,
) -> io::Result<OwnedFd> {
    let resolve = ResolveFlag::RESOLVE_BENEATH
        | match links {
            Links::Within => ResolveFlag::RESOLVE_NO_MAGICLINKS,
            Links::Refused => ResolveFlag::RESOLVE_NO_SYMLINKS,
        };
    let how = OpenHow::new()
        .flags(flags | OFlag::O_CLOEXEC)
        .resolve(resolve);
    loop {
        match openat2(root.as_fd(), path.as_path(), how) {
            // The kernel could not prove the answer because something was renamed meanwhile.
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            outcome => return outcome.map_err(io::Error::from),
        }
    }
}

/// Whether an error of [`open_beneath`] means that the path would have left the root.
pub(crate) fn would_leave(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EXDEV) | Some(libc::ELOOP))
}
