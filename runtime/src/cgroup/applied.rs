//! Settings that were made, and how to take them back.

use super::block_device::number;
use super::control_file;
use super::error::CgroupError;
use super::legacy::LegacyGroup;
use super::settings::{MEMORY_AND_SWAP, Origin, SWAP, Setting, Value, ordered};
use super::usage::unreclaimable_memory;
use crate::byte_size::ByteSize;
use crate::resources::group_parent::ParentFate;
use std::path::{Path, PathBuf};

/// What was changed, in its order.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// Each file with what it held before.
    written: Vec<(PathBuf, String)>,
    made: Vec<(PathBuf, ParentFate)>,
}

impl Applied {
    /// Writes the settings into the files of a group.
    pub(super) fn apply(
        &mut self,
        group: &Path,
        settings: Vec<Setting>,
    ) -> Result<(), CgroupError> {
        let swap_now = control_file::number(&group.join(MEMORY_AND_SWAP))?;
        for setting in ordered(settings, swap_now) {
            self.write(group, &setting)?;
        }
        Ok(())
    }

    /// Notes that a group was made.
    pub(super) fn note_made(&mut self, group: &LegacyGroup) {
        self.made.push((group.path.clone(), group.fate));
    }

    /// Takes everything back, the last first. What cannot be is left: more cannot be done.
    pub(super) fn take_back(self) {
        for (path, value) in self.written.iter().rev() {
            let _ = replace(path, value);
        }
        for (path, fate) in &self.made {
            // A group that processes are in already limits nothing any more, and goes with the container.
            let _ = super::directory::remove(path, *fate);
        }
    }

    fn write(&mut self, group: &Path, setting: &Setting) -> Result<(), CgroupError> {
        let path = group.join(setting.file);
        let now = control_file::read(&path)?;
        let value = match &setting.value {
            Value::Text(text) => text.clone(),
            Value::OfParent => of_parent(group, setting.file)?,
            Value::OfDevice(device, rest) => format!("{} {rest}", number(device)?),
        };
        match (now, setting.origin) {
            (None, Origin::Usual) => return Ok(()),
            // Writing it anew might have effects all the same, such as emptying lists.
            (Some(now), _) if now.trim() == value.trim() => return Ok(()),
            (Some(now), _) => self.written.push((path.clone(), now)),
            (None, Origin::Asked) if counts_swap(setting.file) => {
                return Err(CgroupError::NoSwapAccounting(setting.file));
            }
            // The failure to write says that the file is missing.
            (None, Origin::Asked) => {}
        }
        check_memory(group, (setting.file, &value))?;
        match replace(&path, &value) {
            Err(error) if is_kept_elsewhere(setting, &error) => Ok(()),
            written => written.map_err(|error| explain(group, &value, error)),
        }
    }
}

/// Replaces a value. Older kernels, such as Linux 6.1, empty no list of processors while something runs on them; there the group is
/// given all that the one above may use.
fn replace(path: &Path, value: &str) -> Result<(), CgroupError> {
    let Err(error) = control_file::write(path, value) else {
        return Ok(());
    };
    let is_refused = matches!(&error, CgroupError::Write { source, .. }
        if source.raw_os_error() == Some(libc::ENOSPC) && value.trim().is_empty());
    match (is_refused, path.parent(), path.file_name()) {
        (true, Some(group), Some(file)) => {
            let effective = format!("{}.effective", file.to_string_lossy());
            control_file::write(path, &of_parent(group, &effective)?)
        }
        _ => Err(error),
    }
}

/// Whether a weight for a disk was refused by what does not share out this disk. What does has a file of its own, and that there is
/// one was found out before.
fn is_kept_elsewhere(setting: &Setting, error: &CgroupError) -> bool {
    let of_disk = matches!(&setting.value, Value::OfDevice(..));
    let unsupported = matches!(error, CgroupError::Write { source, .. }
        if source.raw_os_error() == Some(libc::EOPNOTSUPP));
    of_disk && setting.origin == Origin::Usual && unsupported
}

fn counts_swap(file: &str) -> bool {
    [MEMORY_AND_SWAP, SWAP].contains(&file)
}

fn of_parent(group: &Path, file: &str) -> Result<String, CgroupError> {
    let path = group.parent().unwrap_or(group).join(file);
    Ok(control_file::read(&path)?.unwrap_or_default())
}

