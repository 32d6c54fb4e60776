//! How a process is confined by AppArmor. Called in the child: no allocation.

use std::ffi::CStr;
use std::os::fd::BorrowedFd;

use nix::errno::Errno;

use super::proc_file::{open_in, open_proc, write};

/// When a profile begins to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confinement {
    /// At once. The profile must permit what is left to do, and the program to be executed.
    Now,
    /// With the next program. The kernel forgets then that the process is to die with its parent (`apparmor_bprm_committing_creds`
    /// in `security/apparmor/lsm.c`).
    WithProgram,
}

impl Confinement {
    /// What the kernel is told, before the name of the profile.
    pub(super) fn word(self) -> &'static str {
        match self {
            Confinement::Now => "changeprofile",
            Confinement::WithProgram => "exec",
        }
    }

    /// The file since Linux 5.8, and the one before, which is for whichever security module comes first.
    fn files(self) -> (&'static CStr, &'static CStr) {
        match self {
            Confinement::Now => (
                c"thread-self/attr/apparmor/current",
                c"thread-self/attr/current",
            ),
            Confinement::WithProgram => {
                (c"thread-self/attr/apparmor/exec", c"thread-self/attr/exec")
            }
        }
    }
}

/// Tells the kernel what this process, or its next program, runs under.
pub(super) fn confine(order: &CStr, confinement: Confinement) -> Result<(), Errno> {
    let (own_file, shared_file) = confinement.files();
    // SAFETY: the number stands for the working directory, which is always there; the path is absolute.
    let here = unsafe { BorrowedFd::borrow_raw(libc::AT_FDCWD) };
    let proc = open_proc(here, c"/proc")?;
    let file = match open_in(&proc, own_file) {
        Err(Errno::ENOENT) => open_in(&proc, shared_file)?,
        other => other?,
    };
    write(&file, order)
}
