//! The root of a container as a mount that no name leads to.
//!
//! Whoever reads or writes a container's files from outside holds them by such a descriptor. It is had by a helper process,
//! which is in the container's mount namespace, or in one of its own where it mounts what a stopped container has, clones
//! the mounts there, and hands the clone over. The caller itself enters no namespace, nothing of the container is ever
//! executed, and what is mounted for a stopped container is gone when the descriptor is closed.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;

use nix::errno::Errno;
use oci_spec::runtime::Mount;

use super::child::{self, ChildState};
use super::clone::{Cloned, clone_child};
use super::error::ProcessError;
use super::exit::{Reap, wait_for};
use super::gate::{self, Report};
use super::init_step::InitStep;
use super::mount_options::root_propagation;
use super::overlay::OverlayRoot;
use super::root_steps;
use super::spawn::{failure_of_step, make_gate};
use super::system_call::{self, Depth, MOUNT_ATTR_NODEV, MountAttributes, set_mount_attributes};

const CLOSED: MountAttributes = MountAttributes {
    set: MOUNT_ATTR_NODEV,
    clear: 0,
    propagation: 0,
    user_namespace: 0,
};

/// What of a running container's mounts is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootView {
    /// All of them, as its processes see them.
    Mounted,
    /// The root file system alone: where something is mounted, what lies below it.
    Alone,
}

/// Whether what is mounted for a stopped container may be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootWrites {
    /// It may.
    Allowed,
    /// The root refuses them, as it does while the container runs.
    Refused,
}

/// Everything that makes the root of a stopped container, prepared.
#[derive(Debug)]
pub struct RootPlan {
    steps: Vec<InitStep>,
}

impl RootPlan {
    /// Prepares the root with these mounts in it, some of which may be in the directory of the `volumes`. Touches nothing.
    pub fn prepare(
        root: &OverlayRoot,
        (mounts, volumes): (&[Mount], &Path),
        writes: RootWrites,
    ) -> Result<Self, ProcessError> {
        let mut steps = vec![InitStep::SetUmask { mask: 0 }];
        steps.extend(root_steps::root(
            root,
            (mounts, volumes),
            (root_propagation(None), libc::MS_NODEV),
        )?);
        if writes == RootWrites::Refused {
            steps.push(InitStep::MakeRootReadOnly);
        }
        Ok(Self { steps })
    }
}

/// The root of the running container whose first process has this process descriptor.
pub fn clone_running_root(target: BorrowedFd<'_>, view: RootView) -> Result<OwnedFd, ProcessError> {
    let depth = match view {
        RootView::Mounted => Depth::Recursive,
        RootView::Alone => Depth::Single,
    };
    let target = target.as_raw_fd();
    ask_helper(&[], 0, |gate| {
        match enter_mounts(target).and_then(|()| closed_tree(depth)) {
            Ok(tree) => hand_over(gate, &tree),
            Err(errno) => child::fail(gate, Report::NotEntered(errno)),
        }
    })
}

/// The root of a container that does not run. The caller keeps it from being started meanwhile.
pub fn clone_stopped_root(plan: &RootPlan) -> Result<OwnedFd, ProcessError> {
    ask_helper(&plan.steps, libc::CLONE_NEWNS as u64, |gate| {
        let mut state = ChildState::new();
        if let Err((index, errno)) = child::apply_all((&plan.steps, None), &mut state) {
            child::fail(gate, Report::Failed(index, errno));
        }
        let cloned = state
            .root()
            .and_then(|root| system_call::clone_tree_at(root, Depth::Recursive));
        match cloned {
            Ok(tree) => hand_over(gate, &tree),
            Err(errno) => child::fail(gate, Report::NotEntered(errno)),
        }
    })
}

/// Lets a process of its own do the work, which ends with a report, and takes the descriptor that comes with it.
///
/// `work` runs in a fresh child: no allocation.
fn ask_helper(
    steps: &[InitStep],
    namespaces: u64,
    work: impl FnOnce(RawFd),
) -> Result<OwnedFd, ProcessError> {
    let (ours, theirs) = make_gate()?;
    // SAFETY: the child does nothing but `work`, which neither allocates nor takes a lock, and never returns.
    let cloned =
        unsafe { clone_child(namespaces, None) }.map_err(|errno| ProcessError::Clone { errno })?;
    let Cloned::Parent { pidfd, .. } = cloned else {
        work(theirs.as_raw_fd());
        child::exit(0)
    };
    drop(theirs);
    let report = gate::next_report_with(ours.as_fd());
    let exit = wait_for(pidfd.as_fd(), Reap::Now);
    let unexpected = || ProcessError::gate("understand", Errno::EBADMSG);
    match report.map_err(|errno| ProcessError::gate("read", errno))? {
        Some((Report::Ready, Some(tree))) => Ok(tree),
        Some((Report::NotEntered(errno), _)) => Err(ProcessError::Enter { errno }),
        Some((Report::Failed(index, errno), _)) => Err(steps
            .get(index as usize)
            .map_or_else(unexpected, |step| failure_of_step(step, errno))),
        Some(_) => Err(unexpected()),
        None => match exit {
            Ok(exit) => Err(ProcessError::Died { exit }),
            Err(errno) => Err(ProcessError::gate("read", errno)),
        },
    }
}

/// Called in the helper: no allocation.
fn hand_over(gate: RawFd, tree: &OwnedFd) {
    // A caller that is gone does not need it.
    let _ = gate::send_with(gate, Report::Ready, tree.as_fd());
}

/// The mounts of this namespace, in which no device can be opened, so that nobody outside is led to one by a container that it
/// is not meant for. Called in the helper: no allocation.
fn closed_tree(depth: Depth) -> Result<OwnedFd, Errno> {
    let tree = system_call::clone_tree(c"/", depth)?;
    set_mount_attributes(tree.as_fd(), depth, CLOSED)?;
    Ok(tree)
}

/// The root and the working directory of this process become those of the namespace, whatever root the container's first
/// process has chosen for itself.
fn enter_mounts(target: RawFd) -> Result<(), Errno> {
    // SAFETY: setns touches no memory of ours; this process has a single thread.
    Errno::result(unsafe { libc::setns(target, libc::CLONE_NEWNS) }).map(drop)
}
