//! Which descriptors a child keeps: its three standard streams and what the runtime needs, and nothing else of the
//! parent's.

use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use nix::errno::Errno;

/// The standard streams of a child. The caller keeps its descriptors; the child gets copies.
#[derive(Clone, Copy, Debug)]
pub struct ChildStdio<'a> {
    /// What the process reads.
    pub stdin: BorrowedFd<'a>,
    /// Where it writes.
    pub stdout: BorrowedFd<'a>,
    /// Where it complains.
    pub stderr: BorrowedFd<'a>,
}

/// Where the gate is after `arrange`.
pub(super) const GATE: RawFd = 3;
/// Where the process descriptor of the container's first process is after `arrange`, in the process between.
pub(super) const TARGET: RawFd = 4;
/// Where what leads to the container's user namespace is after `arrange`: in the first process a descriptor of the namespace, in an
/// executed one that of the first process.
pub(super) const USER_NAMESPACE: RawFd = TARGET;
/// Where the process between has its end of the watch.
pub(super) const WATCH: RawFd = 5;
/// Where the process between has the directory of the container's cgroup.
pub(super) const CGROUP: RawFd = 6;

impl ChildStdio<'_> {
    pub(super) fn raw(&self) -> [RawFd; 3] {
        [
            self.stdin.as_raw_fd(),
            self.stdout.as_raw_fd(),
            self.stderr.as_raw_fd(),
        ]
    }
}

/// Puts the descriptors at 0, 1, 2 … and closes all others. Those from 3 on close on exec. Called in the child: no
/// allocation.
///
/// A child of a busy parent inherits much: the gates of other containers (a copy of which would keep them from seeing
/// the end of file), locks, sockets.
/// All of it goes before anything else is done.
pub(super) fn arrange<const COUNT: usize>(descriptors: [RawFd; COUNT]) -> Result<(), Errno> {
    // First out of the way of the final places, because the given ones may lie there in any order.
    let mut moved = [-1; COUNT];
    for (to, from) in moved.iter_mut().zip(descriptors) {
        // SAFETY: fcntl duplicates a descriptor; it touches no memory of ours.
        let result = unsafe { libc::fcntl(from, libc::F_DUPFD_CLOEXEC, COUNT as libc::c_int) };
        *to = Errno::result(result)?;
    }
    for (place, from) in moved.into_iter().enumerate() {
        let flags = if place > 2 { libc::O_CLOEXEC } else { 0 };
        // SAFETY: dup3 replaces a descriptor of this process, which nobody here uses any more.
        Errno::result(unsafe { libc::dup3(from, place as RawFd, flags) })?;
    }
    // SAFETY: closes descriptors of this process that nobody here uses any more.
    let result = unsafe { libc::syscall(libc::SYS_close_range, COUNT, u32::MAX, 0) };
    Errno::result(result).map(drop)
}
