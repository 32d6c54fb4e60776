//! The processes of a container.

use super::directory::GroupName;
use super::error::CgroupError;
use super::group::Cgroup;
use std::fs;
use std::path::{Path, PathBuf};

/// Who belongs to a running container: whoever is in its group of version 2, and on a host without that hierarchy, whoever is
/// in the process namespace of its first process.
#[derive(Debug)]
pub struct Members {
    group: Option<Cgroup>,
    init: i32,
}

impl Members {
    /// Those of the container whose first process has this number.
    pub fn of(name: GroupName<'_>, init: i32) -> Result<Members, CgroupError> {
        Ok(Members {
            group: Cgroup::open(name)?,
            init,
        })
    }

    /// Their numbers, as the caller's process namespace counts. Some may have ended since.
    pub fn processes(&self) -> Result<Vec<i32>, CgroupError> {
        match &self.group {
            Some(group) => group.processes(),
            None => in_namespace_of(self.init),
        }
    }
}

fn in_namespace_of(init: i32) -> Result<Vec<i32>, CgroupError> {
    let Some(namespace) = namespace(init) else {
        return Ok(Vec::new());
    };
    let entries = fs::read_dir("/proc").map_err(|source| CgroupError::Read {
        path: "/proc".into(),
        source,
    })?;
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse::<i32>().ok();
    Ok(entries
        .filter_map(Result::ok)
        .filter_map(number)
        .filter(|pid| namespace_is(*pid, &namespace))
        .collect())
}

fn namespace(pid: i32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/pid")).ok()
}

fn namespace_is(pid: i32, wanted: &Path) -> bool {
    namespace(pid).is_some_and(|namespace| namespace == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_group_the_process_namespace_tells() {
        let this = std::process::id() as i32;
        let members = Members {
            group: None,
            init: this,
        };
        assert!(members.processes().unwrap().contains(&this));
    }
}
