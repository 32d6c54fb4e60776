//! The sign that a monitor lives: a lock on the record of the end, which it holds open for as long as it watches.
//!
//! What `/proc` says of a process is right and takes the kernel longest of all that a listing asks. The kernel takes a lock away in
//! the moment its holder ends, however that happens, and whoever asks about a lock is told who holds it. It is a lock of a
//! process (`F_SETLK`, fcntl_locking(2)), which no child inherits, at the place in the file that has the number of the moment the
//! process was started: so nobody who was given its number later is taken for it.
//!
//! The sign proves life only. A process without it may live all the same: a monitor loses it by closing the file a second time, those
//! of other versions have none, and some file systems know no locks. Then it is `/proc` that is asked.

use std::fs::File;

use nix::fcntl::{FcntlArg, fcntl};

use crate::process_identity::{ProcessIdentity, boot_id};

/// Gives the sign that the calling process lives, until it ends. What keeps it from that only costs others time.
pub(crate) fn give(file: &File, caller: &ProcessIdentity) {
    if let Some(lock) = lock_of(caller) {
        let _ = fcntl(file, FcntlArg::F_SETLK(&lock));
    }
}

/// Whether a process has given the sign, and lives.
pub(crate) fn is_given(file: &File, process: &ProcessIdentity) -> bool {
    let Some(mut lock) = lock_of(process) else {
        return false;
    };
    let asked = fcntl(file, FcntlArg::F_GETLK(&mut lock));
    let is_held = asked.is_ok() && i32::from(lock.l_type) != libc::F_UNLCK;
    is_held && lock.l_pid == process.pid && process.boot == boot_id()
}

fn lock_of(process: &ProcessIdentity) -> Option<libc::flock> {
    Some(libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: libc::off_t::try_from(process.start_ticks).ok()?,
        l_len: 1,
        l_pid: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::{Signal, kill};
    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::{ForkResult, Pid, fork, pipe, read};

    /// A child that gives the sign for `identity`, says so, and waits to be killed.
    fn giving(file: &File, start_ticks: u64) -> Pid {
        let (said, saying) = pipe().unwrap();
        let mut identity = ProcessIdentity::of(std::process::id() as i32).unwrap();
        identity.start_ticks = start_ticks;
        // SAFETY: the child makes system calls only, until it is killed.
        match unsafe { fork() }.unwrap() {
            ForkResult::Child => loop {
                give(file, &identity);
                let _ = nix::unistd::write(&saying, b"x");
                nix::unistd::pause();
            },
            ForkResult::Parent { child } => {
                drop(saying);
                let mut word = [0];
                let length = read(&said, &mut word).unwrap();
                assert_eq!(length, 1);
                child
            }
        }
    }

    fn identity(pid: Pid, start_ticks: u64) -> ProcessIdentity {
        ProcessIdentity {
            pid: pid.as_raw(),
            start_ticks,
            boot: boot_id().to_owned(),
        }
    }

    #[test]
    fn a_sign_is_given_by_one_process_of_one_moment_until_it_ends() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("exit.json");
        let written = File::create_new(&path).unwrap();
        let child = giving(&written, 4711);
        // Whoever asks has only opened it to read.
        let file = File::open(&path).unwrap();
        assert!(is_given(&file, &identity(child, 4711)));
        assert!(!is_given(&file, &identity(child, 4712)));
        assert!(!is_given(&file, &identity(Pid::this(), 4711)));
        let mut earlier = identity(child, 4711);
        earlier.boot = "another".into();
        assert!(!is_given(&file, &earlier));
        kill(child, Signal::SIGKILL).unwrap();
        let ended = waitpid(child, None).unwrap();
        assert_eq!(ended, WaitStatus::Signaled(child, Signal::SIGKILL, false));
        assert!(!is_given(&file, &identity(child, 4711)));
    }

    #[test]
    fn nobody_gives_it_for_himself_to_see() {
        let this = ProcessIdentity::of(std::process::id() as i32).unwrap();
        let file = tempfile::tempfile().unwrap();
        give(&file, &this);
        assert!(!is_given(&file, &this));
    }
}
