//! A process of the host, held so that its number cannot pass to another.

use std::fs;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getsid};

/// A process that may be anybody's child: a command, a monitor, or the first process of a container.
#[derive(Debug)]
pub struct Process {
    pid: i32,
    handle: OwnedFd,
}

impl Process {
    /// Takes hold of the process with this number, as the machine counts.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[track_caller]
    pub fn open(pid: i32) -> Self {
        Self::find(pid).unwrap_or_else(|error| panic!("cannot watch process {pid}: {error}"))
    }

    /// The same for a process that may have gone meanwhile.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn find(pid: i32) -> std::io::Result<Self> {
        // SAFETY: pidfd_open takes two integers and returns a new descriptor or -1.
        let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        match i32::try_from(descriptor) {
            Ok(descriptor) if descriptor >= 0 => {
                // SAFETY: the descriptor was just returned by the kernel and belongs to nobody else.
                let handle = unsafe { OwnedFd::from_raw_fd(descriptor) };
                Ok(Self { pid, handle })
            }
            _ => Err(std::io::Error::last_os_error()),
        }
    }

    /// Its number, as the machine counts.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Its parent, which is the monitor if this is the first process of a container.
    ///
    /// # Panics
    ///
    /// If it has ended.
    #[track_caller]
    pub fn parent(&self) -> Self {
        let status = self.status();
        let line = status.lines().find_map(|line| line.strip_prefix("PPid:"));
        let parent = line.and_then(|text| text.trim().parse().ok());
        Self::open(parent.unwrap_or_else(|| panic!("process {} has no parent", self.pid)))
    }

    /// The numbers of its children, as the machine counts; none if it has ended.
    pub fn children(&self) -> Vec<i32> {
        let path = format!("/proc/{0}/task/{0}/children", self.pid);
        let listed = fs::read_to_string(path).unwrap_or_default();
        let numbers = listed.split_whitespace();
        numbers.filter_map(|number| number.parse().ok()).collect()
    }

    /// The number of its session.
    ///
    /// # Panics
    ///
    /// If it has ended.
    #[track_caller]
    pub fn session(&self) -> i32 {
        getsid(Some(Pid::from_raw(self.pid)))
            .unwrap_or_else(|error| panic!("cannot ask for a session: {error}"))
            .as_raw()
    }

    /// Its `/proc/<pid>/status`; empty if it has ended.
    pub fn status(&self) -> String {
        fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default()
    }

    /// How much memory it has written to and shares with nobody, in KiB; 0 if it has ended.
    pub fn private_memory(&self) -> u64 {
        self.memory(&["Private_Dirty:"])
    }

    /// The same, and what it has only read and nobody else has, in KiB: what the machine would have more without it.
    pub fn unshared_memory(&self) -> u64 {
        self.memory(&["Private_Dirty:", "Private_Clean:"])
    }

    /// The sum of these lines of its `smaps_rollup`, in KiB.
    fn memory(&self, kinds: &[&str]) -> u64 {
        let path = format!("/proc/{}/smaps_rollup", self.pid);
        let text = fs::read_to_string(path).unwrap_or_default();
        let amount = |line: &str| {
            let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
            rest.split_whitespace().next()?.parse::<u64>().ok()
        };
        text.lines().filter_map(amount).sum()
    }

    /// Waits until it waits for room in a pipe, and nothing comes of that for a while.
    ///
    /// The kernel has no event for that, so this asks again and again.
    ///
    /// # Panics
    ///
    /// If it ends first, or never waits.
    #[track_caller]
    pub fn awaits_held_back(&self) {
        let ask = |file: &str| {
            fs::read_to_string(format!("/proc/{}/{file}", self.pid)).unwrap_or_default()
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut written = String::new();
        while written != ask("io") || !ask("wchan").contains("pipe_w") {
            assert!(
                Instant::now() < deadline,
                "process {} is not held back",
                self.pid
            );
            written = ask("io");
            let ended = self.ends_within(Duration::from_millis(20));
            assert!(!ended, "process {} ended and was not held back", self.pid);
        }
    }

    /// Waits until it has opened a file whose name holds `fragment`: `pidfd` when it waits for another process.
    ///
    /// The kernel has no event for that, so this asks again and again.
    ///
    /// # Panics
    ///
    /// If it ends first.
    #[track_caller]
    pub fn awaits_open_file(&self, fragment: &str) {
        let directory = format!("/proc/{}/fd", self.pid);
        let holds = |entry: fs::DirEntry| {
            fs::read_link(entry.path())
                .is_ok_and(|target| target.to_string_lossy().contains(fragment))
        };
        while !fs::read_dir(&directory)
            .into_iter()
            .flatten()
            .flatten()
            .any(holds)
        {
            assert!(
                !self.ends_within(Duration::ZERO),
                "process {} ended before it opened `{fragment}`",
                self.pid
            );
            std::thread::yield_now();
        }
    }

    /// Waits until it waits for something itself.
    ///
    /// The kernel has no event for that, so this asks again and again.
    ///
    /// # Panics
    ///
    /// If it ends first.
    #[track_caller]
    pub fn awaits_sleep(&self) {
        while !self.status().contains("State:\tS") {
            assert!(
                !self.ends_within(Duration::ZERO),
                "process {} ended before it waited for anything",
                self.pid
            );
            std::thread::yield_now();
        }
    }

    /// Waits until it runs the program of this name.
    ///
    /// The kernel has no event for that, so this asks again and again.
    ///
    /// # Panics
    ///
    /// If it ends first.
    #[track_caller]
    pub fn awaits_name(&self, name: &str) {
        let path = format!("/proc/{}/comm", self.pid);
        while fs::read_to_string(&path).unwrap_or_default().trim_end() != name {
            assert!(
                !self.ends_within(Duration::ZERO),
                "process {} ended before it was called `{name}`",
                self.pid
            );
            std::thread::yield_now();
        }
    }

    /// Sends it a signal.
    ///
    /// # Panics
    ///
    /// If it is gone.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        // Lower numbers mean whole groups of processes, that of the tests first of all.
        assert!(self.pid > 0, "no process has the number {}", self.pid);
        kill(Pid::from_raw(self.pid), signal)
            .unwrap_or_else(|error| panic!("cannot signal process {}: {error}", self.pid));
    }

    /// Waits for its end. Says whether it came within `patience`.
    pub fn ends_within(&self, patience: Duration) -> bool {
        self.ends_before(Instant::now() + patience)
    }

    /// Waits for its end, at most until `deadline`.
    pub(crate) fn ends_before(&self, deadline: Instant) -> bool {
        loop {
            let mut waiting = [PollFd::new(self.handle.as_fd(), PollFlags::POLLIN)];
            match poll(&mut waiting, remaining(deadline)) {
                Ok(count) => return count > 0,
                Err(nix::Error::EINTR) => {}
                Err(error) => panic!("cannot wait for a process: {error}"),
            }
        }
    }
}

/// The time that is left, as poll(2) takes it.
pub(crate) fn remaining(deadline: Instant) -> PollTimeout {
    PollTimeout::try_from(deadline.saturating_duration_since(Instant::now()))
        .unwrap_or(PollTimeout::MAX)
}
