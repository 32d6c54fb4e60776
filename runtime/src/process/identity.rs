//! How the steps are done that change who the process is and what it may do. Called in the child: no allocation.
//!
//! Users and groups are set by the bare system calls: the C library's functions would try to reach the parent's other
//! threads, which are not here.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

use super::init_step::{CapabilitySets, Identity};
use super::standard_streams::USER_NAMESPACE;
use super::system_call::control;

/// `_LINUX_CAPABILITY_VERSION_3` of linux/capability.h.
const CAPABILITY_VERSION: u32 = 0x2008_0522;
/// `KEYCTL_JOIN_SESSION_KEYRING` of linux/keyctl.h.
const JOIN_SESSION_KEYRING: libc::c_int = 1;
/// More capabilities than this there cannot be.
const MOST_CAPABILITIES: u32 = 64;

#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Default)]
struct CapabilityWord {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// The keys of the host's session must not be readable in the container.
pub(super) fn new_keyring() -> Result<(), Errno> {
    // SAFETY: a null pointer asks for a keyring without a name.
    let result = unsafe {
        libc::syscall(
            libc::SYS_keyctl,
            JOIN_SESSION_KEYRING,
            std::ptr::null::<libc::c_char>(),
        )
    };
    match Errno::result(result) {
        // A kernel without keyrings has nothing to hide.
        Ok(_) | Err(Errno::ENOSYS) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// A service manager may have protected the caller from the out-of-memory killer, which is nothing to hand on. /proc must
/// be the host's still.
pub(super) fn drop_memory_protection() -> Result<(), Errno> {
    raise_to_zero(c"/proc/self/oom_score_adj")
}

fn raise_to_zero(path: &CStr) -> Result<(), Errno> {
    // SAFETY: the pointer names a C string.
    let file = unsafe { libc::open(path.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) };
    let file = match Errno::result(file) {
        // SAFETY: the kernel has just opened this descriptor for us and nobody else knows of it.
        Ok(file) => unsafe { OwnedFd::from_raw_fd(file) },
        // A host that does not show it did not set it this way either.
        Err(Errno::ENOENT) => return Ok(()),
        Err(errno) => return Err(errno),
    };
    let mut sign = [0_u8; 1];
    // SAFETY: the pointer and the length describe the buffer.
    let result = unsafe { libc::read(file.as_raw_fd(), sign.as_mut_ptr().cast(), sign.len()) };
    Errno::result(result)?;
    if &sign != b"-" {
        return Ok(());
    }
    let zero = b"0\n";
    // SAFETY: the pointer and the length describe the static bytes.
    let result = unsafe { libc::pwrite(file.as_raw_fd(), zero.as_ptr().cast(), zero.len(), 0) };
    Errno::result(result).map(drop)
}

pub(super) fn limit_capabilities(kept: u64) -> Result<(), Errno> {
    for capability in 0..MOST_CAPABILITIES {
        if kept & (1 << capability) != 0 {
            continue;
        }
        match control(libc::PR_CAPBSET_DROP, libc::c_ulong::from(capability)) {
            Ok(()) => {}
            // The kernel has no capability of this number, nor any above.
            Err(Errno::EINVAL) => return Ok(()),
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// The permitted capabilities survive the change of user, so that `set_capabilities` can choose among them.
pub(super) fn become_user(identity: &Identity) -> Result<(), Errno> {
    let groups = &identity.additional_gids;
    let (uid, gid) = (identity.uid, identity.gid);
    control(libc::PR_SET_KEEPCAPS, 1)?;
    // SAFETY: the pointer and the count describe the list of groups.
    let result = unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) };
    Errno::result(result)?;
    // SAFETY: setresgid takes numbers only.
    Errno::result(unsafe { libc::syscall(libc::SYS_setresgid, gid, gid, gid) })?;
    // SAFETY: setresuid takes numbers only.
    Errno::result(unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) })?;
    control(libc::PR_SET_KEEPCAPS, 0)
}

/// Capabilities about files are lost with the change of the user, so they are taken up again.
pub(super) fn create_files_as(id: u32) -> Result<(), Errno> {
    // SAFETY: setfsgid and setfsuid take numbers only. They say nothing of whether it worked, hence the second calls, which
    // change nothing.
    let now = unsafe {
        libc::syscall(libc::SYS_setfsgid, id);
        libc::syscall(libc::SYS_setfsuid, id);
        [
            libc::syscall(libc::SYS_setfsgid, -1),
            libc::syscall(libc::SYS_setfsuid, -1),
        ]
    };
    // The kernel counts them as signed numbers.
    if now.iter().any(|now| *now as u32 != id) {
        return Err(Errno::EPERM);
    }
    use_all_permitted()
}

/// Makes every capability that the process is permitted effective.
fn use_all_permitted() -> Result<(), Errno> {
    let header = CapabilityHeader {
        version: CAPABILITY_VERSION,
        pid: 0,
    };
    let mut words = [CapabilityWord::default(), CapabilityWord::default()];
    // SAFETY: version 3 takes one header and writes two words, which the pointers name.
    let result = unsafe { libc::syscall(libc::SYS_capget, &raw const header, words.as_mut_ptr()) };
    Errno::result(result)?;
    for word in &mut words {
        word.effective = word.permitted;
    }
    // SAFETY: version 3 takes one header and two words, which the pointers name.
    let result = unsafe { libc::syscall(libc::SYS_capset, &raw const header, words.as_ptr()) };
    Errno::result(result).map(drop)
}

/// The process has all capabilities in the namespace, and none outside any more. It becomes root of it, because who it was
/// before is nobody there.
pub(super) fn enter_user_namespace() -> Result<(), Errno> {
    // SAFETY: setns touches no memory of ours; this process has a single thread.
    Errno::result(unsafe { libc::setns(USER_NAMESPACE, libc::CLONE_NEWUSER) })?;
    // SAFETY: closes a descriptor that nobody here uses any more.
    Errno::result(unsafe { libc::close(USER_NAMESPACE) })?;
    become_user(&Identity {
        uid: 0,
        gid: 0,
        additional_gids: Vec::new(),
    })
}

pub(super) fn set_capabilities(sets: CapabilitySets) -> Result<(), Errno> {
    let header = CapabilityHeader {
        version: CAPABILITY_VERSION,
        pid: 0,
    };
    let word = |shift: u32| CapabilityWord {
        effective: (sets.effective >> shift) as u32,
        permitted: (sets.permitted >> shift) as u32,
        inheritable: (sets.inheritable >> shift) as u32,
    };
    let words = [word(0), word(32)];
    // SAFETY: version 3 takes one header and two words, which the pointers name.
    let result = unsafe { libc::syscall(libc::SYS_capset, &raw const header, words.as_ptr()) };
    Errno::result(result)?;
    set_ambient(sets.ambient)
}

fn set_ambient(ambient: u64) -> Result<(), Errno> {
    change_ambient(libc::PR_CAP_AMBIENT_CLEAR_ALL, 0)?;
    for capability in 0..MOST_CAPABILITIES {
        if ambient & (1 << capability) != 0 {
            change_ambient(libc::PR_CAP_AMBIENT_RAISE, capability)?;
        }
    }
    Ok(())
}

fn change_ambient(operation: libc::c_int, capability: u32) -> Result<(), Errno> {
    let none: libc::c_ulong = 0;
    // SAFETY: prctl takes numbers only here.
    let result = unsafe {
        libc::prctl(
            libc::PR_CAP_AMBIENT,
            operation as libc::c_ulong,
            libc::c_ulong::from(capability),
            none,
            none,
        )
    };
    Errno::result(result).map(drop)
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::fs;

    use super::*;

    #[test]
    fn only_a_number_below_zero_is_raised() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("oom_score_adj");
        let path = CString::new(file.as_os_str().as_encoded_bytes()).expect("a path");
        assert_eq!(raise_to_zero(&path), Ok(()));
        for (before, after) in [("-9\n", "0\n\n"), ("0\n", "0\n"), ("300\n", "300\n")] {
            fs::write(&file, before).expect("a file");
            assert_eq!(raise_to_zero(&path), Ok(()));
            assert_eq!(fs::read_to_string(&file).expect("a file"), after);
        }
    }
}
