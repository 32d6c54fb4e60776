//! How the mounting steps are done. Called in the child: no allocation.
//!
//! A place below the new root is opened first, and then mounted on by descriptor or by standing in it, so that the name
//! is resolved once only.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;

use super::child::ChildState;
use super::init_step::FileSystemMount;
use super::option_buffer::OptionBuffer;
use super::overlay::OverlayMount;
use super::root_path::{Links, NodeKind, create_missing, locate};
use super::standard_streams::USER_NAMESPACE;
use super::system_call::{
    self, Depth, MOUNT_ATTR_IDMAP, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_RDONLY, MountAttributes, OpenHow, attach, enter_directory, mount,
    set_mount_attributes,
};

const READ_ONLY: MountAttributes = MountAttributes {
    set: MOUNT_ATTR_RDONLY,
    clear: 0,
    propagation: 0,
    user_namespace: 0,
};

/// What the mount of a single device node permits: to open it, and nothing else.
const DEVICE: MountAttributes = MountAttributes {
    set: MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
    clear: MOUNT_ATTR_NODEV,
    propagation: libc::MS_PRIVATE,
    user_namespace: 0,
};

/// The numbers of /dev/null.
const NULL_DEVICE: libc::dev_t = libc::makedev(1, 3);

pub(super) fn set_propagation(flags: libc::c_ulong) -> Result<(), Errno> {
    mount(c"none", c"/", c"", (flags, None))
}

pub(super) fn mount_overlay(overlay: &OverlayMount) -> Result<(), Errno> {
    if let Some(directory) = &overlay.directory {
        // SAFETY: the pointer names a C string.
        Errno::result(unsafe { libc::chdir(directory.as_ptr()) })?;
    }
    mount(
        c"overlay",
        &overlay.target,
        c"overlay",
        (overlay.flags, Some(&overlay.options)),
    )
}

/// Nothing of the host sees the cover: this mount namespace is the child's own, and what is mounted in it reaches no other.
pub(super) fn shift_directory(path: &CStr) -> Result<(), Errno> {
    let place = open_directory(path)?;
    let tree = system_call::clone_tree_at(place.as_fd(), Depth::Single)?;
    shift_owners(&tree)?;
    attach(&tree, place.as_fd())
}

/// The overlay has clones of its own of what it was mounted of. Itself it lies on a cover, and must be taken from there.
pub(super) fn uncover_directories(paths: &[CString], root: &CStr) -> Result<(), Errno> {
    let tree = system_call::clone_tree(root, Depth::Single)?;
    for path in paths {
        // SAFETY: the pointer names a C string.
        Errno::result(unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) })?;
    }
    attach(&tree, open_directory(root)?.as_fd())
}

/// Shows the files of a detached mount with the users of the container.
pub(super) fn shift_owners(tree: &OwnedFd) -> Result<(), Errno> {
    let shifted = MountAttributes {
        set: MOUNT_ATTR_IDMAP,
        user_namespace: USER_NAMESPACE as u64,
        ..MountAttributes::default()
    };
    set_mount_attributes(tree.as_fd(), Depth::Single, shifted)
}

pub(super) fn enter_root(state: &mut ChildState, path: &CStr) -> Result<(), Errno> {
    let root = open_directory(path)?;
    enter_directory(root.as_fd())?;
    state.set_root(root);
    Ok(())
}

/// /proc and /sys must lie where they say: what is written to them and masked in them later would go astray otherwise.
pub(super) fn mount_file_system(root: BorrowedFd<'_>, what: &FileSystemMount) -> Result<(), Errno> {
    let kind: &CStr = &what.kind;
    let links = if kind == c"proc" || kind == c"sysfs" {
        Links::Refuse
    } else {
        Links::Follow
    };
    let (place, is_of_image) = match locate(root, &what.target, links) {
        Ok(place) => (place, true),
        Err(Errno::ENOENT) => {
            let kind = NodeKind::Directory;
            (create_missing(root, &what.target, links, kind)?, false)
        }
        Err(errno) => return Err(errno),
    };
    let found = match links {
        Links::Follow => Some(check_place(root, &place)?),
        Links::Refuse => None,
    };
    let mut buffer = OptionBuffer::new();
    let data = match found {
        // A directory that the image has keeps its mode.
        Some(found) if is_of_image && kind == c"tmpfs" => {
            buffer.with_mode(&what.data, found.st_mode)?
        }
        _ => &what.data,
    };
    enter_directory(place.as_fd())?;
    mount(&what.source, c".", kind, (what.flags, Some(data)))?;
    enter_directory(root)
}

