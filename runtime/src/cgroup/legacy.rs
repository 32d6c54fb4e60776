//! The groups of a container in the hierarchies of version 1, one for each controller that it has need of.

use super::control_file;
use super::directory::{self, GroupName, Made};
use super::error::CgroupError;
use super::hierarchy::{Controller, legacy};
use super::members::Members;
use crate::resources::group_parent::{GroupParent, ParentFate};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How often the processes of a container are looked at for some that were born while others were moved.
const MOST_PASSES: usize = 1000;

/// What a group for the controller `cpuset` must have before a process can enter.
pub(super) const CPUSET_FILES: [&str; 2] = ["cpuset.cpus", "cpuset.mems"];

/// A group of a container in the hierarchy of one controller.
#[derive(Debug)]
pub(super) struct LegacyGroup {
    pub(super) path: PathBuf,
    pub(super) fate: ParentFate,
}

impl LegacyGroup {
    /// Makes the group `parent/id` below `root`, unless it is there.
    pub(super) fn make(
        root: &Path,
        name: GroupName<'_>,
        controller: Controller,
    ) -> Result<(LegacyGroup, Made), CgroupError> {
        let (path, made) = directory::make(root, name)?;
        let fate = name.0.fate();
        let group = LegacyGroup { path, fate };
        match (controller, made) {
            (Controller::Cpuset, _) => inherit(root, name.0)?,
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
        name: GroupName<'_>,
        controller: Controller,
    ) -> Result<Option<LegacyGroup>, CgroupError> {
        let path = legacy(controller)?.map(|root| directory::path(&root, name));
        let fate = name.0.fate();
        Ok(path
            .filter(|path| path.is_dir())
            .map(|path| LegacyGroup { path, fate }))
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
}

/// Groups for `cpuset` are born with nothing to run on, and none has more than its parent.
fn inherit(root: &Path, parent: &GroupParent) -> Result<(), CgroupError> {
    let levels = directory::levels(root, parent);
    for (file, (above, group)) in CPUSET_FILES.iter().flat_map(|file| {
        levels
            .iter()
            .zip(&levels[1..])
            .map(move |pair| (file, pair))
    }) {
        let own = control_file::read(&group.join(file))?.unwrap_or_default();
        if own.trim().is_empty() {
            let value = control_file::read(&above.join(file))?.unwrap_or_default();
            control_file::write(&group.join(file), &value)?;
        }
    }
    Ok(())
}
