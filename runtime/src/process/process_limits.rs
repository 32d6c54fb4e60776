//! What a single process may use, and how readily it is killed for want of memory.
//!
//! Both are set from outside while the process waits at its gate: it may be in a user namespace, where it could not raise
//! either, and it needs neither more steps nor more files for it.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use minirun_netns::explain::{Explain, Explanation};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use oci_spec::runtime::{PosixRlimit, PosixRlimitType, Process};

use super::error::ProcessError;
use super::exit::RunningProcess;

/// The limits of one process, prepared.
#[derive(Clone, Debug, Default)]
pub struct ProcessLimits {
    limits: Vec<PosixRlimit>,
    score: Option<i32>,
}

/// `struct rlimit64` of the kernel.
#[repr(C)]
#[derive(Default)]
struct Limit {
    soft: u64,
    hard: u64,
}

impl ProcessLimits {
    /// Those that the Spec asks for.
    pub(super) fn of(process: &Process) -> ProcessLimits {
        ProcessLimits {
            limits: process.rlimits().clone().unwrap_or_default(),
            score: process.oom_score_adj(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.limits.is_empty() && self.score.is_none()
    }

    /// Sets them for a process that waits.
    pub(super) fn apply(&self, process: &RunningProcess) -> Result<(), ProcessError> {
        if self.is_empty() {
            return Ok(());
        }
        let failed = |what: String| {
            move |error: io::Error| ProcessError::Limit {
                what,
                errno: Errno::from_raw(error.raw_os_error().unwrap_or(0)),
            }
        };
        if let Some(score) = self.score {
            set_score(process, score).map_err(failed(format!("`--oom-score-adj {score}`")))?;
        }
        for limit in &self.limits {
            let shown = format!("`--ulimit {}`", word(limit.typ()));
            set(process, limit).map_err(failed(shown))?;
        }
        Ok(())
    }
}

impl Explain for ProcessLimits {
    fn explain(&self) -> Explanation {
        let shown = |value| match value {
            u64::MAX => "unlimited".to_owned(),
            value => value.to_string(),
        };
        let limits = self.limits.iter().map(|limit| {
            let (soft, hard) = (shown(limit.soft()), shown(limit.hard()));
            format!(" --{}={soft}:{hard}", word(limit.typ()))
        });
        let limits: String = limits.collect();
        let score = self
            .score
            .map(|score| format!("choom --adjust {score} --pid PID"));
        let limits = (!limits.is_empty()).then(|| format!("prlimit --pid PID{limits}"));
        let commands: Vec<String> = score.into_iter().chain(limits).collect();
        Explanation {
            sentence: "limit what each process may use".into(),
            command: commands.join(" && "),
        }
    }
}

/// The most that a process of the caller may have without privileges.
pub(crate) fn own_hard_limit(kind: PosixRlimitType) -> io::Result<u64> {
    let mut now = Limit::default();
    // SAFETY: the null pointer stands for no change, and the kernel writes one struct rlimit64 to where the other points.
    let result = unsafe {
        libc::syscall(
            libc::SYS_prlimit64,
            0,
            number(kind),
            std::ptr::null::<Limit>(),
            &raw mut now,
        )
    };
    Errno::result(result)?;
    Ok(now.hard)
}

fn set(process: &RunningProcess, limit: &PosixRlimit) -> io::Result<()> {
    let wanted = Limit {
        soft: limit.soft(),
        hard: limit.hard(),
    };
    require_alive(process)?;
    // SAFETY: the pointer names one struct rlimit64, and the null pointer says that what was before is not wanted.
    let result = unsafe {
        libc::syscall(
            libc::SYS_prlimit64,
            process.pid(),
            number(limit.typ()),
            &raw const wanted,
            std::ptr::null_mut::<Limit>(),
        )
    };
    Ok(Errno::result(result).map(drop)?)
}

/// The directory is opened before the process is seen to live, so it is that of no other.
fn set_score(process: &RunningProcess, score: i32) -> io::Result<()> {
    let directory = File::open(format!("/proc/{}", process.pid()))?;
    require_alive(process)?;
    // SAFETY: the descriptor is open, and the name is a C string.
    let file = unsafe {
        libc::openat(
            directory.as_raw_fd(),
            c"oom_score_adj".as_ptr(),
            libc::O_WRONLY | libc::O_CLOEXEC,
        )
    };
    // SAFETY: the kernel has just opened this descriptor for us and nobody else knows of it.
    let file = Errno::result(file).map(|file| unsafe { OwnedFd::from_raw_fd(file) })?;
    File::from(file).write_all(score.to_string().as_bytes())
}

/// Its number may pass to another when it has ended.
fn require_alive(process: &RunningProcess) -> io::Result<()> {
    let mut question = [PollFd::new(process.pidfd(), PollFlags::POLLIN)];
    match poll(&mut question, PollTimeout::ZERO)? {
        0 => Ok(()),
        _ => Err(Errno::ESRCH.into()),
    }
}

/// The kernel's number, and the word of prlimit(1).
fn place(kind: PosixRlimitType) -> (i64, &'static str) {
    let (number, word) = match kind {
        PosixRlimitType::RlimitCpu => (libc::RLIMIT_CPU, "cpu"),
        PosixRlimitType::RlimitFsize => (libc::RLIMIT_FSIZE, "fsize"),
        PosixRlimitType::RlimitData => (libc::RLIMIT_DATA, "data"),
        PosixRlimitType::RlimitStack => (libc::RLIMIT_STACK, "stack"),
        PosixRlimitType::RlimitCore => (libc::RLIMIT_CORE, "core"),
        PosixRlimitType::RlimitRss => (libc::RLIMIT_RSS, "rss"),
        PosixRlimitType::RlimitNproc => (libc::RLIMIT_NPROC, "nproc"),
        PosixRlimitType::RlimitNofile => (libc::RLIMIT_NOFILE, "nofile"),
        PosixRlimitType::RlimitMemlock => (libc::RLIMIT_MEMLOCK, "memlock"),
        PosixRlimitType::RlimitAs => (libc::RLIMIT_AS, "as"),
        PosixRlimitType::RlimitLocks => (libc::RLIMIT_LOCKS, "locks"),
        PosixRlimitType::RlimitSigpending => (libc::RLIMIT_SIGPENDING, "sigpending"),
        PosixRlimitType::RlimitMsgqueue => (libc::RLIMIT_MSGQUEUE, "msgqueue"),
        PosixRlimitType::RlimitNice => (libc::RLIMIT_NICE, "nice"),
        PosixRlimitType::RlimitRtprio => (libc::RLIMIT_RTPRIO, "rtprio"),
        PosixRlimitType::RlimitRttime => (libc::RLIMIT_RTTIME, "rttime"),
    };
    (i64::from(number), word)
}

fn number(kind: PosixRlimitType) -> i64 {
    place(kind).0
}

fn word(kind: PosixRlimitType) -> &'static str {
    place(kind).1
}
