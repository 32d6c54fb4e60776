//! How a process is confined by AppArmor. Called in the child: no allocation.

use std::ffi::CStr;
use std::os::fd::BorrowedFd;

use nix::errno::Errno;

use super::proc_file::{open_in, open_proc, write};

/// Since Linux 5.8.
const OWN_FILE: &CStr = c"thread-self/attr/apparmor/exec";
/// The same before; and for whichever security module comes first.
const SHARED_FILE: &CStr = c"thread-self/attr/exec";

/// Tells the kernel what the next program of this process runs under.
pub(super) fn confine(order: &CStr) -> Result<(), Errno> {
    // SAFETY: the number stands for the working directory, which is always there; the path is absolute.
    let here = unsafe { BorrowedFd::borrow_raw(libc::AT_FDCWD) };
    let proc = open_proc(here, c"/proc")?;
    let file = match open_in(&proc, OWN_FILE) {
        Err(Errno::ENOENT) => open_in(&proc, SHARED_FILE)?,
        other => other?,
    };
    write(&file, order)
}
