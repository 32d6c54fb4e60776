//! Keeping a container within its limits: before its program begins, for what is executed in it, and while it runs.

use super::applied::Applied;
use super::control_file;
use super::directory::{self, GroupName, Made};
use super::error::CgroupError;
use super::hierarchy::{Controller, Hierarchy, delegate, having};
use super::legacy::{CPUSET_FILES, LegacyGroup};
use super::members::Members;
use super::settings::{Setting, Version, option_for, settings};
use crate::resources::Resources;
use crate::resources::cpu_set::CpuSet;
use std::path::{Path, PathBuf};

/// Limits that are kept from now on.
#[derive(Debug)]
pub struct Limits {
    /// The groups of version 1 that the processes of the container must be in.
    entered: Vec<LegacyGroup>,
    kept: Vec<KeptIn>,
}

/// What one group keeps.
#[derive(Debug)]
pub(super) struct KeptIn {
    pub(super) path: PathBuf,
    pub(super) version: Version,
    pub(super) settings: Vec<Setting>,
}

impl Limits {
    /// Makes the groups that a container needs for its limits, and sets these. The container has its group of version 2
    /// already, if there is that hierarchy.
    pub fn establish(name: GroupName<'_>, resources: &Resources) -> Result<Limits, CgroupError> {
        let mut limits = Limits {
            entered: Vec::new(),
            kept: Vec::new(),
        };
        for controller in Controller::ALL {
            let Some(option) = option_for(controller, resources) else {
                continue;
            };
            let (path, version) = match place(name, (controller, option))? {
                Place::Unified(path) => (path, Version::Two),
                Place::Legacy(group, _) => {
                    let group = group.unless_populated()?;
                    let path = group.path.clone();
                    limits.entered.push(group);
                    (path, Version::One)
                }
            };
            // Nothing is taken back here: what fails to start is taken down.
            let settings = settings((controller, version), resources);
            Applied::default().apply(&path, settings.clone())?;
            check_effective(&path, (controller, version), resources)?;
            limits.kept.push(KeptIn {
                path,
                version,
                settings,
            });
        }
        Ok(limits)
    }

    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    pub(super) fn kept(&self) -> &[KeptIn] {
        &self.kept
    }

    /// Brings the first process within the limits, and so all that it will start.
    pub fn admit(&self, pid: i32) -> Result<(), CgroupError> {
        self.entered.iter().try_for_each(|group| group.admit(pid))
    }
}

/// Brings a process that is executed in a running container within its limits. It is in the group of version 2 already.
pub fn admit(name: GroupName<'_>, pid: i32) -> Result<(), CgroupError> {
    for controller in Controller::ALL {
        let Some(group) = LegacyGroup::existing(name, controller)? else {
            continue;
        };
        match group.admit(pid) {
            // The group is just being made. Whoever makes it moves this process, too, when it is done.
            Err(CgroupError::Write { source, .. })
                if source.raw_os_error() == Some(libc::ENOSPC) => {}
            admitted => admitted?,
        }
    }
    Ok(())
}

/// Changes the limits of a running container. If one cannot be had, all stay as they were.
pub fn change(
    name: GroupName<'_>,
    (before, after): (&Resources, &Resources),
    members: &Members,
) -> Result<(), CgroupError> {
    let mut applied = Applied::default();
    let changed = try_change(name, (before, after), &mut applied)
        .and_then(|made| made.iter().try_for_each(|group| group.admit_all(members)));
    changed.inspect_err(|_| applied.take_back())
}

/// Makes the limits of a running container what they should be, after a change was interrupted.
pub fn restore(name: GroupName<'_>, resources: &Resources) -> Result<(), CgroupError> {
    for controller in Controller::ALL {
        let (path, version) = match (
            LegacyGroup::existing(name, controller)?,
            having(controller)?,
        ) {
            (Some(group), _) => (group.path, Version::One),
            (None, Some(Hierarchy::Unified(root))) => (directory::path(&root, name), Version::Two),
            (None, _) => continue,
        };
        Applied::default().apply(&path, settings((controller, version), resources))?;
    }
    Ok(())
}

/// Gives back the groups that the processes must be in. Those that were there before may have been made by a command that was killed
/// before it had moved all.
fn try_change(
    name: GroupName<'_>,
    (before, after): (&Resources, &Resources),
    applied: &mut Applied,
) -> Result<Vec<LegacyGroup>, CgroupError> {
    let mut groups = Vec::new();
    for controller in Controller::ALL {
        let all = |resources| settings((controller, Version::One), resources);
        let needing = [after, before]
            .iter()
            .find_map(|resources| option_for(controller, resources));
        let Some(option) = needing.filter(|_| all(before) != all(after)) else {
            continue;
        };
        match place(name, (controller, option))? {
            Place::Unified(path) => {
                applied.apply(&path, settings((controller, Version::Two), after))?;
                check_effective(&path, (controller, Version::Two), after)?;
            }
            Place::Legacy(group, since) => {
                if since != Made::Before {
                    applied.note_made(&group);
                }
                applied.apply(&group.path, settings((controller, Version::One), after))?;
                groups.push(group);
            }
        }
    }
    Ok(groups)
}

/// Version 2 takes lists of what the groups above do not have, and uses something else then.
fn check_effective(
    group: &Path,
    kept: (Controller, Version),
    resources: &Resources,
) -> Result<(), CgroupError> {
    if kept != (Controller::Cpuset, Version::Two) {
        return Ok(());
    }
    let lists = [
        ("--cpuset-cpus", &resources.cpuset_cpus),
        ("--cpuset-mems", &resources.cpuset_mems),
    ];
    for (file, (option, wanted)) in CPUSET_FILES.iter().zip(lists) {
        let Some(wanted) = wanted else { continue };
        let text = control_file::read(&group.join(format!("{file}.effective")))?;
        let effective: Option<CpuSet> = text.and_then(|text| text.trim().parse().ok());
        if effective.is_some_and(|effective| !wanted.is_within(&effective)) {
            let above = group.parent().unwrap_or(group);
            let there = control_file::read(&above.join(format!("{file}.effective")))?;
            return Err(CgroupError::BeyondParent {
                option,
                wanted: wanted.to_string(),
                path: above.to_owned(),
                there: there.unwrap_or_default().trim().to_owned(),
            });
        }
    }
    Ok(())
}

/// Where a limit of a container is kept.
enum Place {
    Unified(PathBuf),
    Legacy(LegacyGroup, Made),
}

/// Makes the place, as far as it is not there.
fn place(
    name: GroupName<'_>,
    (controller, option): (Controller, &'static str),
) -> Result<Place, CgroupError> {
    match having(controller)? {
        None => Err(CgroupError::NoController { option, controller }),
        Some(Hierarchy::Unified(root)) => {
            delegate((&root, name.0), controller)?;
            Ok(Place::Unified(directory::path(&root, name)))
        }
        Some(Hierarchy::Legacy(root)) => {
            let (group, made) = LegacyGroup::make(&root, name, controller)?;
            Ok(Place::Legacy(group, made))
        }
    }
}
