//! Removing the groups of a container, for certain: whoever is still in one is killed.
//!
//! The kernel kills everything in the process namespace of a container with its first process, so there is somebody left only
//! in a moment or after something went wrong. Version 2 kills a whole tree of groups at once, standing still or multiplying.
//! Version 1 has nothing like it: there, what stands still is let go on and every process killed, again and again until no
//! one is left.

use super::control_file;
use super::directory::{self, GroupName};
use super::error::CgroupError;
use super::freezer::{STATE, thaw_legacy};
use super::group::Cgroup;
use super::hierarchy::Controller;
use super::legacy::LegacyGroup;
use crate::process_identity::ProcessIdentity;
use std::io::ErrorKind;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How often the kernel, which tells nobody when it is done with a group of version 1, is asked.
const INTERVAL: Duration = Duration::from_millis(1);

/// Kills whoever is left in the groups of a container, and removes them with all that are in them. Fails after `patience`.
pub fn clear(name: GroupName<'_>, patience: Duration) -> Result<(), CgroupError> {
    clear_unified(name, patience)?;
    for controller in Controller::ALL {
        if let Some(group) = LegacyGroup::existing(name, controller)? {
            clear_legacy(&group, patience)?;
        }
    }
    Ok(())
}

fn clear_unified(name: GroupName<'_>, patience: Duration) -> Result<(), CgroupError> {
    let Some(group) = Cgroup::open(name)? else {
        return Ok(());
    };
    if group.remove().is_ok() {
        return Ok(());
    }
    let Some(group) = Cgroup::open(name)? else {
        return Ok(());
    };
    group.kill()?;
    group.wait_until_empty(patience)?;
    group.remove()
}

fn clear_legacy(group: &LegacyGroup, patience: Duration) -> Result<(), CgroupError> {
    let deadline = Instant::now() + patience;
    loop {
        match directory::remove(&group.path, group.fate) {
            Err(CgroupError::Remove { source, .. })
                if source.kind() == ErrorKind::ResourceBusy && Instant::now() < deadline => {}
            removed => return removed,
        }
        kill_all(&group.path)?;
        thread::sleep(INTERVAL);
    }
}

/// Kills whoever is in a group of version 1 now, or in one in it.
fn kill_all(group: &Path) -> Result<(), CgroupError> {
    if group.join(STATE).exists() {
        thaw_legacy(group)?;
    }
    let mut groups = directory::within(group);
    groups.push(group.to_path_buf());
    for group in groups {
        let list = group.join(control_file::PROCESSES);
        for pid in control_file::numbers(&list)? {
            kill_member(&list, pid)?;
        }
    }
    Ok(())
}

/// Kills a process, if it is still a member: its number may have passed to another since it was read.
fn kill_member(list: &Path, pid: i32) -> Result<(), CgroupError> {
    let Some(process) = ProcessIdentity::of(pid).ok().and_then(|one| one.open()) else {
        return Ok(());
    };
    if control_file::numbers(list)?.contains(&pid) {
        // One that has just ended needs no signal any more.
        let _ = process.signal(libc::SIGKILL);
    }
    Ok(())
}
