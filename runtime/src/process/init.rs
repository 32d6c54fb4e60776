//! The small first process that `--init` puts before the program.
//!
//! # Theory of operation
//!
//! 1. The container's first process has done all its steps: it has the root, the user and the capabilities of the
//!    program. It blocks every signal and forks ([`Init::stand_before`]). What is sent to it from now on waits until it
//!    listens, so none is lost.
//! 2. The child is the program to be. It leads a process group of its own, in the foreground if there is a terminal;
//!    otherwise Ctrl-C would reach it twice. It holds the gate, over which it tells if the program cannot be executed.
//! 3. The first process closes every descriptor, the gate and the streams among them: the end of the program's output
//!    is the end of the program's output. Then it does nothing but wait for signals ([`live`]): it passes them on to the
//!    child, and reaps whoever has ended. When that is the child, it ends with the child's exit code, and with it the
//!    kernel ends everything else in the container (pid_namespaces(7)).
//!
//! It runs minirun's own code, and its memory is that of the monitor it was born from. So it has been closed to the eyes
//! of others before (`HideFromOthers`): without `CAP_SYS_PTRACE` nobody in the container can follow `/proc/1/exe` to the
//! executable on the host, or read `/proc/1/mem`. The child stays closed until the kernel opens it on exec.
//!
//! Everything but [`Init::prepare`] happens in the child of a clone: system calls, and no allocation.

use std::fs;
use std::ops::Range;
use std::ptr::with_exposed_provenance_mut;

use nix::errno::Errno;

use super::child::{block_signals, exit};
use super::clone::fork_child;
use super::exit::Exit;

/// Every signal there is, one bit each. The kernel leaves SIGKILL and SIGSTOP out by itself.
const ALL: u64 = u64::MAX;

/// What the process is called in listings of processes.
const NAME: &[u8; 5] = b"init\0";

/// The fields of `/proc/self/stat` that say where the command line lies (proc(5)), counted from the third, which is the
/// first behind the name of the program.
const ARG_START: usize = 48 - 3;
const ARG_END: usize = 49 - 3;

/// The first process, prepared.
#[derive(Debug)]
pub struct Init {
    /// Where the kernel reads the command line of this process, and with that of its children.
    command_line: Range<usize>,
}

impl Init {
    /// Finds out what the child cannot. A host without `/proc` shows no command lines either, so there is nothing to
    /// change about them.
    pub(super) fn prepare() -> Init {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        Init {
            command_line: command_line(&stat).unwrap_or_default(),
        }
    }

    /// Forks. Returns in the child, which goes on to the program; its parent never does.
    pub(super) fn stand_before(&self) -> Result<(), Errno> {
        block_signals(ALL)?;
        // SAFETY: both processes are in the child of a clone already and keep to its rules: they neither allocate nor
        // take a lock.
        match unsafe { fork_child() }? {
            None => become_foreground().and_then(|()| block_signals(0)),
            Some(pid) => {
                self.take_name();
                live(pid)
            }
        }
    }

    /// The command line of minirun says where things lie on the host, and is of no use to anybody in the container.
    fn take_name(&self) {
        // SAFETY: the pointer names a C string.
        unsafe { libc::prctl(libc::PR_SET_NAME, NAME.as_ptr(), 0, 0, 0) };
        let length = self.command_line.len();
        if length <= NAME.len() {
            return;
        }
        let text: *mut u8 = with_exposed_provenance_mut(self.command_line.start);
        // SAFETY: the kernel told that this range holds the words that minirun was executed with. They lie on the
        // process's first stack page, which is mapped and writable as long as it lives, and which is this process's own
        // copy. No Rust value lies there, and nobody in this process asks for its arguments any more. The name is
        // shorter than the range. A last byte that is no NUL tells the kernel that the first NUL ends the line.
        unsafe {
            text.write_bytes(0, length);
            text.copy_from_nonoverlapping(NAME.as_ptr(), NAME.len());
            text.add(length - 1).write(b' ');
        }
    }
}

/// Where the command line lies, as `/proc/self/stat` says. The name of the program may hold spaces and parentheses.
fn command_line(stat: &str) -> Option<Range<usize>> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let field = |index: usize| fields.split_whitespace().nth(index)?.parse::<usize>().ok();
    let range = field(ARG_START)?..field(ARG_END)?;
    (range.start != 0 && range.start < range.end).then_some(range)
}