/// Version 2 does not refuse what is less than the memory in use, it kills.
fn check_memory(group: &Path, (file, value): (&str, &str)) -> Result<(), CgroupError> {
    let (true, Ok(limit)) = (file == "memory.max", value.parse()) else {
        return Ok(());
    };
    match unreclaimable_memory(group)? {
        Some(used) if used > limit => Err(CgroupError::MemoryInUse {
            limit: ByteSize(limit),
            used: ByteSize(used),
        }),
        _ => Ok(()),
    }
}

/// Version 1 refuses what is less than the memory in use, in a word that says little.
fn explain(group: &Path, value: &str, error: CgroupError) -> CgroupError {
    let is_busy = matches!(&error, CgroupError::Write { path, source, .. }
        if source.raw_os_error() == Some(libc::EBUSY) && path.ends_with("memory.limit_in_bytes"));
    match (is_busy, value.parse(), unreclaimable_memory(group)) {
        (true, Ok(limit), Ok(Some(used))) => CgroupError::MemoryInUse {
            limit: ByteSize(limit),
            used: ByteSize(used),
        },
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cgroup::block_settings;
    use crate::cgroup::hierarchy::Controller;
    use crate::cgroup::settings::{Version, settings};
    use crate::resources::block::BlockLimits;
    use crate::resources::{Resources, ResourcesChange};
    use std::fs;
    use std::io;

    const M: u64 = 1 << 20;

    /// Files as version 2 shows them; a directory takes what is written without a word.
    fn group() -> tempfile::TempDir {
        let group = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("memory.max", "max\n"),
            ("memory.low", "0\n"),
            ("memory.current", "104857600\n"),
            ("memory.stat", "anon 1\ninactive_file 52428800\n"),
        ] {
            fs::write(group.path().join(file), text).unwrap();
        }
        group
    }

    fn memory(size: &str) -> Vec<Setting> {
        let change = ResourcesChange {
            memory: Some(size.parse().unwrap()),
            ..ResourcesChange::default()
        };
        let resources = Resources::default().changed(&change).unwrap();
        settings((Controller::Memory, Version::Two), &resources)
    }

    #[test]
    fn only_a_weight_for_a_disk_may_be_refused_by_who_does_not_share_it_out() {
        let limits = BlockLimits {
            device_weights: vec!["/dev/sda:200".parse().unwrap()],
            reads: vec!["/dev/sda:5".parse().unwrap()],
            ..BlockLimits::default()
        };
        let refused = |errno| CgroupError::Write {
            value: "8:0 1920".into(),
            path: "io.weight".into(),
            source: io::Error::from_raw_os_error(errno),
        };
        let passed_by = |errno| -> Vec<&str> {
            let all = block_settings::settings(Version::Two, &limits).into_iter();
            all.filter(|setting| is_kept_elsewhere(setting, &refused(errno)))
                .map(|setting| setting.file)
                .collect()
        };
        assert_eq!(passed_by(libc::EOPNOTSUPP), ["io.bfq.weight", "io.weight"]);
        assert!(passed_by(libc::EINVAL).is_empty());
    }

    #[test]
    fn what_was_written_is_taken_back() {
        let group = group();
        let maximum = || fs::read_to_string(group.path().join("memory.max")).unwrap();
        let mut applied = Applied::default();
        applied.apply(group.path(), memory("64m")).unwrap();
        assert_eq!(maximum(), (64 * M).to_string());
        applied.apply(group.path(), memory("96m")).unwrap();
        applied.take_back();
        assert_eq!(maximum(), "max\n");
    }

    #[test]
    fn a_limit_below_the_memory_in_use_is_refused_where_the_kernel_would_kill() {
        let group = group();
        let error = Applied::default().apply(group.path(), memory("32m"));
        assert_eq!(
            error.unwrap_err().to_string(),
            "memory cannot be limited to 32m: the container uses 50m now"
        );
    }

    #[test]
    fn a_file_that_is_missing_is_missed_only_if_its_limit_was_asked_for() {
        let group = group();
        Applied::default()
            .apply(group.path(), memory("64m"))
            .unwrap();
        let change = ResourcesChange {
            memory: Some("64m".parse().unwrap()),
            memory_swap: Some("96m".parse().unwrap()),
            ..ResourcesChange::default()
        };
        let resources = Resources::default().changed(&change).unwrap();
        let asked = settings((Controller::Memory, Version::Two), &resources);
        let error = Applied::default().apply(group.path(), asked).unwrap_err();
        assert!(error.to_string().contains("memory.swap.max"), "{error}");
    }
}
