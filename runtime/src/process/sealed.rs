//! Running from where a container cannot write.
//!
//! An image may have a link to /proc/self/exe where a program is expected. Executed in its container, that is the
//! caller's own executable once more, and a process in the container can get at it through /proc/PID/exe. While somebody
//! runs the file the kernel lets nobody write to it; but its permissions can be changed all the time, and a process that
//! waits until nobody runs it could write, so that the next call of minirun on the host would be its own.
//!
//! So the caller first executes itself again from a mount that is read-only and attached nowhere: what is reached
//! through it cannot be changed, ever, and nobody can change the mount. What the caller forks runs from there, too: guardians,
//! monitors, their workers, and every process that becomes a program of a container.

use std::env;
use std::ffi::{CStr, CString, OsString};
use std::mem;
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::sys::prctl;
use nix::unistd::execveat;

use super::error::ProcessError;
use super::system_call::{
    Depth, MOUNT_ATTR_NOSYMFOLLOW, MOUNT_ATTR_RDONLY, MountAttributes, clone_tree,
    set_mount_attributes,
};

pub(super) const EXECUTABLE: &CStr = c"/proc/self/exe";

/// No place that a program is installed in has both: a system on a mount that follows no symbolic links would not work.
pub(super) const SEAL: MountAttributes = MountAttributes {
    set: MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSYMFOLLOW,
    clear: 0,
    propagation: 0,
    user_namespace: 0,
};

/// How statvfs(3) shows the seal: `ST_RDONLY` and `ST_NOSYMFOLLOW`.
pub(super) const SEAL_SHOWN: libc::c_ulong = 0x2001;

/// Proof that no container can write to the executable of this process.
#[derive(Clone, Copy, Debug)]
pub struct Sealed(());

impl Sealed {
    /// Sees to it that this process is sealed. If it is not yet, `main` begins anew with the same arguments, environment
    /// and descriptors, so this is to be called before anything else was done.
    ///
    /// # Errors
    /// [`ProcessError::Seal`], without root's rights, or without /proc.
    pub fn ensure() -> Result<Self, ProcessError> {
        static KNOWN: OnceLock<Sealed> = OnceLock::new();
        if let Some(sealed) = KNOWN.get() {
            return Ok(*sealed);
        }
        is_sealed()
            .and_then(|sealed| match sealed {
                true => take_name_back(),
                false => begin_anew(),
            })
            .map_err(|errno| ProcessError::Seal { errno })?;
        Ok(*KNOWN.get_or_init(|| Self(())))
    }
}

fn is_sealed() -> Result<bool, Errno> {
    // SAFETY: statvfs is plain data, for which all zeroes is a value.
    let mut file_system: libc::statvfs = unsafe { mem::zeroed() };
    // SAFETY: the pointers name a C string and the place where one statvfs is written.
    Errno::result(unsafe { libc::statvfs(EXECUTABLE.as_ptr(), &raw mut file_system) })?;
    Ok(file_system.f_flag & SEAL_SHOWN == SEAL_SHOWN)
}

/// Returns only if it failed.
fn begin_anew() -> Result<(), Errno> {
    let executable = clone_tree(EXECUTABLE, Depth::Single)?;
    set_mount_attributes(executable.as_fd(), Depth::Single, SEAL)?;
    let arguments = c_strings(env::args_os())?;
    let environment = c_strings(env::vars_os().map(|(mut variable, value)| {
        variable.push("=");
        variable.push(value);
        variable
    }))?;
    execveat(
        &executable,
        c"",
        &arguments,
        &environment,
        AtFlags::AT_EMPTY_PATH,
    )?;
    Ok(())
}

/// Before Linux 6.14 a process that was executed by descriptor is called by its number in lists of processes.
fn take_name_back() -> Result<(), Errno> {
    let own = env::args_os().next().unwrap_or_default();
    let name = Path::new(&own).file_name().unwrap_or_default();
    let name = CString::new(name.as_bytes()).map_err(|_| Errno::EINVAL)?;
    prctl::set_name(&name)
}

/// Words that came from the kernel hold no NUL byte.
fn c_strings(words: impl Iterator<Item = OsString>) -> Result<Vec<CString>, Errno> {
    words
        .map(|word| CString::new(word.into_vec()).map_err(|_| Errno::EINVAL))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    /// Set in the copy of this program that the test below is run in, and seals.
    const INSIDE: &str = "MINIRUN_TEST_OF_THE_SEAL";

    #[test]
    fn a_sealed_program_cannot_be_written_to_and_begins_only_once_more() {
        if env::var_os(INSIDE).is_some() {
            Sealed::ensure().expect("root seals");
            // To open it for writing is refused while it runs, whatever it lies on.
            let mode = fs::metadata("/proc/self/exe")
                .expect("a file")
                .permissions();
            let refused = fs::set_permissions("/proc/self/exe", mode);
            let error = refused.expect_err("it is read-only").raw_os_error();
            assert_eq!(error, Some(libc::EROFS));
            println!("sealed {:?}", env::args_os().nth(1));
            return;
        }
        assert_eq!(is_sealed(), Ok(false));
        let finished = Command::new(env::current_exe().expect("a path"))
            .args(["a_sealed_program_cannot", "--nocapture"])
            .env(INSIDE, "")
            .output()
            .expect("it runs");
        let text = String::from_utf8_lossy(&finished.stdout);
        let line = r#"sealed Some("a_sealed_program_cannot")"#;
        assert_eq!(text.matches(line).count(), 1, "{finished:?}");
        assert!(finished.status.success(), "{finished:?}");
    }
}