/// Leads a process group of its own, which is the one that a terminal speaks to. Signals are blocked still, so the
/// terminal does not stop a process for asking from the background.
fn become_foreground() -> Result<(), Errno> {
    // SAFETY: setpgid touches no memory of ours.
    Errno::result(unsafe { libc::setpgid(0, 0) })?;
    // SAFETY: getpid touches no memory of ours and cannot fail.
    let group = unsafe { libc::getpid() };
    // SAFETY: the pointer names one process number.
    let result = unsafe { libc::ioctl(0, libc::TIOCSPGRP, &raw const group) };
    match Errno::result(result) {
        // Standard input is no terminal, or not that of this session.
        Ok(_) | Err(Errno::ENOTTY) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// The rest of the first process's life.
fn live(program: i32) -> ! {
    // SAFETY: closes descriptors of this process that nobody here uses any more.
    unsafe { libc::syscall(libc::SYS_close_range, 0, u32::MAX, 0) };
    loop {
        match next_signal() {
            Ok(libc::SIGCHLD) => {
                if let Some(end) = reap(program) {
                    exit(end.exit_code());
                }
            }
            // A program that took on another user is out of reach for a first process without CAP_KILL.
            // SAFETY: kill touches no memory of ours. The number is that of a child that was not reaped yet, so it
            // belongs to nobody else.
            Ok(signal) => drop(unsafe { libc::kill(program, signal) }),
            // A stop and the continuation interrupt the wait.
            Err(_) => {}
        }
    }
}

/// Waits for a signal and takes it.
fn next_signal() -> Result<i32, Errno> {
    let wanted = ALL;
    // SAFETY: the pointer names a set of 64 signals, whose size in bytes is given; what else is known of the signal and
    // a limit of time are not wanted.
    let result = unsafe {
        libc::syscall(
            libc::SYS_rt_sigtimedwait,
            &raw const wanted,
            std::ptr::null::<libc::siginfo_t>(),
            std::ptr::null::<libc::timespec>(),
            size_of::<u64>(),
        )
    };
    Errno::result(result).map(|signal| signal as i32)
}

/// Reaps everybody who has ended; one signal may stand for several. Says how the program ended, if it was among them.
fn reap(program: i32) -> Option<Exit> {
    let mut end = None;
    loop {
        let mut status = 0;
        // SAFETY: the pointer names the place where one number is written.
        match unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) } {
            ..=0 => return end,
            pid if pid == program && libc::WIFSIGNALED(status) => {
                end = Some(Exit::Signal(libc::WTERMSIG(status)));
            }
            pid if pid == program => end = Some(Exit::Code(libc::WEXITSTATUS(status))),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use nix::pty::{ForkptyResult, forkpty};
    use nix::sys::wait::{WaitStatus, waitpid};

    use super::*;

    #[test]
    fn the_command_line_is_found_whatever_the_program_is_called() {
        let stat = fs::read_to_string("/proc/self/stat").expect("this process");
        let range = command_line(&stat).expect("a command line");
        let shown = fs::read("/proc/self/cmdline").expect("this process");
        assert_eq!(range.len(), shown.len());
        let (number, rest) = stat.split_once(" (").expect("a name");
        let (_, rest) = rest.rsplit_once(") ").expect("a name");
        let odd = format!("{number} (a) b) {rest}");
        assert_eq!(command_line(&odd), Some(range));
        assert_eq!(command_line("1 (a) R 0 0"), None);
        assert_eq!(command_line(""), None);
    }

    #[test]
    fn the_program_is_in_the_foreground_of_its_terminal() {
        // SAFETY: the child, which the terminal is the controlling one of, makes system calls only.
        let fork = unsafe { forkpty(None, None) }.expect("a terminal");
        let ForkptyResult::Parent { child, master } = fork else {
            exit(in_foreground().unwrap_or(100));
        };
        let ended = waitpid(child, None);
        drop(master);
        assert_eq!(ended, Ok(WaitStatus::Exited(child, 7)));
    }

    /// As `stand_before` does it. The child says by 7 that its own group is in the foreground, and that it was not stopped.
    fn in_foreground() -> Result<i32, Errno> {
        block_signals(ALL)?;
        // SAFETY: both processes make system calls only.
        match unsafe { fork_child() }? {
            None => {
                become_foreground().and_then(|()| block_signals(0))?;
                // SAFETY: neither touches memory of ours.
                let (group, own) = unsafe { (libc::tcgetpgrp(0), libc::getpgrp()) };
                // SAFETY: getpid touches no memory of ours.
                let is_leader = own == unsafe { libc::getpid() };
                exit(if is_leader && group == own { 7 } else { 1 });
            }
            Some(pid) => loop {
                match next_signal() {
                    Ok(libc::SIGCHLD) => {
                        if let Some(end) = reap(pid) {
                            return Ok(end.exit_code());
                        }
                    }
                    _ => continue,
                }
            },
        }
    }
}
