//! Files of the kernel that an order is written to. Called in the child: no allocation.
//!
//! A container may have got something else to lie where such a file is looked for, another file of the kernel's at worst; then the order would
//! go astray, and the program run without what the order is for (the idea of CVE-2019-16884 and CVE-2025-52881). So a file is opened below
//! the root of a real /proc, and no other mount may lie on the way.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;

use super::system_call::{self, OpenHow};

/// The inode of the root directory of every /proc (`PROC_ROOT_INO`).
const ROOT_OF_PROC: libc::ino_t = 1;

/// A place that says it is the root of /proc.
pub(super) fn open_proc(directory: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd, Errno> {
    let how = OpenHow {
        flags: (libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC) as u64,
        mode: 0,
        resolve: libc::RESOLVE_NO_SYMLINKS,
    };
    let place = system_call::open_at(directory, path, how)?;
    let is_root = system_call::status(&place)?.st_ino == ROOT_OF_PROC;
    match is_root && system_call::is_on(&place, libc::PROC_SUPER_MAGIC)? {
        true => Ok(place),
        false => Err(Errno::ENODEV),
    }
}

/// Opens a file below it for writing.
pub(super) fn open_in(proc: &OwnedFd, path: &CStr) -> Result<OwnedFd, Errno> {
    open_below(proc, path, libc::O_WRONLY)
}

/// Opens a file below it for reading and writing.
pub(super) fn open_in_both_ways(proc: &OwnedFd, path: &CStr) -> Result<OwnedFd, Errno> {
    open_below(proc, path, libc::O_RDWR)
}

fn open_below(proc: &OwnedFd, path: &CStr, access: libc::c_int) -> Result<OwnedFd, Errno> {
    let how = OpenHow {
        flags: (access | libc::O_CLOEXEC) as u64,
        mode: 0,
        resolve: libc::RESOLVE_BENEATH | libc::RESOLVE_NO_XDEV | libc::RESOLVE_NO_MAGICLINKS,
    };
    system_call::open_at(proc.as_fd(), path, how)
}

/// Writes the whole text in one piece, as the kernel wants it.
pub(super) fn write(file: &OwnedFd, text: &CStr) -> Result<(), Errno> {
    // SAFETY: the pointer and the length describe the bytes of the C string.
    let result = unsafe { libc::write(file.as_raw_fd(), text.as_ptr().cast(), text.count_bytes()) };
    match Errno::result(result)? as usize == text.count_bytes() {
        true => Ok(()),
        false => Err(Errno::EIO),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    fn proc(path: &CStr) -> Result<OwnedFd, Errno> {
        open_proc(File::open("/").expect("the root").as_fd(), path)
    }

    #[test]
    fn only_a_real_proc_is_taken_for_one() {
        assert!(proc(c"proc").is_ok());
        for path in [c"proc/1", c"proc/sys", c"sys", c"."] {
            assert_eq!(proc(path).map(drop), Err(Errno::ENODEV), "{path:?}");
        }
        assert_eq!(proc(c"proc/self").map(drop), Err(Errno::ELOOP));
    }

    #[test]
    fn a_file_of_the_process_itself_is_found_and_nothing_through_another_door() {
        let proc = proc(c"proc").expect("there is /proc");
        assert!(open_in(&proc, c"thread-self/comm").is_ok());
        for path in [
            c"self/fd/0",
            c"self/root/proc/self/comm",
            c"../proc/self/comm",
        ] {
            assert!(open_in(&proc, path).is_err(), "{path:?}");
        }
    }
}
