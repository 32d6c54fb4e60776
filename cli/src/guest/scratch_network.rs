//! A network for one test: a namespace of its own with nothing in it but a loopback device that is up.

use std::fs;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::thread;

use nix::libc;
use nix::sched::{CloneFlags, unshare};

/// Runs `closure` on a thread in a fresh network namespace; threads that it starts are in there, too.
pub fn inside<T: Send>(closure: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("these tests run as root");
            bring_loopback_up();
            closure()
        });
        thread.join().expect("the test failed")
    })
}

/// The address 127.0.0.1 comes by itself when the device comes up.
fn bring_loopback_up() {
    // SAFETY: `socket` has no preconditions.
    let number = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    assert!(number >= 0);
    // SAFETY: the number was just returned by `socket` and nothing else owns it.
    let socket = unsafe { OwnedFd::from_raw_fd(number) };
    // SAFETY: `ifreq` is plain data for which zero bytes are a valid value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (slot, byte) in request.ifr_name.iter_mut().zip(b"lo") {
        *slot = *byte as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = i16::try_from(libc::IFF_UP).unwrap();
    // SAFETY: the descriptor is open and the request a live `ifreq`, which is what SIOCSIFFLAGS reads.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &request) };
    assert_eq!(result, 0);
}

#[test]
fn a_scratch_network_has_loopback_and_nothing_else() {
    let devices = inside(|| fs::read_to_string("/proc/thread-self/net/dev").unwrap());
    let names: Vec<&str> = devices
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, _)| name.trim())
        .collect();
    assert_eq!(names, ["lo"]);
}
