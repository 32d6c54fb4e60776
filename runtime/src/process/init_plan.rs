//! From a Spec to the steps of a container's first process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use oci_spec::runtime::{Linux, LinuxNamespaceType, Spec};

use super::error::ProcessError;
use super::init::Init;
use super::init_step::{Console, InitStep};
use super::mount_options::root_propagation;
use super::overlay::OverlayRoot;
use super::process_limits::ProcessLimits;
use super::process_steps::{first_steps, last_steps, terminal_step};
use super::root_steps;
use super::step_moments::StepMoments;
use super::text::{c_string, relative_to_root};
use super::user_steps;
use crate::seccomp::filter::Filter;
use crate::user_ids::IdRange;

/// Everything that a container's first process does, prepared.
#[derive(Debug)]
pub struct InitPlan {
    pub(super) steps: Arc<[InitStep]>,
    /// `CLONE_NEW…` flags for the clone.
    pub(super) namespaces: u64,
    pub(super) limits: ProcessLimits,
    /// The users of the container, if it has a user namespace of its own.
    pub(super) users: Option<IdRange>,
    /// Where the process notes when each step is done, if somebody wants to know.
    pub(super) moments: Option<StepMoments>,
}

/// Who is the first process of a container, to which the kernel sends all orphans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstProcess {
    /// The program itself.
    Program,
    /// A small process of ours that stands before the program, passes signals on and reaps orphans.
    Init,
}

/// What interfaces that come into the container's network namespace before its program begins have of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewInterfaces {
    /// Whatever the kernel gives them; who brings them sees to it.
    AsUsual,
    /// Nothing, where that is possible: [`crate::process::HeldProcess::gives_interfaces_no_ipv6`].
    WithoutIpv6,
}

impl InitPlan {
    /// Prepares the start of the Spec's process in the root file system `root`. Touches nothing.
    ///
    /// Of the Spec's namespaces each must be a new one. The root of the cgroup namespace is the cgroup that the process
    /// is cloned into. `volumes` is the directory of the volumes, in whose content no symbolic link leads a mount astray.
    /// The filter of system calls is given as it is to be applied; the Spec only mentions it.
    pub fn prepare(
        (spec, filter): (&Spec, Option<Filter>),
        root: &OverlayRoot,
        (first, interfaces): (FirstProcess, NewInterfaces),
        volumes: &Path,
    ) -> Result<Self, ProcessError> {
        let process = spec
            .process()
            .as_ref()
            .ok_or(ProcessError::Incomplete { part: "process" })?;
        let linux = spec
            .linux()
            .as_ref()
            .ok_or(ProcessError::Incomplete { part: "linux" })?;
        let namespaces = namespaces(linux)?;
        let users = user_steps::range_of(linux)?;
        let mut steps = first_steps();
        steps.push(InitStep::DropMemoryProtection);
        steps.push(InitStep::SetUmask { mask: 0 });
        steps.extend(file_system_steps((spec, linux), root, volumes)?);
        let switches_ipv6 = interfaces == NewInterfaces::WithoutIpv6
            && users.is_none()
            && has_usual_ipv6(linux)
            && switch_ipv6_off(&mut steps);
        steps.extend(terminal_step(process, Console::Shown));
        if let Some(ids) = users {
            steps = user_steps::shift(steps, root, ids)?;
            steps.extend(user_steps::enter(process, ids)?);
        }
        let last = last_steps(process, filter)?;
        steps.extend(user_steps::inside(last.before_gate, users));
        steps.push(InitStep::WaitAtGate);
        if switches_ipv6 {
            steps.push(InitStep::RestoreIpv6);
        }
        steps.extend(user_steps::inside(last.after_gate, users));
        if first == FirstProcess::Init {
            // Behind the program's identity, which is that of both, and before its execution.
            let before_program = steps.len() - 1;
            steps.insert(before_program, InitStep::StandBefore(Init::prepare()));
        }
        Ok(Self {
            steps: steps.into(),
            namespaces,
            limits: ProcessLimits::of(process),
            users,
            moments: None,
        })
    }

    /// The same, and the process will note when each step is done.
    ///
    /// # Errors
    ///
    /// If there is no memory to share with the process.
    pub fn timed(self) -> Result<Self, ProcessError> {
        let moments = StepMoments::share(self.steps.len())
            .map_err(|errno| ProcessError::gate("share memory beside", errno))?;
        Ok(Self {
            moments: Some(moments),
            ..self
        })
    }

