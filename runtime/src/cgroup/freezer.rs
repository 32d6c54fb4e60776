//! Making the processes of a container stand still, and go on.
//!
//! In version 2 the container's own group does it, and a process that stands still can still be killed. In version 1 the
//! hierarchy of the controller `freezer` does it, and nothing reaches a process until it goes on.

use super::control_file;
use super::directory::{self, GroupName, is_gone};
use super::error::CgroupError;
use super::group::Cgroup;
use super::hierarchy::{Controller, legacy, unified};
use super::legacy::LegacyGroup;
use super::members::Members;
use crate::resources::group_parent::GroupParent;
use minirun_bridge::held_directory::HeldDirectory;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// What a group of version 1 does or is to do.
pub(super) const STATE: &str = "freezer.state";

/// What a group of version 2 is to do.
const FREEZE: &str = "cgroup.freeze";

/// How often the state of version 1, which tells nobody of its changes, is asked for.
const INTERVAL: Duration = Duration::from_millis(1);

/// Whether the processes of a container stand still, or are to.
pub fn is_frozen(name: GroupName<'_>) -> Result<bool, CgroupError> {
    let unified = match unified()? {
        Some(root) => control_file::number(&directory::path(&root, name).join(FREEZE))?,
        None => None,
    };
    match unified {
        Some(frozen) => Ok(frozen == 1),
        None => match LegacyGroup::existing(name, Controller::Freezer)? {
            Some(group) => Ok(state(&group)?.is_some_and(|state| state != "THAWED")),
            None => Ok(false),
        },
    }
}

/// The groups that many containers' are in, for whoever asks which of them stand still: those that the last one's was in are held open.
#[derive(Debug, Default)]
pub struct HeldGroups(Option<(GroupParent, HeldDirectory)>);

impl HeldGroups {
    /// As [`is_frozen`].
    pub fn is_frozen(&mut self, (parent, id): GroupName<'_>) -> Result<bool, CgroupError> {
        if let Some(directory) = self.having(parent)? {
            let path = [&id.to_string(), "/", FREEZE].concat();
            if let Some(frozen) = directory.read(&path).ok().and_then(control_file::number_in) {
                return Ok(frozen == 1);
            }
        }
        // It is gone, in version 1, or in groups that were made anew since.
        is_frozen((parent, id))
    }

    fn having(&mut self, parent: &GroupParent) -> Result<Option<&mut HeldDirectory>, CgroupError> {
        if self.0.as_ref().is_none_or(|(held, _)| held != parent) {
            let Some(root) = unified()? else {
                return Ok(None);
            };
            let path = root.join(parent.path());
            let directory = HeldDirectory::open(path.clone())
                .map_err(|source| CgroupError::Read { path, source })?;
            self.0 = Some((parent.clone(), directory));
        }
        Ok(self.0.as_mut().map(|(_, directory)| directory))
    }
}

/// Makes them stand still. If they do not within `patience`, they go on.
pub fn freeze(
    name: GroupName<'_>,
    members: &Members,
    patience: Duration,
) -> Result<(), CgroupError> {
    if let Some(group) = Cgroup::open(name)? {
        control_file::write(&group.path.join(FREEZE), "1")?;
        if group.wait_until("frozen 1", patience)? {
            return Ok(());
        }
        control_file::write(&group.path.join(FREEZE), "0")?;
        return Err(not_frozen(&group.path, patience));
    }
    let root = legacy(Controller::Freezer)?.ok_or(CgroupError::NoFreezer)?;
    let (group, _) = LegacyGroup::make(&root, name, Controller::Freezer)?;
    group.admit_all(members)?;
    freeze_legacy(&group, patience)
}

/// Lets them go on, in groups that the container has made, too. A container that is gone needs nothing.
pub fn thaw(name: GroupName<'_>) -> Result<(), CgroupError> {
    let written = match Cgroup::open(name)? {
        Some(group) => control_file::write(&group.path.join(FREEZE), "0"),
        None => match LegacyGroup::existing(name, Controller::Freezer)? {
            Some(group) => return thaw_legacy(&group.path),
            None => Ok(()),
        },
    };
    match written {
        Err(CgroupError::Write { source, .. }) if is_gone(&source) => Ok(()),
        written => written,
    }
}

/// Lets everything in a group of version 1 and in those in it go on.
pub(super) fn thaw_legacy(group: &Path) -> Result<(), CgroupError> {
    let mut all = vec![group.to_path_buf()];
    all.extend(directory::within(group));
    for group in all {
        match control_file::write(&group.join(STATE), "THAWED") {
            Err(CgroupError::Write { source, .. }) if is_gone(&source) => {}
            written => written?,
        }
    }
    Ok(())
}

fn freeze_legacy(group: &LegacyGroup, patience: Duration) -> Result<(), CgroupError> {
    let path = group.path.join(STATE);
    let deadline = Instant::now() + patience;
    loop {
        // Asked again and again: a process that was being born may have been missed.
        control_file::write(&path, "FROZEN")?;
        if state(group)?.is_none_or(|state| state == "FROZEN") {
            return Ok(());
        }
        if Instant::now() >= deadline {
            control_file::write(&path, "THAWED")?;
            return Err(not_frozen(&group.path, patience));
        }
        thread::sleep(INTERVAL);
    }
}

fn state(group: &LegacyGroup) -> Result<Option<String>, CgroupError> {
    let text = control_file::read(&group.path.join(STATE))?;
    Ok(text.map(|text| text.trim().to_owned()))
}

fn not_frozen(path: &Path, waited: Duration) -> CgroupError {
    CgroupError::NotFrozen {
        path: path.to_owned(),
        waited,
    }
}
