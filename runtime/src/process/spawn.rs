//! Spawning a container's first process, and holding it until its network is ready.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use minirun_netns::Namespace;
use minirun_netns::explain::Explain;
use nix::errno::Errno;

use super::child;
use super::clone::{Cloned, clone_child};
use super::error::ProcessError;
use super::exit::{Parent, RunningProcess, WhenDropped};
use super::gate::{self, Report};
use super::init_plan::InitPlan;
use super::init_step::InitStep;
use super::process_limits::ProcessLimits;
use super::standard_streams::ChildStdio;
use super::text::shown;
use super::user_namespace::UserNamespace;

/// A child that has not run its program yet. Dropping it kills and reaps the process.
#[derive(Debug)]
pub struct HeldProcess {
    // Dropped first, so that the kill comes before the gate closes.
    process: RunningProcess,
    gate: OwnedFd,
    steps: Arc<[InitStep]>,
    limits: ProcessLimits,
    progress: Progress,
    /// What the child said while something else was waited for.
    unread: Option<Report>,
    /// Whether it sees to it that interfaces come without IPv6, once that is known.
    interfaces: Option<bool>,
    /// The other end of the child's terminal, from when the root is ready until it is taken.
    terminal: Option<OwnedFd>,
    /// The child enters it before it waits at the gate.
    _users: Option<UserNamespace>,
}

/// The namespaces that the holder of a user namespace is cloned into instead of the child.
const OF_HOLDER: u64 = (libc::CLONE_NEWUSER | libc::CLONE_NEWNET) as u64;

/// How long to wait until a process has its /proc, which it makes among the first.
const PATIENCE_WITH_INTERFACES: Duration = Duration::from_millis(20);

/// How far a child is known to have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    MakingRoot,
    RootReady,
}

