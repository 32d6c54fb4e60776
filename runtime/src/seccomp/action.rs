//! What the kernel does when a program makes a system call.

/// `ENOSYS`, which tells a program that the kernel does not know a call.
pub const UNKNOWN_CALL: u16 = libc::ENOSYS as u16;

/// `EPERM`, the usual answer to a call that is not allowed.
pub const NOT_PERMITTED: u16 = libc::EPERM as u16;

/// The answer to a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is made.
    Allow,
    /// It is made, and the kernel's log says so.
    Log,
    /// It fails with this error number.
    Errno(u16),
    /// A tracer decides, who is told this number; without one it fails with `ENOSYS`.
    Trace(u16),
    /// The thread gets SIGSYS.
    Trap,
    /// The thread is killed.
    KillThread,
    /// The process is killed.
    KillProcess,
}

impl Action {
    /// What a filter returns for it: `SECCOMP_RET_…` with a number in the lower half.
    pub fn code(self) -> u32 {
        match self {
            Action::Allow => libc::SECCOMP_RET_ALLOW,
            Action::Log => libc::SECCOMP_RET_LOG,
            Action::Errno(number) => libc::SECCOMP_RET_ERRNO | u32::from(number),
            Action::Trace(number) => libc::SECCOMP_RET_TRACE | u32::from(number),
            Action::Trap => libc::SECCOMP_RET_TRAP,
            Action::KillThread => libc::SECCOMP_RET_KILL_THREAD,
            Action::KillProcess => libc::SECCOMP_RET_KILL_PROCESS,
        }
    }

    /// Whether the call may be made after all.
    pub fn is_permissive(self) -> bool {
        matches!(self, Action::Allow | Action::Log | Action::Trace(_))
    }
}
