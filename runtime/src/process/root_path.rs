//! Paths below the new root, which an image may have filled with symbolic links to anywhere.
//!
//! The kernel resolves them as if the new root were the root already (`openat2` with `RESOLVE_IN_ROOT`). It cannot
//! create on the way, so missing parts are made by a walk of our own that looks at one component at a time. Nothing of
//! the image runs at that time; but a volume that is mounted already may be changed by another container meanwhile. So
//! every directory is opened anew below the root, without following links, before something is made in it, and again at
//! the end: what changes under the walk makes it fail, or make an empty directory elsewhere in the same volume.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;

use super::path_buffer::{PendingPath, VisitedPath};
use super::system_call::{self, OpenHow};

/// What to do about a symbolic link on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Links {
    /// Follow it, but never out of the root.
    Follow,
    /// Fail with `ELOOP`.
    Refuse,
}

/// What a missing last component becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeKind {
    Directory,
    File,
}

/// As many as the kernel allows in one path.
const MOST_LINKS: u32 = 40;

/// Opens what `path` names below `root` as a mere location (`O_PATH`).
pub(super) fn locate(root: BorrowedFd<'_>, path: &CStr, links: Links) -> Result<OwnedFd, Errno> {
    let resolve = match links {
        Links::Follow => libc::RESOLVE_IN_ROOT | libc::RESOLVE_NO_MAGICLINKS,
        Links::Refuse => libc::RESOLVE_IN_ROOT | libc::RESOLVE_NO_SYMLINKS,
    };
    let how = OpenHow {
        flags: (libc::O_PATH | libc::O_CLOEXEC) as u64,
        mode: 0,
        resolve,
    };
    system_call::open_at(root, path, how)
}

/// As `locate`, but makes what is missing: directories on the way, and `kind` at the end.
pub(super) fn locate_or_create(
    root: BorrowedFd<'_>,
    path: &CStr,
    links: Links,
    kind: NodeKind,
) -> Result<OwnedFd, Errno> {
    match locate(root, path, links) {
        Err(Errno::ENOENT) => create_missing(root, path, links, kind),
        other => other,
    }
}

/// As `locate_or_create`, for what was looked for already and is not there.
///
/// Mostly no more than the last component is missing, and the kernel can find where it belongs. Where more is, or where a link that
/// leads nowhere has its name, the walk begins.
pub(super) fn create_missing(
    root: BorrowedFd<'_>,
    path: &CStr,
    links: Links,
    kind: NodeKind,
) -> Result<OwnedFd, Errno> {
    let mut whole = VisitedPath::new();
    whole.push(path.to_bytes())?;
    if create(root, &whole, links, kind).is_ok()
        && let Ok(made) = locate(root, path, links)
    {
        return Ok(made);
    }
    let location = walk(root, path, kind)?;
    match links {
        Links::Follow => Ok(location),
        Links::Refuse => locate(root, path, links),
    }
}

fn walk(root: BorrowedFd<'_>, path: &CStr, kind: NodeKind) -> Result<OwnedFd, Errno> {
    let mut pending = PendingPath::new(path.to_bytes())?;
    let mut visited = VisitedPath::new();
    let mut links_left = MOST_LINKS;
    while let Some(component) = pending.take() {
        if component == b".." {
            visited.pop();
            continue;
        }
        visited.push(component)?;
        match locate_itself(root, visited.as_c_str()) {
            Ok(node) if system_call::is_symbolic_link(&node)? => {
                links_left = links_left.checked_sub(1).ok_or(Errno::ELOOP)?;
                follow(&node, &mut visited, &mut pending)?;
            }
            Ok(_) => {}
            Err(Errno::ENOENT) => {
                let kind = if pending.is_finished() {
                    kind
                } else {
                    NodeKind::Directory
                };
                create(root, &visited, Links::Refuse, kind)?;
            }
            Err(errno) => return Err(errno),
        }
    }
    locate(root, visited.as_c_str(), Links::Refuse)
}