/// What an image's symbolic links lead to is neither the root, which would hide what was mounted so far, nor a file of the kernel that
/// the runtime relies on. Says what lies there.
pub(super) fn check_place(root: BorrowedFd<'_>, place: &OwnedFd) -> Result<libc::stat, Errno> {
    let (one, other) = (system_call::status(&root)?, system_call::status(place)?);
    let is_root = (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino);
    if is_root || system_call::is_on(place, libc::PROC_SUPER_MAGIC)? {
        return Err(Errno::EXDEV);
    }
    Ok(other)
}

/// Mounts a device node over itself, so that it can be opened whatever the mount that it lies on says.
pub(super) fn allow_device(node: &OwnedFd) -> Result<(), Errno> {
    show_device(node.as_fd(), node.as_fd())
}

/// Mounts a device node at a place, where it can be opened.
pub(super) fn show_device(node: BorrowedFd<'_>, place: BorrowedFd<'_>) -> Result<(), Errno> {
    let tree = system_call::clone_tree_at(node, Depth::Single)?;
    set_mount_attributes(tree.as_fd(), Depth::Single, DEVICE)?;
    attach(&tree, place)
}

/// The old root comes to lie over the new one and is taken off again, so no directory for it is needed.
pub(super) fn pivot(state: &mut ChildState) -> Result<(), Errno> {
    enter_directory(state.root()?)?;
    // SAFETY: both pointers name C strings.
    let result = unsafe { libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr()) };
    Errno::result(result)?;
    // SAFETY: the pointer names a C string.
    Errno::result(unsafe { libc::umount2(c".".as_ptr(), libc::MNT_DETACH) })?;
    enter_root(state, c"/")
}

pub(super) fn make_root_read_only(root: BorrowedFd<'_>) -> Result<(), Errno> {
    set_mount_attributes(root, Depth::Single, READ_ONLY)
}

pub(super) fn make_read_only(root: BorrowedFd<'_>, path: &CStr) -> Result<(), Errno> {
    let Some(place) = if_present(locate(root, path, Links::Follow))? else {
        return Ok(());
    };
    let tree = system_call::clone_tree_at(place.as_fd(), Depth::Recursive)?;
    set_mount_attributes(tree.as_fd(), Depth::Recursive, READ_ONLY)?;
    attach(&tree, place.as_fd())
}

pub(super) fn mask(state: &mut ChildState, path: &CStr) -> Result<(), Errno> {
    let Some(place) = if_present(locate(state.root()?, path, Links::Follow))? else {
        return Ok(());
    };
    if system_call::is_directory(&place)? {
        return mask_directory(state, (path, place));
    }
    let null = match state.take_null() {
        Some(null) => null,
        None => open_null(state.root()?)?,
    };
    let tree = system_call::clone_tree_at(null.as_fd(), Depth::Single)?;
    state.set_null(null);
    attach(&tree, place.as_fd())
}

/// An image without the usual /dev could offer something else under this name.
fn open_null(root: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    let null = locate(root, c"dev/null", Links::Refuse)?;
    let status = system_call::status(&null)?;
    if status.st_mode & libc::S_IFMT != libc::S_IFCHR || status.st_rdev != NULL_DEVICE {
        return Err(Errno::ENODEV);
    }
    Ok(null)
}

/// One empty file system hides them all: a host of many processors has many directories to hide.
fn mask_directory(state: &mut ChildState, (path, place): (&CStr, OwnedFd)) -> Result<(), Errno> {
    if let Some(empty) = state.empty() {
        let tree = system_call::clone_tree_at(empty, Depth::Single)?;
        return attach(&tree, place.as_fd());
    }
    enter_directory(place.as_fd())?;
    let options = Some(c"nr_blocks=1,nr_inodes=1");
    mount(c"tmpfs", c".", c"tmpfs", (libc::MS_RDONLY, options))?;
    enter_directory(state.root()?)?;
    let empty = locate(state.root()?, path, Links::Follow)?;
    state.set_empty(empty);
    Ok(())
}

fn if_present(result: Result<OwnedFd, Errno>) -> Result<Option<OwnedFd>, Errno> {
    match result {
        Ok(place) => Ok(Some(place)),
        Err(Errno::ENOENT | Errno::ENOTDIR) => Ok(None),
        Err(errno) => Err(errno),
    }
}

pub(super) fn open_directory(path: &CStr) -> Result<OwnedFd, Errno> {
    let how = OpenHow {
        flags: (libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC) as u64,
        mode: 0,
        resolve: 0,
    };
    // SAFETY: the number stands for the working directory, which is always there.
    let here = unsafe { BorrowedFd::borrow_raw(libc::AT_FDCWD) };
    system_call::open_at(here, path, how)
}
