//! The controllers of control groups, where the machine has them in hierarchies of their own (version 1).
//!
//! A host gets one group in each of those hierarchies, named as its group of version 2 is, and sees it as the whole hierarchy.

use std::fs::{self, File};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::filesystem;

/// Those that a host is given.
const CONTROLLERS: [&str; 8] = [
    "blkio", "cpu", "cpuset", "devices", "freezer", "io", "memory", "pids",
];

/// How a host shows its control groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlGroups {
    /// Version 2, with no controller that the machine has in a hierarchy of its own.
    Unified,
    /// Everything that the machine has: version 2, and the controllers wherever they are.
    WithControllers,
    /// Version 1 alone.
    Old,
}

impl ControlGroups {
    /// Whether the machine can show them in this way.
    pub fn are_there(self) -> bool {
        self != Self::Old || OldGroups::are_there()
    }
}

/// The host's groups of version 1.
#[derive(Debug, Default)]
pub struct OldGroups {
    name: String,
    groups: Vec<OldGroup>,
}

#[derive(Debug)]
struct OldGroup {
    controllers: String,
    parent: OwnedFd,
    directory: OwnedFd,
}

impl OldGroups {
    /// Whether the machine has hierarchies of version 1.
    pub fn are_there() -> bool {
        !hierarchies().is_empty()
    }

    /// Makes the groups and shows them below `mount_point`, each by the names of its controllers.
    pub fn create(name: &str, mount_point: &str) -> Self {
        let create = |controllers: String| OldGroup::create(&controllers, name, mount_point);
        Self {
            name: name.to_owned(),
            groups: hierarchies().into_iter().map(create).collect(),
        }
    }

    /// Paths of what programs made in them, behind the names of the controllers.
    pub fn made_by_programs(&self) -> Vec<PathBuf> {
        let mut made = Vec::new();
        for group in &self.groups {
            let top = group.path();
            let relative = |path: PathBuf| {
                let path = path.strip_prefix(&top).map(Path::to_path_buf);
                Path::new(&group.controllers).join(path.unwrap_or_default())
            };
            let mut found = Vec::new();
            collect(&top, &mut found);
            made.extend(found.into_iter().map(relative));
        }
        made
    }

    /// Lets everything go on that stands still: nothing else could end it.
    pub fn thaw(&self) {
        for group in &self.groups {
            let mut below = Vec::new();
            collect(&group.path(), &mut below);
            for directory in below {
                let state = directory.join("freezer.state");
                if state.exists() {
                    // What is gone already needs nothing.
                    fs::write(state, "THAWED").ok();
                }
            }
        }
    }

    /// Removes them with everything below. They must be empty.
    pub fn remove(&self) {
        for group in &self.groups {
            let mut below = Vec::new();
            collect(&group.path(), &mut below);
            for directory in below {
                fs::remove_dir(directory).ok();
            }
            unlinkat(&group.parent, self.name.as_str(), UnlinkatFlags::RemoveDir).ok();
        }
    }
}

impl OldGroup {
    fn create(controllers: &str, name: &str, mount_point: &str) -> Self {
        let all = format!("{}/{controllers}", filesystem::CONTROLLER_DIRECTORY);
        filesystem::make_directory(&all);
        filesystem::attach_with("cgroup", &all, controllers);
        let own = Path::new(&all).join(name);
        fs::create_dir(&own)
            .unwrap_or_else(|error| panic!("cannot make the control group `{name}`: {error}"));
        // Nothing can run in a group of `cpuset` that has not been told on what.
        for file in ["cpuset.cpus", "cpuset.mems"] {
            if let Ok(value) = fs::read(Path::new(&all).join(file)) {
                fs::write(own.join(file), value).expect("a group has what the one above has");
            }
        }
        for controller in controllers.split(',') {
            let target = format!("{mount_point}/{controller}");
            filesystem::make_directory(&target);
            filesystem::bind(&own, &target);
        }
        let open = |path: &Path| -> OwnedFd {
            File::open(path)
                .expect("the control group was just made")
                .into()
        };
        Self {
            controllers: controllers.to_owned(),
            parent: open(Path::new(&all)),
            directory: open(&own),
        }
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.directory.as_raw_fd()))
    }
}

/// Every directory below this one, the deepest first.
pub fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&entry.path(), found);
            found.push(entry.path());
        }
    }
}

/// Lets the groups of version 2 below this one have every controller that this one has.
pub fn delegate(directory: &Path) {
    for controller in CONTROLLERS {
        // One that is not there is not to be had.
        fs::write(
            directory.join("cgroup.subtree_control"),
            format!("+{controller}"),
        )
        .ok();
    }
}

/// The controllers of each hierarchy of version 1 that has one of ours, in lines such as `4:memory:/`.
fn hierarchies() -> Vec<String> {
    let text = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let controllers = |line: &str| line.split(':').nth(1).map(str::to_owned);
    let is_ours = |list: &String| list.split(',').any(|one| CONTROLLERS.contains(&one));
    text.lines()
        .filter_map(controllers)
        .filter(is_ours)
        .collect()
}
