//! How files and directories of the host are shown in the container. Called in the child: no allocation.
//!
//! 1. The source is opened once, and what was opened is what is mounted. Symbolic links of the host are followed; where containers can
//!    write, in a volume, none leads out.
//! 2. It is cloned, detached from everything, and given its attributes before anybody can see it.
//! 3. The place below the root is found or made, and the clone attached to it by descriptor.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;

use super::child::ChildState;
use super::init_step::{BindMount, BindSource, HeldSource, Owners};
use super::mount_options::BindAttributes;
use super::mounts::{self, check_place};
use super::root_path::{Links, NodeKind, locate_or_create};
use super::root_steps::DEFAULT_DEVICES;
use super::system_call::{
    self, Depth, MOUNT_ATTR_NODEV, MountAttributes, OpenHow, attach, set_mount_attributes,
};

/// Opens a source while this namespace's mounts are still the host's peers.
pub(super) fn hold(state: &mut ChildState, source: &HeldSource) -> Result<(), Errno> {
    let tree = system_call::clone_tree(&source.path, source.depth)?;
    state.hold(source.place, tree)
}

pub(super) fn bind(state: &mut ChildState, what: &BindMount) -> Result<(), Errno> {
    let tree = match what.held {
        Some(place) => state.take_held(place)?,
        None => clone_source(&what.source, what.depth)?,
    };
    let status = system_call::status(&tree)?;
    let kind = match status.st_mode & libc::S_IFMT {
        libc::S_IFDIR => NodeKind::Directory,
        _ => NodeKind::File,
    };
    let place = place(state.root()?, &what.target, kind)?;
    if system_call::is_directory(&place)? != (kind == NodeKind::Directory) {
        return Err(Errno::ENOTDIR);
    }
    let attributes = match is_harmless_device(&status) {
        true => permit_devices(what.attributes),
        false => what.attributes,
    };
    for (depth, attributes) in [
        (Depth::Single, attributes.single),
        (Depth::Recursive, attributes.recursive),
    ] {
        if attributes != MountAttributes::default() {
            set_mount_attributes(tree.as_fd(), depth, attributes)?;
        }
    }
    if what.owners == Owners::Shifted {
        // A number that no other step of a bind ends with, so that it is known what could not be done.
        mounts::shift_owners(&tree).map_err(|_| Errno::EOPNOTSUPP)?;
    }
    attach(&tree, place.as_fd())
}

fn clone_source(source: &BindSource, depth: Depth) -> Result<OwnedFd, Errno> {
    let Some(below) = &source.below else {
        return system_call::clone_tree(&source.path, depth);
    };
    // SAFETY: the number stands for the working directory, which is always there.
    let here = unsafe { BorrowedFd::borrow_raw(libc::AT_FDCWD) };
    let open = |directory, path: &CStr, flags, resolve| {
        let how = OpenHow {
            flags: (libc::O_PATH | libc::O_CLOEXEC | flags) as u64,
            mode: 0,
            resolve,
        };
        system_call::open_at(directory, path, how)
    };
    let volume = open(here, &source.path, libc::O_DIRECTORY | libc::O_NOFOLLOW, 0)?;
    let resolve = libc::RESOLVE_BENEATH | libc::RESOLVE_NO_MAGICLINKS;
    let part = open(volume.as_fd(), below, 0, resolve)?;
    system_call::clone_tree_at(part.as_fd(), depth)
}

/// The few files of /proc that may be covered are named as they are; nothing else leads there.
fn place(root: BorrowedFd<'_>, target: &CStr, kind: NodeKind) -> Result<OwnedFd, Errno> {
    if target.to_bytes().starts_with(b"proc/") {
        return locate_or_create(root, target, Links::Refuse, kind);
    }
    let place = locate_or_create(root, target, Links::Follow, kind)?;
    check_place(root, &place)?;
    Ok(place)
}

/// Whether it is one of the devices that every container has anyway.
fn is_harmless_device(status: &libc::stat) -> bool {
    status.st_mode & libc::S_IFMT == libc::S_IFCHR
        && DEFAULT_DEVICES
            .iter()
            .any(|(_, major, minor)| status.st_rdev == libc::makedev(*major, *minor))
}

fn permit_devices(mut attributes: BindAttributes) -> BindAttributes {
    attributes.single.set &= !MOUNT_ATTR_NODEV;
    attributes.recursive.set &= !MOUNT_ATTR_NODEV;
    attributes
}
