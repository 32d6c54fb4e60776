//! Making what every start needs, and takes the kernel long, while a command still finds out what is to be started.
//!
//! Theory of operation
//!
//! 1. A command that is about to create a container and to start it sends a forerunner, before it understands its options if its
//!    first words say that much: a process that shares its memory and its descriptors. It is made in a fraction of the time that a fork takes, and runs on another processor.
//! 2. The forerunner leaves for a network namespace of its own, which it opens, and loads the program that guards the usual devices.
//!    Both descriptors are the command's as well. It writes their numbers down and ends.
//! 3. The command waits for its end before it forks the monitor, which takes both along.
//!
//! Nothing has to be undone when the command is killed meanwhile, or when the start fails: a namespace or a program that nobody has
//! open is gone. What could not be made is made later, by whoever needs it, and then it is known why.
//!
//! The forerunner makes system calls only, and those without the C library: the variables of the library's threads, `errno` among
//! them, are the command's.

use crate::cgroup::UsualDevices;
use crate::process::raw_call;
use minirun_netns::Namespace;
use nix::errno::Errno;
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};

/// Much more than a few calls need.
const STACK: usize = 16 * 1024;

/// What the stack of a function has to be aligned to.
const ALIGNMENT: usize = 16;

/// Where a process finds the network namespace that it is in.
const OWN_NETWORK: &std::ffi::CStr = c"/proc/self/ns/net";

/// What was made before anybody knew what for.
#[derive(Debug, Default)]
pub struct Ahead {
    /// A network namespace with nothing in it.
    pub network: Option<Namespace>,
    /// The program that guards the usual devices.
    pub usual_devices: Option<OwnedFd>,
}

impl Ahead {
    /// The open descriptors.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let network = self.network.as_ref().map(AsFd::as_fd);
        network
            .into_iter()
            .chain(self.usual_devices.as_ref().map(AsFd::as_fd))
    }
}

/// A process that makes what is needed. If it is dropped, what it has made is as well.
pub struct Forerunner {
    pid: libc::pid_t,
    work: Box<Work>,
    // Both are in use until the process has ended.
    _stack: Vec<u8>,
}

/// What the two processes share. A number below zero is no descriptor.
struct Work {
    devices: UsualDevices,
    network: AtomicI32,
    program: AtomicI32,
}

impl Forerunner {
    /// Sends one. None means that there can be no process more.
    pub fn send() -> Option<Forerunner> {
        let mut work = Box::new(Work {
            devices: UsualDevices::prepare(),
            network: AtomicI32::new(-1),
            program: AtomicI32::new(-1),
        });
        let mut stack: Vec<u8> = Vec::with_capacity(STACK);
        let top = stack.as_mut_ptr().wrapping_add(STACK);
        let top = top.wrapping_sub(top.addr() % ALIGNMENT);
        // SAFETY: the stack, which grows downwards from its top, and the work stay where they are until the process has ended, which
        // `leave` and `drop` wait for. `run` uses nothing else of the memory that is shared.
        let pid = unsafe {
            libc::clone(
                run,
                top.cast(),
                libc::CLONE_VM | libc::CLONE_FILES,
                (&raw mut *work).cast(),
            )
        };
        (pid > 0).then_some(Forerunner {
            pid,
            work,
            _stack: stack,
        })
    }

    /// Waits until it has done its work, and takes that over.
    pub(crate) fn arrive(self) -> Ahead {
        self.wait();
        let network = self.work.network.swap(-1, Ordering::Relaxed);
        let network =
            descriptor(network).and_then(|network| Namespace::of_descriptor(network).ok());
        Ahead {
            network,
            usual_devices: descriptor(self.work.program.swap(-1, Ordering::Relaxed)),
        }
    }

    /// A second time there is nothing to wait for.
    fn wait(&self) {
        let mut status = 0;
        loop {
            // SAFETY: the pointer names one integer. A process that sends no signal at its end is waited for by `__WALL` only.
            let waited = unsafe { libc::waitpid(self.pid, &raw mut status, libc::__WALL) };
            if Errno::result(waited) != Err(Errno::EINTR) {
                return;
            }
        }
    }
}

impl Drop for Forerunner {
    fn drop(&mut self) {
        self.wait();
        for made in [&self.work.network, &self.work.program] {
            drop(descriptor(made.swap(-1, Ordering::Relaxed)));
        }
    }
}

impl fmt::Debug for Forerunner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Forerunner")
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}

fn descriptor(number: i32) -> Option<OwnedFd> {
    // SAFETY: the forerunner has opened it and ended, and the number was taken away from where it stood, so nobody else has it.
    (number >= 0).then(|| unsafe { OwnedFd::from_raw_fd(number) })
}

/// The whole life of a forerunner.
extern "C" fn run(work: *mut libc::c_void) -> libc::c_int {
    // SAFETY: the work outlives this process, and what is written to is atomic.
    let work = unsafe { &*work.cast_const().cast::<Work>() };
    let here = libc::AT_FDCWD as usize;
    let flags = (libc::O_RDONLY | libc::O_CLOEXEC) as usize;
    let opening = [here, OWN_NETWORK.as_ptr().addr(), flags, 0, 0];
    // SAFETY: the path is a C string, and the request to load a program is one with all that it points to.
    unsafe {
        if raw_call(
            libc::SYS_unshare,
            &[libc::CLONE_NEWNET as usize, 0, 0, 0, 0],
        ) == 0
        {
            let network = raw_call(libc::SYS_openat, &opening);
            work.network.store(network as i32, Ordering::Relaxed);
        }
        let program = raw_call(libc::SYS_bpf, &work.devices.loading());
        work.program.store(program as i32, Ordering::Relaxed);
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::fd::AsRawFd;
    use std::path::PathBuf;

    fn link(descriptor: BorrowedFd<'_>) -> PathBuf {
        fs::read_link(format!("/proc/self/fd/{}", descriptor.as_raw_fd())).expect("it is open")
    }

    #[test]
    fn what_was_made_ahead_is_a_namespace_of_its_own() {
        let ahead = Forerunner::send().expect("it is sent").arrive();
        let network = ahead.network.expect("root makes namespaces");
        let here = Namespace::current().expect("a namespace");
        assert_ne!(link(network.as_fd()), link(here.as_fd()));
        let there = network.run(|| fs::read_link("/proc/thread-self/ns/net"));
        let there = there.expect("it is entered").expect("it is read");
        assert_eq!(link(network.as_fd()), there);
    }

    #[test]
    fn what_is_dropped_is_gone() {
        let forerunner = Forerunner::send().expect("it is sent");
        let pid = forerunner.pid;
        drop(forerunner);
        // SAFETY: asks for nothing but whether there is such a child.
        let waited = unsafe { libc::waitpid(pid, std::ptr::null_mut(), libc::__WALL) };
        assert_eq!(Errno::result(waited), Err(Errno::ECHILD));
    }
}
