//! What the groups of a container have counted from its start to its end.

use super::control_file::{self, field};
use super::directory::{self, GroupName};
use super::error::CgroupError;
use super::hierarchy::{Controller, unified};
use super::legacy::LegacyGroup;
use std::path::Path;
use std::time::Duration;

/// What a container has used, as far as its groups count it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Consumption {
    /// Processor time in its programs, and in the kernel on their behalf.
    pub processor: Option<(Duration, Duration)>,
    /// The most memory at any moment.
    pub peak_memory: Option<u64>,
    /// How often a process or thread could not be made because there were as many as may be.
    pub refused_processes: Option<u64>,
}

impl Consumption {
    /// What the groups of a container say, which must not be removed yet.
    pub fn of(name: GroupName<'_>) -> Result<Consumption, CgroupError> {
        let group = unified()?.map(|root| directory::path(&root, name));
        let peak_memory = match LegacyGroup::existing(name, Controller::Memory)? {
            Some(legacy) => control_file::number(&legacy.path.join("memory.max_usage_in_bytes"))?,
            None => match &group {
                // Since Linux 5.19.
                Some(group) => control_file::number(&group.join("memory.peak"))?,
                None => None,
            },
        };
        Ok(Consumption {
            processor: match &group {
                Some(group) => processor(group)?,
                None => None,
            },
            peak_memory,
            refused_processes: refused_processes(name, group.as_deref())?,
        })
    }
}

/// Counted where there is a limit.
fn refused_processes(
    name: GroupName<'_>,
    group: Option<&Path>,
) -> Result<Option<u64>, CgroupError> {
    let legacy = LegacyGroup::existing(name, Controller::Pids)?;
    let Some(counting) = legacy.as_ref().map(|legacy| &*legacy.path).or(group) else {
        return Ok(None);
    };
    let text = control_file::read(&counting.join("pids.events"))?;
    Ok(text.and_then(|text| field(&text, "max")))
}

/// Version 2 counts processor time without a controller.
fn processor(group: &Path) -> Result<Option<(Duration, Duration)>, CgroupError> {
    let text = control_file::read(&group.join("cpu.stat"))?.unwrap_or_default();
    let time = |name| field(&text, name).map(Duration::from_micros);
    Ok(time("user_usec").zip(time("system_usec")))
}
