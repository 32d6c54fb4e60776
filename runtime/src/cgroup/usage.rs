//! What the groups of a container count.

use super::control_file::{self, field};
use super::directory::{self, GroupName};
use super::error::CgroupError;
use super::hierarchy::{Controller, unified};
use super::legacy::LegacyGroup;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What version 1 counts of reading and writing.
const BLOCK_ONE: &str = "blkio.throttle.io_service_bytes_recursive";

/// What a container has used and uses, as far as its groups count it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time since it was started.
    pub cpu: Option<Duration>,
    /// Memory, without what the kernel would take back at once.
    pub memory: Option<u64>,
    /// The most memory it may use.
    pub memory_limit: Option<u64>,
    /// Bytes read from and written to devices.
    pub block: Option<(u64, u64)>,
    /// Processes and threads.
    pub tasks: Option<u64>,
}

impl Usage {
    /// What the groups of a container say now.
    pub fn of(name: GroupName<'_>) -> Result<Usage, CgroupError> {
        let mut usage = match unified_path(name)? {
            Some(path) => of_group(&path)?,
            None => Usage::default(),
        };
        if let Some(group) = LegacyGroup::existing(name, Controller::Memory)? {
            usage.memory = memory_one(&group.path)?;
            usage.memory_limit = control_file::number(&group.path.join("memory.limit_in_bytes"))?;
        }
        if let Some(group) = LegacyGroup::existing(name, Controller::Pids)? {
            usage.tasks = control_file::number(&group.path.join("pids.current"))?;
        }
        if let Some(group) = LegacyGroup::existing(name, Controller::Block)? {
            let text = control_file::read(&group.path.join(BLOCK_ONE))?;
            usage.block = text.map(|text| block_bytes_one(&text));
        }
        Ok(usage)
    }
}

/// Whether the kernel has killed a process of a container because its memory was at its limit. Version 1 counts that in the
/// very group the process was in, which the container may have made.
pub fn oom_killed(name: GroupName<'_>) -> Result<bool, CgroupError> {
    let one = LegacyGroup::existing(name, Controller::Memory)?;
    let files: Vec<PathBuf> = match (one, unified_path(name)?) {
        (Some(group), _) => {
            let mut groups = directory::within(&group.path);
            groups.push(group.path);
            let file = |group: PathBuf| group.join("memory.oom_control");
            groups.into_iter().map(file).collect()
        }
        (None, Some(path)) => vec![path.join("memory.events")],
        (None, None) => return Ok(false),
    };
    for file in files {
        let text = control_file::read(&file)?.unwrap_or_default();
        if field(&text, "oom_kill").is_some_and(|count| count > 0) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How often a container could have no more processes.
pub fn processes_refused(name: GroupName<'_>) -> Result<u64, CgroupError> {
    let one = LegacyGroup::existing(name, Controller::Pids)?;
    let Some(group) = one.map(|group| group.path).or(unified_path(name)?) else {
        return Ok(0);
    };
    let text = control_file::read(&group.join("pids.events"))?.unwrap_or_default();
    Ok(field(&text, "max").unwrap_or(0))
}

/// The memory of a group that could not be taken back at once; none if it is not counted.
pub(super) fn unreclaimable_memory(group: &Path) -> Result<Option<u64>, CgroupError> {
    match memory_two(group)? {
        None => memory_one(group),
        counted => Ok(counted),
    }
}

fn unified_path(name: GroupName<'_>) -> Result<Option<PathBuf>, CgroupError> {
    Ok(unified()?.map(|root| directory::path(&root, name)))
}

fn of_group(path: &Path) -> Result<Usage, CgroupError> {
    let cpu = control_file::read(&path.join("cpu.stat"))?;
    let cpu = cpu.and_then(|text| field(&text, "usage_usec"));
    let block = control_file::read(&path.join("io.stat"))?;
    let tasks = match control_file::number(&path.join("pids.current"))? {
        None => {
            let threads: Vec<i32> = control_file::numbers(&path.join("cgroup.threads"))?;
            Some(threads.len() as u64)
        }
        counted => counted,
    };
    Ok(Usage {
        cpu: cpu.map(Duration::from_micros),
        memory: memory_two(path)?,
        memory_limit: control_file::number(&path.join("memory.max"))?,
        block: block.map(|text| block_bytes(&text)),
        tasks,
    })
}

fn memory_two(path: &Path) -> Result<Option<u64>, CgroupError> {
    memory(path, ("memory.current", "inactive_file"))
}

fn memory_one(path: &Path) -> Result<Option<u64>, CgroupError> {
    memory(path, ("memory.usage_in_bytes", "total_inactive_file"))
}

/// Files that nobody has used for a while are not what a container needs.
fn memory(path: &Path, (file, idle): (&str, &str)) -> Result<Option<u64>, CgroupError> {
    let Some(used) = control_file::number(&path.join(file))? else {
        return Ok(None);
    };
    let text = control_file::read(&path.join("memory.stat"))?.unwrap_or_default();
    Ok(Some(used.saturating_sub(field(&text, idle).unwrap_or(0))))
}

/// Lines such as `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`, one for each device.
fn block_bytes(text: &str) -> (u64, u64) {
    let sum = |key: &str| {
        text.split_ascii_whitespace()
            .filter_map(|word| word.strip_prefix(key)?.parse::<u64>().ok())
            .sum()
    };
    (sum("rbytes="), sum("wbytes="))
}

/// Lines such as `8:0 Read 4096`, some for each device, and a sum of all.
fn block_bytes_one(text: &str) -> (u64, u64) {
    let sum = |kind: &str| {
        let lines = text.lines().filter_map(|line| {
            let (_, rest) = line.split_once(' ')?;
            rest.strip_prefix(kind)?.trim().parse::<u64>().ok()
        });
        lines.sum()
    };
    (sum("Read "), sum("Write "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_one_has_a_line_for_each_kind() {
        let text =
            "7:0 Read 4096\n7:0 Write 10\n7:0 Sync 1\n7:0 Total 4106\n8:0 Read 4\nTotal 4110\n";
        assert_eq!(block_bytes_one(text), (4100, 10));
    }

    #[test]
    fn the_bytes_of_all_devices_are_added() {
        let text = "8:0 rbytes=4096 wbytes=1 rios=1 wios=1 dbytes=0 dios=0\n\
                    8:16 rbytes=4 wbytes=2 rios=1 wios=1 dbytes=0 dios=0\n";
        assert_eq!(block_bytes(text), (4100, 3));
        assert_eq!(block_bytes(""), (0, 0));
    }

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "total_inactive_file 3\ninactive_file 2\noom_kill 1\n";
        assert_eq!(field(text, "inactive_file"), Some(2));
        assert_eq!(field(text, "file"), None);
    }
}
