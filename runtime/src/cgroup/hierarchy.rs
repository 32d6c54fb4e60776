//! Where the kernel shows its control groups: in one tree (version 2), in one for each controller (version 1), or in both.

use super::directory::levels;
use super::error::CgroupError;
use crate::resources::group_parent::GroupParent;
use nix::errno::Errno;
use nix::sys::statfs::{CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, FsType, statfs};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where the version 2 hierarchy is: alone, or beside the old ones.
const MOUNT_POINTS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

/// Where the old ones are, each by the name of its controller.
const LEGACY: &str = "/sys/fs/cgroup";

/// The controllers of version 2 that count.
const COUNTING: [&str; 3] = ["memory", "pids", "io"];

/// What the kernel shares out by control groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controller {
    /// Reading from and writing to disks.
    Block,
    /// Processor time.
    Cpu,
    /// Which processors and memory nodes are used.
    Cpuset,
    /// Which devices are used; version 2 has a filter for that, which is no controller.
    Devices,
    /// Standing still; version 2 needs no controller for that.
    Freezer,
    /// Memory.
    Memory,
    /// Processes and threads.
    Pids,
}

impl Controller {
    /// All of them.
    pub const ALL: [Controller; 7] = [
        Controller::Block,
        Controller::Cpu,
        Controller::Cpuset,
        Controller::Devices,
        Controller::Freezer,
        Controller::Memory,
        Controller::Pids,
    ];

    /// The kernel's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Controller::Block => "io",
            Controller::Cpu => "cpu",
            Controller::Cpuset => "cpuset",
            Controller::Devices => "devices",
            Controller::Freezer => "freezer",
            Controller::Memory => "memory",
            Controller::Pids => "pids",
        }
    }

    /// The word of version 1.
    pub fn old_name(self) -> &'static str {
        match self {
            Controller::Block => "blkio",
            other => other.name(),
        }
    }
}

impl fmt::Display for Controller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The tree that has a controller, by its topmost directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hierarchy {
    /// The one of version 2.
    Unified(PathBuf),
    /// One of version 1.
    Legacy(PathBuf),
}

/// Which mount point was found to have the version 2 hierarchy. A host that has it once keeps it, and one that has not may get it.
static UNIFIED: OnceLock<&'static str> = OnceLock::new();

/// Which controllers were found to have a hierarchy of version 1, in the order of [`Controller::ALL`].
static LEGACY_FOUND: [AtomicBool; Controller::ALL.len()] =
    [const { AtomicBool::new(false) }; Controller::ALL.len()];

/// Where the version 2 hierarchy is mounted, if it is.
pub(super) fn unified() -> Result<Option<PathBuf>, CgroupError> {
    if let Some(known) = UNIFIED.get() {
        return Ok(Some(known.into()));
    }
    for mount_point in MOUNT_POINTS {
        if is_mounted(mount_point.as_ref(), CGROUP2_SUPER_MAGIC)? {
            return Ok(Some(UNIFIED.get_or_init(|| mount_point).into()));
        }
    }
    Ok(None)
}

/// Where a controller's own hierarchy of version 1 is mounted, if it is.
pub(super) fn legacy(controller: Controller) -> Result<Option<PathBuf>, CgroupError> {
    let path = Path::new(LEGACY).join(controller.old_name());
    let found = &LEGACY_FOUND[controller as usize];
    if !found.load(Ordering::Relaxed) {
        if !is_mounted(&path, CGROUP_SUPER_MAGIC)? {
            return Ok(None);
        }
        found.store(true, Ordering::Relaxed);
    }
    Ok(Some(path))
}

/// The hierarchy that has a controller. The kernel lends each to one only.
pub(super) fn having(controller: Controller) -> Result<Option<Hierarchy>, CgroupError> {
    if let Some(root) = unified()?
        && lists(&root.join("cgroup.controllers"), controller)?
    {
        return Ok(Some(Hierarchy::Unified(root)));
    }
    Ok(legacy(controller)?.map(Hierarchy::Legacy))
}

/// Lets the groups below `parent`, in the version 2 hierarchy, have a controller. No process may be in `parent` or above it:
/// the root of the hierarchy is the one group that may have processes and pass controllers on.
pub(super) fn delegate(
    (root, parent): (&Path, &GroupParent),
    controller: Controller,
) -> Result<(), CgroupError> {
    for directory in levels(root, parent) {
        let path = directory.join("cgroup.subtree_control");
        if lists(&path, controller)? {
            continue;
        }
        fs::write(&path, format!("+{controller}")).map_err(|source| CgroupError::Delegate {
            controller,
            path: directory,
            source,
        })?;
    }
    Ok(())
}

/// Lets the groups below `parent` count what they use, as far as the version 2 hierarchy has the controllers for it and passes
/// them on. Without them, less is known.
pub(super) fn offer(root: &Path, parent: &GroupParent) {
    let there = fs::read_to_string(root.join("cgroup.controllers")).unwrap_or_default();
    for name in there
        .split_ascii_whitespace()
        .filter(|name| COUNTING.contains(name))
    {
        for directory in levels(root, parent) {
            let _ = fs::write(directory.join("cgroup.subtree_control"), format!("+{name}"));
        }
    }
}

fn lists(path: &Path, controller: Controller) -> Result<bool, CgroupError> {
    let text = fs::read_to_string(path).map_err(|source| CgroupError::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(text
        .split_ascii_whitespace()
        .any(|word| word == controller.name()))
}

fn is_mounted(path: &Path, kind: FsType) -> Result<bool, CgroupError> {
    match statfs(path) {
        Ok(status) => Ok(status.filesystem_type() == kind),
        Err(Errno::ENOENT | Errno::ENOTDIR) => Ok(false),
        Err(errno) => Err(CgroupError::Examine {
            path: path.to_owned(),
            source: errno.into(),
        }),
    }
}
