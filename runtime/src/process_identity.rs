//! Telling a process from another that was given the same number later.
//!
//! A process is known by its number, the moment it was started (field 22 of `/proc/PID/stat`, in clock ticks since the
//! boot, proc(5)), and the boot it belongs to. All three together never repeat.

use crate::error::RuntimeError;
use minirun_bridge::small_file;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::{Deserialize, Serialize};
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// One process of one boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// Its number in the host's process namespace.
    pub pid: i32,
    /// When it was started, in clock ticks since the boot.
    pub start_ticks: u64,
    /// The boot it belongs to.
    pub boot: String,
}

impl ProcessIdentity {
    /// The identity of a process that the caller knows to exist.
    ///
    /// # Errors
    /// When `/proc` does not show it.
    pub fn of(pid: i32) -> Result<ProcessIdentity, RuntimeError> {
        let start_ticks =
            start_ticks(pid).map_err(|error| RuntimeError::file("read", &stat_path(pid), error))?;
        Ok(ProcessIdentity {
            pid,
            start_ticks,
            boot: boot_id().to_string(),
        })
    }

    /// Whether this is the process that asks.
    pub fn is_this_process(&self) -> bool {
        u32::try_from(self.pid) == Ok(std::process::id()) && self.is_alive()
    }

    /// A descriptor that refers to this process and no other, if it still exists and one can be had.
    pub fn open(&self) -> Option<PidFd> {
        self.hold().ok().flatten()
    }

