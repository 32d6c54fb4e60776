//! System calls of the mount and file kind that the libc crate has numbers but no functions for. All may be called in
//! the child:
//! none allocates.

use std::ffi::CStr;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

/// `struct open_how` of linux/openat2.h.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct OpenHow {
    pub(super) flags: u64,
    pub(super) mode: u64,
    pub(super) resolve: u64,
}

/// `struct mount_attr` of linux/mount.h: attributes to set, to clear, the propagation type (0: keep), and a user
/// namespace.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MountAttributes {
    pub(super) set: u64,
    pub(super) clear: u64,
    pub(super) propagation: u64,
    pub(super) user_namespace: u64,
}

pub(super) const MOUNT_ATTR_RDONLY: u64 = 1;
pub(super) const MOUNT_ATTR_NOSUID: u64 = 2;
pub(super) const MOUNT_ATTR_NODEV: u64 = 4;
pub(super) const MOUNT_ATTR_NOEXEC: u64 = 8;
/// Since Linux 5.12.
pub(super) const MOUNT_ATTR_IDMAP: u64 = 0x10_0000;
/// Since Linux 5.14.
pub(super) const MOUNT_ATTR_NOSYMFOLLOW: u64 = 0x20_0000;

pub(super) const OPEN_TREE_CLONE: u32 = 1;
pub(super) const OPEN_TREE_CLOEXEC: u32 = libc::O_CLOEXEC as u32;
const MOVE_MOUNT_F_EMPTY_PATH: u32 = 0x4;
const MOVE_MOUNT_T_EMPTY_PATH: u32 = 0x40;

/// How much of a mount tree a call means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// The one mount.
    Single,
    /// It and all mounts below.
    Recursive,
}

impl Depth {
    fn flag(self) -> u32 {
        match self {
            Self::Single => 0,
            Self::Recursive => libc::AT_RECURSIVE as u32,
        }
    }
}

/// How often the kernel may find that something was renamed while it looked a path up. Somebody who renames all the time must not keep a
/// container from starting, nor its start from ending.
const MOST_RENAMES: u32 = 1000;

/// `openat2`.
pub(super) fn open_at(
    directory: BorrowedFd<'_>,
    path: &CStr,
    how: OpenHow,
) -> Result<OwnedFd, Errno> {
    let mut tries = 0;
    loop {
        // SAFETY: the pointers name a C string and one OpenHow, whose size is given.
        let result = unsafe {
            libc::syscall(
                libc::SYS_openat2,
                directory.as_raw_fd(),
                path.as_ptr(),
                &raw const how,
                size_of::<OpenHow>(),
            )
        };
        match owned(result) {
            Err(Errno::EAGAIN) if tries < MOST_RENAMES => tries += 1,
            outcome => return outcome,
        }
    }
}

/// `open_tree` with a clone: a copy of the mounts at a path that is attached nowhere yet.
pub(super) fn clone_tree(path: &CStr, depth: Depth) -> Result<OwnedFd, Errno> {
    open_tree(libc::AT_FDCWD, path, depth.flag())
}

/// As `clone_tree`, for the place that a descriptor stands for.
pub(super) fn clone_tree_at(place: BorrowedFd<'_>, depth: Depth) -> Result<OwnedFd, Errno> {
    open_tree(
        place.as_raw_fd(),
        c"",
        depth.flag() | libc::AT_EMPTY_PATH as u32,
    )
}

fn open_tree(directory: RawFd, path: &CStr, flags: u32) -> Result<OwnedFd, Errno> {
    // SAFETY: the pointer names a C string.
    let result = unsafe {
        libc::syscall(
            libc::SYS_open_tree,
            directory,
            path.as_ptr(),
            flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC,
        )
    };
    owned(result)
}

/// `mount_setattr` on the mount that a descriptor stands for.
pub(super) fn set_mount_attributes(
    mount: BorrowedFd<'_>,
    depth: Depth,
    attributes: MountAttributes,
) -> Result<(), Errno> {
    // SAFETY: the pointers name an empty C string and one MountAttributes, whose size is given.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            depth.flag() | libc::AT_EMPTY_PATH as u32,
            &raw const attributes,
            size_of::<MountAttributes>(),
        )
    };
    Errno::result(result).map(drop)
}

/// `move_mount`: attaches a detached mount at the place that a descriptor stands for.
pub(super) fn attach(tree: &OwnedFd, place: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: both pointers name empty C strings.
    let result = unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            tree.as_raw_fd(),
            c"".as_ptr(),
            place.as_raw_fd(),
            c"".as_ptr(),
            MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH,
        )
    };
    Errno::result(result).map(drop)
}

/// `mount` onto the working directory or a path.
pub(super) fn mount(
    source: &CStr,
    target: &CStr,
    kind: &CStr,
    options: (libc::c_ulong, Option<&CStr>),
) -> Result<(), Errno> {
    let (flags, data) = options;
    // SAFETY: every pointer names a C string, and data may be null.
    let result = unsafe {
        libc::mount(
            source.as_ptr(),
            target.as_ptr(),
            kind.as_ptr(),
            flags,
            data.map_or(std::ptr::null(), |data| data.as_ptr().cast()),
        )
    };
    Errno::result(result).map(drop)
}

/// `prctl` with one number.
pub(super) fn control(option: libc::c_int, value: libc::c_ulong) -> Result<(), Errno> {
    let none: libc::c_ulong = 0;
    // SAFETY: the options in use take numbers only; the kernel insists on zeroes for the rest.
    Errno::result(unsafe { libc::prctl(option, value, none, none, none) }).map(drop)
}

/// `fchdir`.
pub(super) fn enter_directory(directory: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: fchdir touches no memory of ours.
    Errno::result(unsafe { libc::fchdir(directory.as_raw_fd()) }).map(drop)
}

/// `fstat`.
pub(super) fn status(node: &impl AsFd) -> Result<libc::stat, Errno> {
    // SAFETY: stat is plain data, for which all zeroes is a value.
    let mut status: libc::stat = unsafe { mem::zeroed() };
    // SAFETY: the kernel writes one stat to the place that the pointer names.
    Errno::result(unsafe { libc::fstat(node.as_fd().as_raw_fd(), &raw mut status) })?;
    Ok(status)
}

/// Whether a place lies on a file system of this kind (`…_MAGIC`).
pub(super) fn is_on(node: &impl AsFd, kind: libc::c_long) -> Result<bool, Errno> {
    // SAFETY: statfs is plain data, for which all zeroes is a value.
    let mut status: libc::statfs = unsafe { mem::zeroed() };
    // SAFETY: the kernel writes one statfs to the place that the pointer names.
    Errno::result(unsafe { libc::fstatfs(node.as_fd().as_raw_fd(), &raw mut status) })?;
    Ok(status.f_type == kind)
}

pub(super) fn is_symbolic_link(node: &impl AsFd) -> Result<bool, Errno> {
    Ok(status(node)?.st_mode & libc::S_IFMT == libc::S_IFLNK)
}

pub(super) fn is_directory(node: &impl AsFd) -> Result<bool, Errno> {
    Ok(status(node)?.st_mode & libc::S_IFMT == libc::S_IFDIR)
}

fn owned(result: libc::c_long) -> Result<OwnedFd, Errno> {
    let descriptor = Errno::result(result)?;
    // SAFETY: the kernel has just opened this descriptor for us and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor as RawFd) })
}
