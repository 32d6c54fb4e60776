//! The kernel takes what is compiled.

use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

use crate::seccomp::default_policy::default_policy;
use crate::seccomp::filter::Filter;

#[test]
fn the_kernel_takes_the_filters_of_the_default_policy() {
    for capabilities in [0xa804_25fb, 0, u64::MAX] {
        let filter = Filter::compile(&default_policy(capabilities)).expect("it is short enough");
        // SAFETY: the child makes system calls only.
        match unsafe { fork() }.expect("a child") {
            // SAFETY: _exit runs no destructor and no handler.
            ForkResult::Child => unsafe { libc::_exit(under(&filter)) },
            ForkResult::Parent { child } => {
                assert_eq!(waitpid(child, None), Ok(WaitStatus::Exited(child, 0)));
            }
        }
    }
}

/// 0 if the filter was installed, and works.
fn under(filter: &Filter) -> i32 {
    // SAFETY: prctl takes numbers only here.
    unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    if let Err(errno) = filter.install() {
        return errno as i32;
    }
    // SAFETY: nobody has system calls of this number.
    let unknown = unsafe { libc::syscall(libc::SYS_swapon, 0, 0) };
    match (unknown, Errno::last()) {
        (-1, Errno::EPERM) => 0,
        (_, errno) => 100 + errno as i32,
    }
}
