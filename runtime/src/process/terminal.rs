//! How a process gets a terminal of its own container. Called in the child: no allocation.
//!
//! # Theory of operation
//!
//! 1. Everything in `/dev` of a running container may have been replaced by its root, so no name there is believed. The
//!    directory `/dev/pts` is taken only if it is a file system of terminals, in which nobody can make, remove or rename
//!    anything; the multiplexer is taken out of that directory, never from below a mount on it. So nothing that the
//!    container has chosen is ever opened.
//! 2. The terminal is had from the multiplexer itself (`TIOCGPTPEER`), not by a number that is looked up in `/dev/pts`.
//! 3. The child leads its session by now; the terminal becomes that of the session, and the three standard streams.
//! 4. The other end, the master, goes to the parent through the gate. The child keeps nothing of it.

use std::ffi::CStr;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use super::gate::{self, Report};
use super::init_step::{Console, TerminalRequest};
use super::mounts;
use super::root_path::{Links, NodeKind, locate_or_create};
use super::standard_streams::GATE;
use super::system_call::{self, OpenHow};

/// `DEVPTS_SUPER_MAGIC` of linux/magic.h.
const DEVPTS: libc::__fsword_t = 0x1cd1;

/// The numbers of the multiplexer, whatever its name is.
const MULTIPLEXER: libc::dev_t = libc::makedev(5, 2);

/// How a terminal is opened: without its becoming that of the opener's session.
const OPEN_FLAGS: libc::c_int = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;

/// Makes a terminal, takes it, and hands the other end to the parent.
pub(super) fn take(request: &TerminalRequest) -> Result<(), Errno> {
    let root = mounts::open_directory(c"/")?;
    let master = open_master(root.as_fd())?;
    let terminal = peer(master.as_fd())?;
    set_size(&terminal, request)?;
    own(&terminal, request.uid)?;
    if request.console == Console::Shown {
        show_as_console(root.as_fd(), &terminal)?;
    }
    become_terminal(&terminal)?;
    gate::send_with(GATE, Report::Terminal, master.as_fd())
}

/// A new terminal's other end, whose terminal can be opened.
fn open_master(root: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    let directory = open(
        root,
        c"dev/pts",
        (
            libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC,
            libc::RESOLVE_IN_ROOT | libc::RESOLVE_NO_SYMLINKS,
        ),
    )?;
    if !is_devpts(&directory)? {
        return Err(Errno::ENODEV);
    }
    let beneath = libc::RESOLVE_BENEATH | libc::RESOLVE_NO_XDEV | libc::RESOLVE_NO_SYMLINKS;
    let master = open(directory.as_fd(), c"ptmx", (OPEN_FLAGS, beneath))?;
    let status = system_call::status(&master)?;
    if status.st_mode & libc::S_IFMT != libc::S_IFCHR || status.st_rdev != MULTIPLEXER {
        return Err(Errno::ENODEV);
    }
    let unlocked: libc::c_int = 0;
    // SAFETY: the request reads one integer from the place that the pointer names.
    let result = unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCSPTLCK, &raw const unlocked) };
    Errno::result(result)?;
    Ok(master)
}

fn open(
    directory: BorrowedFd<'_>,
    path: &CStr,
    (flags, resolve): (libc::c_int, u64),
) -> Result<OwnedFd, Errno> {
    let how = OpenHow {
        flags: flags as u64,
        mode: 0,
        resolve,
    };
    system_call::open_at(directory, path, how)
}

fn is_devpts(directory: &OwnedFd) -> Result<bool, Errno> {
    // SAFETY: statfs is plain data, for which all zeroes is a value.
    let mut file_system: libc::statfs = unsafe { mem::zeroed() };
    // SAFETY: the kernel writes one statfs to the place that the pointer names.
    Errno::result(unsafe { libc::fstatfs(directory.as_raw_fd(), &raw mut file_system) })?;
    Ok(file_system.f_type == DEVPTS)
}

/// Opens the terminal that belongs to a master, whatever lies under its name in any mount namespace.
pub(crate) fn peer(master: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    // SAFETY: the request takes the flags as a number and returns a descriptor or -1.
    let result = unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCGPTPEER, OPEN_FLAGS) };
    let descriptor = Errno::result(result)?;
    // SAFETY: the kernel has just opened this descriptor for us and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn set_size(terminal: &OwnedFd, request: &TerminalRequest) -> Result<(), Errno> {
    let size = libc::winsize {
        ws_row: request.rows,
        ws_col: request.columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: the request reads one winsize from the place that the pointer names.
    let result = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    Errno::result(result).map(drop)
}

/// The group stays the one that the file system of terminals gives them.
fn own(terminal: &OwnedFd, uid: libc::uid_t) -> Result<(), Errno> {
    const SAME_GROUP: libc::gid_t = libc::gid_t::MAX;
    // SAFETY: fchown touches no memory of ours.
    Errno::result(unsafe { libc::fchown(terminal.as_raw_fd(), uid, SAME_GROUP) }).map(drop)
}

/// Shows the terminal under the name by which programs look for the machine's own.
fn show_as_console(root: BorrowedFd<'_>, terminal: &OwnedFd) -> Result<(), Errno> {
    let place = locate_or_create(root, c"dev/console", Links::Refuse, NodeKind::File)?;
    mounts::show_device(terminal.as_fd(), place.as_fd())
}

fn become_terminal(terminal: &OwnedFd) -> Result<(), Errno> {
    let steal: libc::c_int = 0;
    // SAFETY: the request takes a number.
    Errno::result(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY, steal) })?;
    for stream in 0..3 {
        // SAFETY: dup2 replaces a standard stream of this process, which no code here holds by reference.
        Errno::result(unsafe { libc::dup2(terminal.as_raw_fd(), stream as RawFd) })?;
    }
    Ok(())
}