/// Clones the first process of a container into the Spec's namespaces and, if its directory is given, into a cgroup of
/// version 2. If the Spec wants a network namespace and there is one already, it is born into that; one that has users of
/// its own cannot be, because its network must be theirs.
///
/// The process dies with the calling thread. Only the network namespace is complete when this returns; for the file
/// system there is `HeldProcess::wait_root_ready`.
pub fn spawn(
    plan: &InitPlan,
    stdio: ChildStdio<'_>,
    (cgroup, ready): (Option<BorrowedFd<'_>>, Option<&Namespace>),
) -> Result<HeldProcess, ProcessError> {
    let (ours, theirs) = make_gate()?;
    let streams = stdio.raw();
    let network = plan.namespaces & libc::CLONE_NEWNET as u64;
    let users = match plan.users {
        Some(ids) => Some(UserNamespace::make(ids, network)?),
        None => None,
    };
    let ready = ready.filter(|_| users.is_none() && network != 0);
    let made = match (&users, ready) {
        (Some(_), _) => OF_HOLDER,
        (None, Some(_)) => network,
        (None, None) => 0,
    };
    let users_fd = users.as_ref().map(|users| users.as_fd().as_raw_fd());
    let give_birth = || {
        // SAFETY: the child goes straight to `live`, which neither allocates nor takes a lock, and never returns.
        match unsafe { clone_child(plan.namespaces & !made, cgroup) } {
            Ok(Cloned::Child) => {
                let steps = (&*plan.steps, plan.moments.as_ref());
                child::live(steps, streams, theirs.as_raw_fd(), users_fd)
            }
            Ok(Cloned::Parent { pid, pidfd }) => Ok((pid, pidfd)),
            Err(errno) => Err(ProcessError::Clone { errno }),
        }
    };
    let (pid, pidfd) = match (&users, ready) {
        (Some(users), _) if network != 0 => users.network()?.run(give_birth)??,
        (_, Some(ready)) => ready.run(give_birth)??,
        _ => give_birth()?,
    };
    let process = RunningProcess::new(pid, pidfd, Parent::Caller);
    Ok(HeldProcess {
        _users: users,
        ..HeldProcess::new(
            process,
            ours,
            (Arc::clone(&plan.steps), plan.limits.clone()),
        )
    })
}

pub(super) fn make_gate() -> Result<(OwnedFd, OwnedFd), ProcessError> {
    gate::pair().map_err(|errno| ProcessError::gate("make", errno))
}

impl HeldProcess {
    pub(super) fn new(
        process: RunningProcess,
        gate: OwnedFd,
        (steps, limits): (Arc<[InitStep]>, ProcessLimits),
    ) -> Self {
        Self {
            process,
            gate,
            steps,
            limits,
            progress: Progress::MakingRoot,
            unread: None,
            interfaces: None,
            terminal: None,
            _users: None,
        }
    }

    /// The process, as the caller's process namespace counts.
    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// A descriptor that means this process for ever.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.process.pidfd()
    }

    /// Opens the network namespace of the process, which lives as long as the descriptor or the process does.
    pub fn network_namespace(&self) -> Result<OwnedFd, ProcessError> {
        let path = PathBuf::from(format!("/proc/{}/ns/net", self.pid()));
        match File::open(&path) {
            Ok(file) => Ok(file.into()),
            Err(error) => Err(ProcessError::OpenNamespace {
                path,
                errno: error_number(&error),
            }),
        }
    }

    /// Whether interfaces that come into its network namespace have no IPv6 until its program begins. If the process is to see to that,
    /// this waits a little until it has. One that takes longer may have something to wait for itself; then the answer is no, which holds
    /// whatever it does later: others see to it.
    pub fn gives_interfaces_no_ipv6(&mut self) -> bool {
        if let Some(known) = self.interfaces {
            return known;
        }
        let sees_to_it = |step: &InitStep| matches!(step, InitStep::SwitchIpv6Off);
        let answer = self.steps.iter().any(sees_to_it) && self.hears_of_no_ipv6();
        self.interfaces = Some(answer);
        answer
    }

    /// This is the first that a process which sees to it says, unless it fails before.
    fn hears_of_no_ipv6(&mut self) -> bool {
        if !gate::has_report_within(self.gate.as_fd(), PATIENCE_WITH_INTERFACES) {
            return false;
        }
        match self.next_report() {
            Ok(Some(Report::Interfaces(without_ipv6))) => without_ipv6,
            Ok(report) => {
                self.unread = report;
                false
            }
            // Whoever waits for the root meets it again.
            Err(_) => false,
        }
    }

    /// Waits until every step before the gate is done. Returns at once if it did before.
    pub fn wait_root_ready(&mut self) -> Result<(), ProcessError> {
        if self.progress == Progress::RootReady {
            return Ok(());
        }
        loop {
            let report = match self.unread.take() {
                Some(report) => Some((report, None)),
                None => gate::next_report_with(self.gate.as_fd())
                    .map_err(|errno| ProcessError::gate("read", errno))?,
            };
            match report {
                // Nobody was interested.
                Some((Report::Interfaces(_), _)) => {}
                Some((Report::Ready, _)) => {
                    self.progress = Progress::RootReady;
                    return Ok(());
                }
                Some((Report::Terminal, Some(terminal))) => self.terminal = Some(terminal),
                Some((report, _)) => return Err(self.failure(report)),
                None => return Err(self.death()),
            }
        }
    }

    /// The other end of the child's terminal, once its root is ready; none if it has no terminal, or it was taken before.
    pub fn take_terminal(&mut self) -> Option<OwnedFd> {
        self.terminal.take()
    }

    /// Opens the gate and waits until the program runs. On failure the process is gone.
    pub fn release(mut self) -> Result<RunningProcess, ProcessError> {
        self.open_gate()?;
        if let Some(report) = self.next_report()? {
            return Err(self.failure(report));
        }
        self.process.set_when_dropped(WhenDropped::Leave);
        Ok(self.process)
    }

    fn open_gate(&mut self) -> Result<(), ProcessError> {
        self.wait_root_ready()?;
        self.limits.apply(&self.process)?;
        match gate::open(self.gate.as_fd()) {
            // A child that was killed while it waited is found out by the wait below.
            Ok(()) | Err(Errno::EPIPE) => Ok(()),
            Err(errno) => Err(ProcessError::gate("open", errno)),
        }
    }

    fn next_report(&self) -> Result<Option<Report>, ProcessError> {
        gate::next_report(self.gate.as_fd()).map_err(|errno| ProcessError::gate("read", errno))
    }

    fn failure(&self, report: Report) -> ProcessError {
        match report {
            Report::Failed(index, errno) => match self.steps.get(index as usize) {
                Some(step) => failure_of_step(step, errno),
                None => unexpected_report(),
            },
            Report::NotEntered(errno) => ProcessError::Enter { errno },
            _ => unexpected_report(),
        }
    }

    /// The child closed the gate without a word before it came to its program.
    fn death(&mut self) -> ProcessError {
        self.process.set_when_dropped(WhenDropped::Leave);
        match self.process.wait() {
            Ok(exit) => ProcessError::Died { exit },
            Err(error) => error,
        }
    }
}

/// What a failed step means for whoever asked for it.
pub(super) fn failure_of_step(step: &InitStep, errno: Errno) -> ProcessError {
    match step {
        InitStep::Execute(program) => match errno {
            Errno::ENOENT | Errno::ENOTDIR => ProcessError::CommandNotFound {
                command: program.command(),
            },
            _ => ProcessError::CommandNotExecutable {
                command: program.command(),
                errno,
            },
        },
        InitStep::MakeWorkingDirectory { path } => ProcessError::WorkingDirectory {
            directory: format!("/{}", shown(path)),
            errno,
        },
        InitStep::ChangeDirectory { path } => ProcessError::WorkingDirectory {
            directory: shown(path),
            errno,
        },
        InitStep::TakeTerminal(_) => ProcessError::Terminal { errno },
        InitStep::ShiftDirectory { path } => ProcessError::Shift {
            directory: shown(path),
            errno,
        },
        InitStep::BindMount(mount) if errno == Errno::EOPNOTSUPP => ProcessError::Shift {
            directory: mount.source.shown(),
            errno,
        },
        InitStep::BindMount(mount) => ProcessError::Mount {
            origin: mount.source.shown(),
            target: format!("/{}", shown(&mount.target)),
            errno,
        },
        InitStep::MountFileSystem(mount) => ProcessError::Mount {
            origin: shown(&mount.kind),
            target: format!("/{}", shown(&mount.target)),
            errno,
        },
        step => ProcessError::Step {
            sentence: step.explain().sentence,
            errno,
        },
    }
}

fn unexpected_report() -> ProcessError {
    ProcessError::gate("understand", Errno::EBADMSG)
}

fn error_number(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(0))
}
