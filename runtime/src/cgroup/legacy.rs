//! The groups of a container in the hierarchies of version 1, one for each controller that it has need of.

use super::control_file;
use super::directory::{self, GroupName, Made};
use super::error::CgroupError;
use super::hierarchy::{Controller, legacy};
use super::members::Members;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// How often the processes of a container are looked at for some that were born while others were moved.
const MOST_PASSES: usize = 1000;

/// How long the kernel may take to be done with processes that have ended.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is asked meanwhile.
const INTERVAL: Duration = Duration::from_millis(1);

/// What a group for the controller `cpuset` must have before a process can enter.
pub(super) const CPUSET_FILES: [&str; 2] = ["cpuset.cpus", "cpuset.mems"];

/// A group of a container in the hierarchy of one controller.
#[derive(Debug)]
pub(super) struct LegacyGroup {
    pub(super) path: PathBuf,
}

impl LegacyGroup {
    /// Makes the group `parent/id` below `root`, unless it is there.
    pub(super) fn make(
        root: &Path,
        name: GroupName<'_>,
        controller: Controller,
    ) -> Result<(LegacyGroup, Made), CgroupError> {
        let (path, made) = directory::make(root, name)?;
        let group = LegacyGroup { path };
        match (controller, made) {
            (Controller::Cpuset, _) => inherit(root, &root.join(name.0))?,
            // What a process has used already is counted where it was, unless this moves it along; newer kernels refuse.
            (Controller::Memory, Made::Now | Made::WithParent) => {
                let path = group.path.join("memory.move_charge_at_immigrate");
                let _ = control_file::write(&path, "3");
            }
            _ => {}
        }
        Ok((group, made))
    }

    /// The group that a container has for a controller, if it has one.
    pub(super) fn existing(
        (parent, id): GroupName<'_>,
        controller: Controller,
    ) -> Result<Option<LegacyGroup>, CgroupError> {
        let path = legacy(controller)?.map(|root| root.join(parent).join(id.to_string()));
        Ok(path
            .filter(|path| path.is_dir())
            .map(|path| LegacyGroup { path }))
    }

    /// Moves a process into the group.
    pub(super) fn admit(&self, pid: i32) -> Result<(), CgroupError> {
        control_file::admit(&self.path.join(control_file::PROCESSES), pid)
    }

    /// Moves all processes of a container into the group, and those that are born meanwhile.
    pub(super) fn admit_all(&self, members: &Members) -> Result<(), CgroupError> {
        let mut moved = BTreeSet::new();
        for _ in 0..MOST_PASSES {
            let before = moved.len();
            for pid in members.processes()? {
                if moved.insert(pid) {
                    self.admit(pid)?;
                }
            }
            if moved.len() == before {
                return Ok(());
            }
        }
        Err(CgroupError::Multiplying(self.path.clone()))
    }

    /// Refuses a group that holds processes.
    pub(super) fn unless_populated(self) -> Result<LegacyGroup, CgroupError> {
        let members: Vec<i32> = control_file::numbers(&self.path.join(control_file::PROCESSES))?;
        match members.is_empty() {
            true => Ok(self),
            false => Err(CgroupError::Occupied(self.path)),
        }
    }

    /// Removes the group, whose processes have ended. Nothing tells when the kernel is done with the last of them.
    pub(super) fn remove(&self) -> Result<(), CgroupError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match directory::remove(&self.path) {
                Err(CgroupError::Remove { source, .. })
                    if source.kind() == ErrorKind::ResourceBusy && Instant::now() < deadline => {}
                removed => return removed,
            }
            thread::sleep(INTERVAL);
        }
    }
}

/// Groups for `cpuset` are born with nothing to run on, and none has more than its parent.
fn inherit(root: &Path, parent: &Path) -> Result<(), CgroupError> {
    for file in CPUSET_FILES {
        let own = control_file::read(&parent.join(file))?.unwrap_or_default();
        if own.trim().is_empty() {
            let value = control_file::read(&root.join(file))?.unwrap_or_default();
            control_file::write(&parent.join(file), &value)?;
        }
    }
    Ok(())
}