    /// The steps before the gate, each with how long ago it was done, if that was noted.
    pub fn done_before_gate(&self) -> impl Iterator<Item = (&InitStep, Option<Duration>)> {
        let ages = (0..).map(|index| self.age(index));
        self.steps_before_gate().iter().zip(ages)
    }

    /// The steps after the gate, likewise. It is not noted any more when a filter of system calls is in force that could refuse to tell
    /// the time.
    pub fn done_after_gate(&self) -> impl Iterator<Item = (&InitStep, Option<Duration>)> {
        let ages = (self.gate_index()..).map(|index| self.age(index));
        self.steps_after_gate().iter().zip(ages)
    }

    fn age(&self, index: usize) -> Option<Duration> {
        self.moments.as_ref()?.age(index)
    }

    /// What is set from outside before the program begins.
    pub fn limits(&self) -> &ProcessLimits {
        &self.limits
    }

    /// The steps in their order.
    pub fn steps(&self) -> &[InitStep] {
        &self.steps
    }

    /// The steps that are done when `HeldProcess::wait_root_ready` returns.
    pub fn steps_before_gate(&self) -> &[InitStep] {
        &self.steps[..self.gate_index()]
    }

    /// The steps that `HeldProcess::release` lets happen, the last of which is the program.
    pub fn steps_after_gate(&self) -> &[InitStep] {
        &self.steps[self.gate_index()..]
    }

    fn gate_index(&self) -> usize {
        self.steps
            .iter()
            .position(|step| matches!(step, InitStep::WaitAtGate))
            .unwrap_or(self.steps.len())
    }
}

/// Whether the user wants nothing of the settings of IPv6.
fn has_usual_ipv6(linux: &Linux) -> bool {
    let mut sysctls = linux.sysctl().iter().flatten();
    sysctls.all(|(name, _)| !name.replace('/', ".").starts_with("net.ipv6."))
}

/// Inserts that behind the mount of /proc, if there is one; says whether.
fn switch_ipv6_off(steps: &mut Vec<InitStep>) -> bool {
    let is_proc =
        |step: &InitStep| matches!(step, InitStep::MountFileSystem(mount) if mount.is_proc());
    match steps.iter().position(is_proc) {
        Some(mounted) => {
            steps.insert(mounted + 1, InitStep::SwitchIpv6Off);
            true
        }
        None => false,
    }
}

fn namespaces(linux: &Linux) -> Result<u64, ProcessError> {
    let mut flags = 0;
    for namespace in linux.namespaces().as_deref().unwrap_or_default() {
        let kind = namespace.typ();
        let supported = kind != LinuxNamespaceType::Time;
        if !supported || namespace.path().is_some() {
            return Err(ProcessError::UnsupportedNamespace {
                kind: kind.to_string(),
            });
        }
        flags |= kind as u64;
    }
    // Without a mount namespace of its own the steps would change the host's mounts.
    if flags & libc::CLONE_NEWNS as u64 == 0 {
        return Err(ProcessError::Incomplete {
            part: "linux.namespaces[mount]",
        });
    }
    Ok(flags)
}

/// The order is that of need: devices lie on a mount, the root is changed when all is mounted, the working directory is
/// made before the root is closed to writes, kernel parameters are written before /proc/sys is, and /dev/null must be
/// there to hide a file with it.
fn file_system_steps(
    (spec, linux): (&Spec, &Linux),
    root: &OverlayRoot,
    volumes: &Path,
) -> Result<Vec<InitStep>, ProcessError> {
    let mounts = spec.mounts().as_deref().unwrap_or_default();
    let propagation = root_propagation(linux.rootfs_propagation().as_deref());
    let flags = root_steps::overlay_flags(linux);
    let mut steps = root_steps::root(root, (mounts, volumes), (propagation, flags))?;
    steps.extend(root_steps::devices(spec, linux)?);
    steps.push(InitStep::PivotRoot);
    // The root itself is always there.
    if let Some(process) = spec.process()
        && process.cwd() != Path::new("/")
    {
        steps.push(InitStep::MakeWorkingDirectory {
            path: relative_to_root("working directory", process.cwd())?,
        });
    }
    if spec.root().as_ref().and_then(|root| root.readonly()) == Some(true) {
        steps.push(InitStep::MakeRootReadOnly);
    }
    if let Some(name) = spec.hostname() {
        steps.push(InitStep::SetHostname {
            name: c_string("host name", name)?,
        });
    }
    steps.extend(root_steps::sysctls(linux)?);
    steps.extend(root_steps::closed_paths(linux)?);
    Ok(steps)
}
