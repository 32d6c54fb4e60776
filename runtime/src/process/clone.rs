//! The `clone3` system call, which no crate in use wraps.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

/// Since Linux 5.7; the constant of the libc crate does not fit its own type.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Since Linux 5.5: signals that have handlers have their default meaning in the child. Not in the libc crate for every target.
const CLONE_CLEAR_SIGHAND: u64 = 0x1_0000_0000;

/// `struct clone_args` of linux/sched.h up to the field `cgroup`.
#[repr(C)]
#[derive(Default)]
struct CloneArguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// Which of the two processes returned from the call.
pub(super) enum Cloned {
    Child,
    Parent { pid: i32, pidfd: OwnedFd },
}

/// Clones the calling process into new namespaces (`CLONE_NEW…` in `namespaces`) and the cgroup whose directory is
/// given. No handler for a signal of this process runs in the child.
///
/// # Safety
///
/// The child has a copy of the memory but only the calling thread, so until it executes a program it must do nothing
/// that takes a lock or allocates.
pub(super) unsafe fn clone_child(
    namespaces: u64,
    cgroup: Option<BorrowedFd<'_>>,
) -> Result<Cloned, Errno> {
    let mut pidfd: i32 = -1;
    let mut arguments = CloneArguments {
        flags: namespaces | libc::CLONE_PIDFD as u64 | CLONE_CLEAR_SIGHAND,
        pidfd: &raw mut pidfd as u64,
        exit_signal: libc::SIGCHLD as u64,
        ..CloneArguments::default()
    };
    if let Some(cgroup) = cgroup {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = cgroup.as_raw_fd() as u64;
    }
    // SAFETY: the arguments outlive the call, the stack is the caller's own copied, and the caller keeps to the
    // contract above.
    match unsafe { call(&mut arguments) }? {
        0 => Ok(Cloned::Child),
        pid => Ok(Cloned::Parent {
            pid,
            // SAFETY: the kernel has just opened this descriptor for us and nobody else knows of it.
            pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) },
        }),
    }
}

/// Clones the calling process as fork(2) does, by the older call, which a filter of system calls can permit: the flags of
/// `clone3` lie in memory. Gives the process number of the child, or none in the child.
///
/// # Safety
///
/// As `clone_child`.
pub(super) unsafe fn fork_child() -> Result<Option<i32>, Errno> {
    let none: libc::c_ulong = 0;
    let flags = libc::SIGCHLD as libc::c_ulong;
    // SAFETY: without a stack of its own and shared memory the child runs on copies, and the caller keeps to the contract
    // above. On every architecture the flags come first where nothing else is given.
    let result = unsafe { libc::syscall(libc::SYS_clone, flags, none, none, none, none) };
    Errno::result(result).map(|pid| (pid != 0).then_some(pid as i32))
}

/// # Safety
///
/// As `clone_child`; no flag may ask for shared memory.
unsafe fn call(arguments: &mut CloneArguments) -> Result<i32, Errno> {
    // SAFETY: the pointer and the size describe one CloneArguments; without CLONE_VM the child cannot disturb our
    // memory.
    let result = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            &raw mut *arguments,
            size_of::<CloneArguments>(),
        )
    };
    Errno::result(result).map(|pid| pid as i32)
}
