//! Removing a tree that a container has written, which may be as deep as it likes.
//!
//! A directory may lie deeper than there are descriptors, and deeper than recursion reaches: only its path is limited, and nobody has to
//! name it by that. What lies too deep is moved to the top before it is removed. No symbolic link is followed.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, RenameFlags, openat, renameat2};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::image::copy::names_in;

/// How deep a tree is removed without moving parts of it.
const DEPTH: usize = 64;

/// Removes a directory and everything in it.
///
/// # Errors
/// The kernel's; `NotFound` if there is no such directory.
pub(crate) fn remove_tree(directory: &Path) -> io::Result<()> {
    let top = open(AT_FDCWD, directory)?;
    let mut removal = Removal {
        top: top.as_fd(),
        moved: 0,
    };
    loop {
        let before = removal.moved;
        removal.empty(top.as_fd(), DEPTH)?;
        if removal.moved == before {
            break;
        }
    }
    fs::remove_dir(directory)
}

struct Removal<'a> {
    top: BorrowedFd<'a>,
    /// How many directories were moved to the top.
    moved: u64,
}

impl Removal<'_> {
    /// Removes what is in a directory that has this many levels to go.
    fn empty(&mut self, directory: BorrowedFd<'_>, levels: usize) -> io::Result<()> {
        for name in names_in(open(directory, ".".as_ref())?)? {
            match unlinkat(directory, name.as_os_str(), UnlinkatFlags::NoRemoveDir) {
                Ok(()) | Err(Errno::ENOENT) => continue,
                // It is a directory; POSIX has the second answer for that.
                Err(Errno::EISDIR | Errno::EPERM) => {}
                Err(error) => return Err(error.into()),
            }
            // Many are empty.
            if unlinkat(directory, name.as_os_str(), UnlinkatFlags::RemoveDir).is_ok() {
                continue;
            }
            if levels == 0 {
                self.move_to_top(directory, name.as_ref())?;
                continue;
            }
            let below = open(directory, name.as_ref())?;
            self.empty(below.as_fd(), levels - 1)?;
            unlinkat(directory, name.as_os_str(), UnlinkatFlags::RemoveDir)?;
        }
        Ok(())
    }

    /// Gives a directory a name at the top that nothing there has.
    fn move_to_top(&mut self, directory: BorrowedFd<'_>, name: &Path) -> io::Result<()> {
        loop {
            self.moved += 1;
            let new = format!(".removed-{}", self.moved);
            let flags = RenameFlags::RENAME_NOREPLACE;
            match renameat2(directory, name, self.top, new.as_str(), flags) {
                Err(Errno::EEXIST) => {}
                outcome => return Ok(outcome?),
            }
        }
    }
}

fn open(directory: impl AsFd, path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    Ok(openat(directory, path, flags, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use nix::sys::stat::mkdirat;

    use super::*;

    #[test]
    fn a_tree_deeper_than_there_are_descriptors_goes_and_what_its_links_lead_to_stays() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("kept"), "x").unwrap();
        let place = tempfile::tempdir().unwrap();
        let top = place.path().join("top");
        fs::create_dir(&top).unwrap();
        // A name of its own that the removal would give.
        fs::create_dir(top.join(".removed-1")).unwrap();
        let mut deepest = open(AT_FDCWD, &top).unwrap();
        for _ in 0..5000 {
            mkdirat(&deepest, "directory", Mode::S_IRWXU).unwrap();
            deepest = open(&deepest, "directory".as_ref()).unwrap();
            nix::unistd::symlinkat(outside.path(), &deepest, "link").unwrap();
        }
        symlink(outside.path(), top.join("link")).unwrap();
        remove_tree(&top).unwrap();
        assert!(!top.exists());
        assert!(outside.path().join("kept").exists());
        assert_eq!(
            remove_tree(&top).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }

    #[test]
    fn a_link_in_the_place_of_the_tree_is_not_followed() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("kept")).unwrap();
        symlink("kept", place.path().join("link")).unwrap();
        assert!(remove_tree(&place.path().join("link")).is_err());
        assert!(place.path().join("kept").exists());
    }
}