    /// A descriptor that refers to this process and no other; none if it does not exist any more.
    ///
    /// # Errors
    /// The kernel's, when it does not say whether the process exists, or gives no descriptor of one that does.
    pub(crate) fn hold(&self) -> io::Result<Option<PidFd>> {
        if self.boot != boot_id() {
            return Ok(None);
        }
        let descriptor = pidfd_open(self.pid);
        // The descriptor was opened by number; it is the right one only if the number still belongs to the process.
        match start_ticks(self.pid) {
            Ok(ticks) if ticks == self.start_ticks => descriptor.map(Some),
            Ok(_) => Ok(None),
            Err(error) if says_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the process exists and has not ended. One file says it all, so that no descriptor of the process is needed.
    pub fn is_alive(&self) -> bool {
        small_file::read(&stat_path(self.pid)).is_ok_and(|stat| self.is_alive_in(&stat))
    }

    /// The same for a caller who has just read `/proc/PID/stat` of its number.
    pub(crate) fn is_alive_in(&self, stat: &[u8]) -> bool {
        self.boot == boot_id()
            && parse_start_ticks(stat) == Some(self.start_ticks)
            && !says_ended(stat)
    }
}

/// A descriptor of a process (`pidfd_open(2)`).
#[derive(Debug)]
pub struct PidFd(OwnedFd);

impl PidFd {
    /// A descriptor of a child of the caller that was not waited for yet, so that its number is its own.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn of_child(pid: i32) -> io::Result<PidFd> {
        pidfd_open(pid)
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// The kernel's; `ESRCH` when the process has ended.
    pub fn signal(&self, number: i32) -> io::Result<()> {
        // SAFETY: the descriptor is open for the length of the call, and a null `siginfo_t` is what
        // pidfd_send_signal(2) documents as "as kill(2) does".
        let result = unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                self.0.as_raw_fd(),
                number,
                std::ptr::null::<libc::siginfo_t>(),
                0,
            )
        };
        if result == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// Whether the process has ended, without waiting.
    ///
    /// # Errors
    /// The kernel's.
    pub fn has_ended(&self) -> io::Result<bool> {
        self.wait(Some(Duration::ZERO))
    }

    /// Waits until the process has ended, or the time is over; says which by `true` and `false`.
    ///
    /// # Errors
    /// The kernel's.
    pub fn wait(&self, patience: Option<Duration>) -> io::Result<bool> {
        let deadline = patience.map(|patience| Instant::now() + patience);
        loop {
            let timeout = match deadline {
                None => PollTimeout::NONE,
                Some(deadline) => {
                    let rest = deadline.saturating_duration_since(Instant::now());
                    PollTimeout::try_from(
                        rest.as_micros().div_ceil(1000).min(i32::MAX as u128) as i32
                    )
                    .unwrap_or(PollTimeout::MAX)
                }
            };
            let mut descriptors = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
            match poll(&mut descriptors, timeout) {
                Ok(0) if deadline.is_some_and(|deadline| Instant::now() < deadline) => {}
                Ok(ready) => return Ok(ready > 0),
                Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl AsFd for PidFd {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn pidfd_open(pid: i32) -> io::Result<PidFd> {
    // SAFETY: pidfd_open(2) takes two integers and touches no memory of ours.
    let result = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just given us this descriptor, and nobody else knows of it.
    Ok(PidFd(unsafe { OwnedFd::from_raw_fd(result as i32) }))
}

fn stat_path(pid: i32) -> std::path::PathBuf {
    Path::new("/proc").join(pid.to_string()).join("stat")
}

fn start_ticks(pid: i32) -> io::Result<u64> {
    let stat = small_file::read(&stat_path(pid))?;
    parse_start_ticks(&stat).ok_or_else(|| io::Error::other("unexpected format"))
}

/// Whether `/proc` answers that there is no process of the number: that is `ESRCH` when it goes between opening and reading.
fn says_gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH))
}

/// The second field is the program's name in parentheses and may hold anything, also what is no text, because a process names itself.
/// So counting begins behind the last parenthesis.
fn parse_start_ticks(stat: &[u8]) -> Option<u64> {
    fields_behind_name(stat)?.nth(19)?.parse().ok()
}

/// Whether a process has ended and was not waited for yet, or is just going. The state (third field) is that of its first
/// thread alone, which may be gone while others go on; how many there are says field 20, and whoever was the last to go is
/// counted until somebody has waited (`get_nr_threads` in Linux's `fs/proc/array.c`).
fn says_ended(stat: &[u8]) -> bool {
    let Some(mut fields) = fields_behind_name(stat) else {
        return true;
    };
    match fields.next() {
        Some("Z") => fields
            .nth(16)
            .and_then(|threads| threads.parse::<u64>().ok())
            .is_none_or(|threads| threads <= 1),
        state => matches!(state, None | Some("X" | "x")),
    }
}

/// The fields from the third on.
fn fields_behind_name(stat: &[u8]) -> Option<impl Iterator<Item = &str>> {
    let end_of_name = stat.iter().rposition(|byte| *byte == b')')?;
    let behind_name = std::str::from_utf8(&stat[end_of_name + 1..]).ok()?;
    Some(behind_name.split_ascii_whitespace())
}

/// The boot that is now.
pub(crate) fn boot_id() -> &'static str {
    static BOOT: OnceLock<String> = OnceLock::new();
    BOOT.get_or_init(|| {
        small_file::read_text(Path::new("/proc/sys/kernel/random/boot_id"))
            .map(|id| id.trim().to_string())
            .unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::resource::{Resource, setrlimit};
    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::{ForkResult, fork};

    #[test]
    fn a_program_name_with_parentheses_and_blanks_does_not_shift_the_fields() {
        let stat = b"42 (a) b (c)) S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 0 0";
        assert_eq!(parse_start_ticks(stat), Some(987_654));
    }

    #[test]
    fn a_program_name_that_is_no_text_hides_nothing() {
        let stat = b"42 (\xff\xfe) S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 0 0";
        assert_eq!(parse_start_ticks(stat), Some(987_654));
        assert_eq!(parse_start_ticks(b"42 (a"), None);
        assert_eq!(parse_start_ticks(b"42 (a) \xff"), None);
    }

    #[test]
    fn a_process_that_nobody_has_waited_for_has_ended() {
        assert!(says_ended(b"42 (sleep S) Z 1 42"));
        assert!(says_ended(b"42 (sleep) X 1 42"));
        assert!(!says_ended(b"42 (Z) S 1 42"));
        assert!(says_ended(b""));
    }

    #[test]
    fn a_process_whose_first_thread_alone_has_ended_goes_on() {
        let with_threads = |threads: u64| {
            format!("42 (db) Z 1 42 42 0 -1 4227084 1 0 0 0 0 0 0 0 20 0 {threads} 0 987654 0 0")
        };
        assert!(!says_ended(with_threads(2).as_bytes()));
        assert!(says_ended(with_threads(1).as_bytes()));
        assert!(says_ended(with_threads(0).as_bytes()));
    }

    #[test]
    fn a_process_is_held_only_if_it_is_the_one_that_is_meant() {
        let this = ProcessIdentity::of(std::process::id() as i32).unwrap();
        let held = this.hold().unwrap().expect("it runs");
        assert!(!held.has_ended().unwrap());
        let later = ProcessIdentity {
            start_ticks: this.start_ticks + 1,
            ..this.clone()
        };
        assert!(later.hold().unwrap().is_none());
        // No process has a number that high (PID_MAX_LIMIT in Linux's include/linux/threads.h).
        let nobody = ProcessIdentity {
            pid: i32::MAX,
            ..this
        };
        assert!(nobody.hold().unwrap().is_none());
    }

    /// Regression test: for a command without descriptors left, every process had ended.
    #[test]
    fn a_process_that_cannot_be_held_is_not_taken_for_one_that_is_gone() {
        let this = ProcessIdentity::of(std::process::id() as i32).unwrap();
        boot_id();
        // SAFETY: the child asks the kernel, for which it allocates at most, as the C library allows after a fork, and ends at once.
        match unsafe { fork() }.unwrap() {
            ForkResult::Child => {
                let is_limited = setrlimit(Resource::RLIMIT_NOFILE, 0, 0).is_ok();
                let refused = this.hold().err().and_then(|error| error.raw_os_error());
                let is_told = is_limited && refused == Some(libc::EMFILE);
                // SAFETY: _exit(2) ends the process at once.
                unsafe { libc::_exit(i32::from(!is_told)) }
            }
            ForkResult::Parent { child } => {
                assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Exited(child, 0));
            }
        }
    }

    #[test]
    fn this_process_is_alive_and_one_that_started_at_another_time_is_not() {
        let this = ProcessIdentity::of(std::process::id() as i32).expect("own stat is readable");
        assert!(this.is_alive());
        let other = ProcessIdentity {
            start_ticks: this.start_ticks + 1,
            ..this.clone()
        };
        assert!(!other.is_alive());
        let earlier_boot = ProcessIdentity {
            boot: "another".into(),
            ..this
        };
        assert!(!earlier_boot.is_alive());
    }
}