/// Opens a path whose parents are known to be directories, and which may itself be a symbolic link.
fn locate_itself(root: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd, Errno> {
    let how = OpenHow {
        flags: (libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC) as u64,
        mode: 0,
        resolve: libc::RESOLVE_IN_ROOT | libc::RESOLVE_NO_SYMLINKS,
    };
    system_call::open_at(root, path, how)
}

/// Replaces the link at the end of `visited` by its target, which is yet to be visited.
fn follow(
    link: &OwnedFd,
    visited: &mut VisitedPath,
    pending: &mut PendingPath,
) -> Result<(), Errno> {
    let mut target = [0; libc::PATH_MAX as usize];
    // SAFETY: the pointers name an empty C string and a buffer of the given length.
    let result = unsafe {
        libc::readlinkat(
            link.as_raw_fd(),
            c"".as_ptr(),
            target.as_mut_ptr().cast(),
            target.len(),
        )
    };
    let length = Errno::result(result)? as usize;
    let target = &target[..length];
    visited.pop();
    if target.first() == Some(&b'/') {
        visited.clear();
    }
    pending.prepend(target)
}

/// Makes a node in a directory that is there; `links` are those on the way to it.
fn create(
    root: BorrowedFd<'_>,
    path: &VisitedPath,
    links: Links,
    kind: NodeKind,
) -> Result<(), Errno> {
    let mut parent = VisitedPath::new();
    if !path.parent().is_empty() {
        parent.push(path.parent())?;
    }
    let parent = locate(root, parent.as_c_str(), links)?;
    // SAFETY: the pointer names a C string, and both calls only make a node in the directory.
    let result = unsafe {
        match kind {
            NodeKind::Directory => libc::mkdirat(parent.as_raw_fd(), path.name().as_ptr(), 0o755),
            NodeKind::File => libc::mknodat(
                parent.as_raw_fd(),
                path.name().as_ptr(),
                libc::S_IFREG | 0o644,
                0,
            ),
        }
    };
    match Errno::result(result) {
        // Somebody who has the same volume was faster.
        Ok(_) | Err(Errno::EEXIST) => Ok(()),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::fs::{self, File};
    use std::os::fd::AsFd;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;

    fn create_below(root: &Path, path: &str, kind: NodeKind) -> Result<OwnedFd, Errno> {
        let root = File::open(root).expect("the root opens");
        let path = CString::new(path).expect("a path");
        locate_or_create(root.as_fd(), &path, Links::Follow, kind)
    }

    #[test]
    fn missing_parts_are_made_on_the_way() {
        let root = tempfile::tempdir().expect("a directory");
        create_below(root.path(), "etc/a/hosts", NodeKind::File).expect("it is made");
        assert!(root.path().join("etc/a/hosts").is_file());
        create_below(root.path(), "./etc//b/", NodeKind::Directory).expect("it is made");
        assert!(root.path().join("etc/b").is_dir());
    }

    #[test]
    fn a_link_out_of_the_root_is_followed_within_it() {
        let outside = tempfile::tempdir().expect("a directory");
        let root = tempfile::tempdir().expect("a directory");
        symlink(outside.path(), root.path().join("etc")).expect("a link");
        create_below(root.path(), "etc/hosts", NodeKind::File).expect("it is made");
        assert_eq!(fs::read_dir(outside.path()).expect("readable").count(), 0);
        let inside = outside.path().strip_prefix("/").expect("an absolute path");
        assert!(root.path().join(inside).join("hosts").is_file());
    }

    #[test]
    fn a_dangling_relative_link_stays_inside_however_far_it_climbs() {
        let root = tempfile::tempdir().expect("a directory");
        fs::create_dir(root.path().join("etc")).expect("a directory");
        symlink(
            "../../../run/stub.conf",
            root.path().join("etc/resolv.conf"),
        )
        .expect("a link");
        create_below(root.path(), "etc/resolv.conf", NodeKind::File).expect("it is made");
        assert!(root.path().join("run/stub.conf").is_file());
    }

    #[test]
    fn what_lies_behind_a_link_to_a_directory_is_made_there() {
        let root = tempfile::tempdir().expect("a directory");
        fs::create_dir(root.path().join("run")).expect("a directory");
        symlink("/run", root.path().join("var")).expect("a link");
        create_below(root.path(), "var/lock", NodeKind::Directory).expect("it is made");
        assert!(root.path().join("run/lock").is_dir());
    }

    #[test]
    fn links_that_form_a_ring_are_an_error() {
        let root = tempfile::tempdir().expect("a directory");
        symlink("b", root.path().join("a")).expect("a link");
        symlink("a", root.path().join("b")).expect("a link");
        let result = create_below(root.path(), "a/c", NodeKind::File);
        assert_eq!(result.map(drop), Err(Errno::ELOOP));
    }

    #[test]
    fn a_refused_link_is_an_error_and_makes_nothing() {
        let root = tempfile::tempdir().expect("a directory");
        symlink("/nowhere", root.path().join("proc")).expect("a link");
        let directory = File::open(root.path()).expect("the root opens");
        let result = locate_or_create(
            directory.as_fd(),
            c"proc",
            Links::Refuse,
            NodeKind::Directory,
        );
        assert_eq!(result.map(drop), Err(Errno::ELOOP));
        assert!(!root.path().join("nowhere").exists());
    }
}
