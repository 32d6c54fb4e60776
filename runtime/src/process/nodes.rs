//! How the steps are done that make nodes, write small values and change the directory. Called in the child: no
//! allocation.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;

use super::child::ChildState;
use super::init_step::Device;
use super::mounts;
use super::proc_file::{self, open_in, open_proc};
use super::root_path::{Links, NodeKind, locate, locate_or_create};
use super::system_call::{self, OpenHow};

/// Makes a node like one of the host.
pub(super) fn make_device<'plan>(
    state: &mut ChildState<'plan>,
    device: &'plan Device,
) -> Result<(), Errno> {
    let (directory, name) = parent_of(state, &device.path)?;
    let number = libc::makedev(device.major, device.minor);
    // SAFETY: the pointer names a C string.
    let result =
        unsafe { libc::mknodat(directory.as_raw_fd(), name.as_ptr(), device.mode, number) };
    match Errno::result(result) {
        Ok(_) => return own_device(directory, name, device),
        Err(Errno::EEXIST) => {}
        Err(errno) => return Err(errno),
    }
    let how = OpenHow {
        flags: (libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC) as u64,
        mode: 0,
        resolve: 0,
    };
    let node = system_call::open_at(directory, name, how)?;
    check_device(&node, device)
}

/// Where nobody guards the devices, the file systems of a container are mounted such that no device node in them can be
/// opened, because its root may make nodes of any number. So each node that it shall open is mounted once more over itself,
/// without that. In a /dev that is the user's own it need not be there.
pub(super) fn allow_device(root: BorrowedFd<'_>, device: &Device) -> Result<(), Errno> {
    match locate(root, &device.path, Links::Refuse) {
        Ok(node) if check_device(&node, device).is_ok() => mounts::allow_device(&node),
        Ok(_) | Err(Errno::ENOENT | Errno::ELOOP | Errno::ENOTDIR) => Ok(()),
        Err(errno) => Err(errno),
    }
}

fn own_device(directory: BorrowedFd<'_>, name: &CStr, device: &Device) -> Result<(), Errno> {
    if (device.uid, device.gid) == (0, 0) {
        return Ok(());
    }
    // SAFETY: the pointer names a C string.
    let result = unsafe {
        libc::fchownat(
            directory.as_raw_fd(),
            name.as_ptr(),
            device.uid,
            device.gid,
            libc::AT_SYMLINK_NOFOLLOW,
        )
    };
    Errno::result(result).map(drop)
}

/// A node that the image brought along must be the very same device.
fn check_device(node: &OwnedFd, device: &Device) -> Result<(), Errno> {
    let status = system_call::status(node)?;
    let same_kind = status.st_mode & libc::S_IFMT == device.mode & libc::S_IFMT;
    let same_number = status.st_rdev == libc::makedev(device.major, device.minor);
    if same_kind && same_number {
        Ok(())
    } else {
        Err(Errno::EEXIST)
    }
}

pub(super) fn make_symbolic_link<'plan>(
    state: &mut ChildState<'plan>,
    target: &CStr,
    path: &'plan CStr,
) -> Result<(), Errno> {
    let (directory, name) = parent_of(state, path)?;
    // SAFETY: both pointers name C strings.
    let result = unsafe { libc::symlinkat(target.as_ptr(), directory.as_raw_fd(), name.as_ptr()) };
    match Errno::result(result) {
        Ok(_) | Err(Errno::EEXIST) => Ok(()),
        Err(errno) => Err(errno),
    }
}

pub(super) fn make_directory(root: BorrowedFd<'_>, path: &CStr) -> Result<(), Errno> {
    locate_or_create(root, path, Links::Follow, NodeKind::Directory).map(drop)
}

pub(super) fn set_hostname(name: &CStr) -> Result<(), Errno> {
    // SAFETY: the pointer and the length describe the bytes of the C string.
    Errno::result(unsafe { libc::sethostname(name.as_ptr(), name.count_bytes()) }).map(drop)
}

/// `path` is relative to the root of /proc.
pub(super) fn write_sysctl(root: BorrowedFd<'_>, path: &CStr, value: &CStr) -> Result<(), Errno> {
    let proc = open_proc(root, c"proc")?;
    proc_file::write(&open_in(&proc, path)?, value)
}

/// The program may open /dev/stdout anew, which takes the right to open the pipe behind it. Terminals and files are the
/// host's and stay as they are.
pub(super) fn give_standard_streams(uid: libc::uid_t) -> Result<(), Errno> {
    const SAME_GROUP: libc::gid_t = libc::gid_t::MAX;
    for stream in 0..3 {
        // SAFETY: the standard streams were put in place when the child was born and stay open.
        let stream = unsafe { BorrowedFd::borrow_raw(stream) };
        if system_call::status(&stream)?.st_mode & libc::S_IFMT == libc::S_IFIFO {
            // SAFETY: fchown touches no memory of ours.
            Errno::result(unsafe { libc::fchown(stream.as_raw_fd(), uid, SAME_GROUP) })?;
        }
    }
    Ok(())
}

/// A working directory outside the root would be a door to the host; the kernel says so by a path that does not begin
/// with a slash.
pub(super) fn change_directory(path: &CStr) -> Result<(), Errno> {
    // SAFETY: the pointer names a C string.
    Errno::result(unsafe { libc::chdir(path.as_ptr()) })?;
    let mut buffer = [0_u8; libc::PATH_MAX as usize];
    // SAFETY: the pointer and the length describe the buffer.
    let result = unsafe { libc::syscall(libc::SYS_getcwd, buffer.as_mut_ptr(), buffer.len()) };
    Errno::result(result)?;
    if buffer[0] == b'/' {
        Ok(())
    } else {
        Err(Errno::EXDEV)
    }
}

/// The directory that a path of ours lies in, made if it is missing, and the path's last component.
fn parent_of<'state, 'plan>(
    state: &'state mut ChildState<'plan>,
    path: &'plan CStr,
) -> Result<(BorrowedFd<'state>, &'plan CStr), Errno> {
    let bytes = path.to_bytes();
    let name_start = bytes
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |slash| slash + 1);
    let name = path.to_bytes_with_nul();
    let name = CStr::from_bytes_with_nul(&name[name_start..]).map_err(|_| Errno::EINVAL)?;
    let parent = &bytes[..name_start];
    let directory = state.directory_of_nodes(parent, |root| make_parent(root, parent))?;
    Ok((directory, name))
}

fn make_parent(root: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    let mut buffer = [0; libc::PATH_MAX as usize];
    buffer
        .get_mut(..path.len())
        .ok_or(Errno::ENAMETOOLONG)?
        .copy_from_slice(path);
    let path = match CStr::from_bytes_until_nul(&buffer) {
        Ok(path) if !path.is_empty() => path,
        Ok(_) => c".",
        Err(_) => return Err(Errno::ENAMETOOLONG),
    };
    locate_or_create(root, path, Links::Follow, NodeKind::Directory)
}
