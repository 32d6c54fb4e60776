//! The control group of a container: one directory below `minirun` in the version 2 hierarchy.
//!
//! A container is born in its group (`CLONE_INTO_CGROUP` with [`Cgroup::fd`]). The group is what finds all its
//! processes again, whatever has happened to the program that started them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use minirun_bridge::id::ContainerId;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::statfs::{CGROUP2_SUPER_MAGIC, statfs};

/// Where the version 2 hierarchy is: alone, or beside the old ones.
const MOUNT_POINTS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
/// How often creation is tried again when another container's removal keeps taking the parent away.
const MOST_ATTEMPTS: usize = 100;

/// A container's control group. Dropping the value leaves the group in place.
#[derive(Debug)]
pub struct Cgroup {
    parent: PathBuf,
    path: PathBuf,
    spec_path: String,
    directory: File,
}

/// Why an operation on a control group failed.
#[derive(Debug, thiserror::Error)]
pub enum CgroupError {
    /// The hierarchy cannot be looked at.
    #[error("cannot examine `{}`: {source}", path.display())]
    Examine {
        /// The directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The group, or its parent, cannot be made.
    #[error("cannot create the control group `{}`: {source}", path.display())]
    Create {
        /// The group's directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The group cannot be opened.
    #[error("cannot open the control group `{}`: {source}", path.display())]
    Open {
        /// The group's directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A group of this container is there already, and processes are in it.
    #[error("the control group `{}` still holds processes of an earlier start: kill them first", .0.display())]
    Occupied(PathBuf),
    /// The processes cannot be killed.
    #[error("cannot kill the processes in the control group `{}`: {source}", path.display())]
    Kill {
        /// The group's directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The events of the group cannot be read or waited for.
    #[error("cannot watch the control group `{}`: {source}", path.display())]
    Watch {
        /// The group's directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Processes are left in the group though they were waited for.
    #[error("the control group `{}` still holds processes after {} ms", path.display(), waited.as_millis())]
    NotEmpty {
        /// The group's directory.
        path: PathBuf,
        /// How long was waited.
        waited: Duration,
    },
    /// The group cannot be removed.
    #[error("cannot remove the control group `{}`: {source}", path.display())]
    Remove {
        /// The group's directory.
        path: PathBuf,
        /// What the kernel said; `EBUSY` when processes or groups are in it.
        source: io::Error,
    },
}

impl Cgroup {
    /// Makes the group `parent/id` (`parent` is one name, such as `minirun`), and the parent where it is missing.
    /// `None` on a host without the version 2 hierarchy. An empty group that an earlier start left behind is used.
    pub fn create(parent: &str, id: &ContainerId) -> Result<Option<Cgroup>, CgroupError> {
        match hierarchy()? {
            Some(root) => Cgroup::create_below(&root, parent, id).map(Some),
            None => Ok(None),
        }
    }

    /// Opens the group `parent/id`. `None` when there is no such group, or no version 2 hierarchy at all.
    pub fn open(parent: &str, id: &ContainerId) -> Result<Option<Cgroup>, CgroupError> {
        let Some(root) = hierarchy()? else {
            return Ok(None);
        };
        match Cgroup::open_below(&root, parent, id) {
            Err(CgroupError::Open { source, .. }) if is_gone(&source) => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// The group's directory on the host.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The group as the specification's `cgroupsPath` names it: from the root of the hierarchy, `/minirun/<id>`.
    pub fn spec_path(&self) -> &str {
        &self.spec_path
    }

    /// The file that moves a process into the group when its process id is written there.
    pub fn processes_path(&self) -> PathBuf {
        self.path.join("cgroup.procs")
    }

    /// The open directory, for `CLONE_INTO_CGROUP`. It closes on exec.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// Sends SIGKILL to every process in the group at once. They die some time after this returns.
    pub fn kill(&self) -> Result<(), CgroupError> {
        let path = self.path.join("cgroup.kill");
        // Never created: on a kernel before 5.14 the file is missing, and that is to be said.
        let written = OpenOptions::new()
            .write(true)
            .open(&path)
            .and_then(|mut file| io::Write::write_all(&mut file, b"1"));
        written.map_err(|source| CgroupError::Kill {
            path: self.path.clone(),
            source,
        })
    }

    /// Waits, asleep, until no process is left in the group, or the group is gone; zombies do not count. Fails after `patience`.
    pub fn wait_until_empty(&self, patience: Duration) -> Result<(), CgroupError> {
        let end = Instant::now() + patience;
        let mut events = match self.open_events() {
            Err(CgroupError::Watch { source, .. }) if is_gone(&source) => return Ok(()),
            opened => opened?,
        };
        loop {
            if !self.is_populated(&mut events)? {
                return Ok(());
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(CgroupError::NotEmpty {
                    path: self.path.clone(),
                    waited: patience,
                });
            }
            // Rounded up, so that the last fraction of a millisecond is slept through and not spun through.
            let milliseconds = left.as_millis().saturating_add(1);
            let timeout = PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX);
            let mut watched = [PollFd::new(events.as_fd(), PollFlags::POLLPRI)];
            match poll(&mut watched, timeout) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(self.watch_error(errno.into())),
            }
        }
    }

    /// Removes the group, which must be empty, and its parent if that is empty now. A group that is gone is no error.
    pub fn remove(self) -> Result<(), CgroupError> {
        match fs::remove_dir(&self.path) {
            Err(source) if !is_gone(&source) => {
                return Err(CgroupError::Remove {
                    path: self.path,
                    source,
                });
            }
            _ => {}
        }
        match fs::remove_dir(&self.parent) {
            Err(source) if !is_in_use(&source) && !is_gone(&source) => Err(CgroupError::Remove {
                path: self.parent,
                source,
            }),
            _ => Ok(()),
        }
    }

    fn create_below(root: &Path, parent: &str, id: &ContainerId) -> Result<Cgroup, CgroupError> {
        let parent_path = root.join(parent);
        let path = parent_path.join(id.to_string());
        let failed = |path: &Path, source| CgroupError::Create {
            path: path.to_owned(),
            source,
        };
        let mut attempts = 0;
        loop {
            attempts += 1;
            match fs::create_dir(&path) {
                Ok(()) => return Cgroup::open_below(root, parent, id),
                Err(source) if source.kind() == ErrorKind::AlreadyExists => {
                    return Cgroup::open_below(root, parent, id)?.unless_populated();
                }
                Err(source) if is_gone(&source) && attempts < MOST_ATTEMPTS => {}
                Err(source) => return Err(failed(&path, source)),
            }
            match fs::create_dir(&parent_path) {
                Err(source) if source.kind() != ErrorKind::AlreadyExists => {
                    return Err(failed(&parent_path, source));
                }
                _ => {}
            }
        }
    }

    fn open_below(root: &Path, parent: &str, id: &ContainerId) -> Result<Cgroup, CgroupError> {
        let parent_path = root.join(parent);
        let path = parent_path.join(id.to_string());
        let directory = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW)
            .open(&path)
            .map_err(|source| CgroupError::Open {
                path: path.clone(),
                source,
            })?;
        Ok(Cgroup {
            parent: parent_path,
            path,
            spec_path: format!("/{parent}/{id}"),
            directory,
        })
    }

    fn unless_populated(self) -> Result<Cgroup, CgroupError> {
        let mut events = self.open_events()?;
        if self.is_populated(&mut events)? {
            Err(CgroupError::Occupied(self.path))
        } else {
            Ok(self)
        }
    }

    fn open_events(&self) -> Result<File, CgroupError> {
        File::open(self.path.join("cgroup.events")).map_err(|source| self.watch_error(source))
    }

    /// Reads the events file from its start, which also arms the next poll.
    fn is_populated(&self, events: &mut File) -> Result<bool, CgroupError> {
        let mut text = String::new();
        match io::Seek::rewind(events).and_then(|()| events.read_to_string(&mut text)) {
            Err(source) if is_gone(&source) => Ok(false),
            Err(source) => Err(self.watch_error(source)),
            Ok(_) => Ok(text.lines().any(|line| line == "populated 1")),
        }
    }

    fn watch_error(&self, source: io::Error) -> CgroupError {
        CgroupError::Watch {
            path: self.path.clone(),
            source,
        }
    }
}

/// Where the version 2 hierarchy is mounted, if it is.
fn hierarchy() -> Result<Option<PathBuf>, CgroupError> {
    for mount_point in MOUNT_POINTS {
        match statfs(mount_point) {
            Ok(status) if status.filesystem_type() == CGROUP2_SUPER_MAGIC => {
                return Ok(Some(mount_point.into()));
            }
            Ok(_) | Err(Errno::ENOENT) => {}
            Err(errno) => {
                return Err(CgroupError::Examine {
                    path: mount_point.into(),
                    source: errno.into(),
                });
            }
        }
    }
    Ok(None)
}

/// Whether a group was removed before or while it was used: by name it is not found, through an open file it has no
/// device any more.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(libc::ENODEV)
}

/// Whether a directory could not be removed because other groups are in it.
fn is_in_use(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ResourceBusy | ErrorKind::DirectoryNotEmpty
    )
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// A parent name that no other test and no real container uses.
    fn parent() -> String {
        let random = ContainerId::random().expect("the kernel gives random bytes");
        format!("minirun-test-{random}")
    }

    /// A process that sleeps until its standard input closes, in the group.
    fn sleeper_in(cgroup: &Cgroup) -> Child {
        let child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        fs::write(cgroup.processes_path(), child.id().to_string()).unwrap();
        child
    }

    #[test]
    fn a_group_is_made_with_its_parent_and_removed_with_it() {
        let (parent, id) = (parent(), ContainerId::random().unwrap());
        let Some(root) = hierarchy().unwrap() else {
            assert!(Cgroup::create(&parent, &id).unwrap().is_none());
            return;
        };
        assert!(Cgroup::open(&parent, &id).unwrap().is_none());
        let first = Cgroup::create(&parent, &id).unwrap().unwrap();
        assert_eq!(first.spec_path(), format!("/{parent}/{id}"));
        let second = Cgroup::create(&parent, &ContainerId::random().unwrap());
        assert!(Cgroup::open(&parent, &id).unwrap().is_some());
        first.remove().unwrap();
        assert!(root.join(&parent).is_dir(), "another group is in it");
        second.unwrap().unwrap().remove().unwrap();
        assert!(!root.join(&parent).exists());
    }

    #[test]
    fn killing_the_group_empties_it_and_an_occupied_group_is_not_used_again() {
        let (parent, id) = (parent(), ContainerId::random().unwrap());
        let Some(cgroup) = Cgroup::create(&parent, &id).unwrap() else {
            return;
        };
        let mut child = sleeper_in(&cgroup);
        let again = Cgroup::create(&parent, &id);
        assert!(matches!(again, Err(CgroupError::Occupied(_))));
        let patience = Duration::from_millis(1);
        let waited = cgroup.wait_until_empty(patience);
        assert!(matches!(waited, Err(CgroupError::NotEmpty { .. })));

        cgroup.kill().unwrap();
        cgroup.wait_until_empty(Duration::from_secs(10)).unwrap();
        assert!(!child.wait().unwrap().success());
        let again = Cgroup::create(&parent, &id).unwrap().unwrap();
        again.remove().unwrap();
        cgroup.wait_until_empty(Duration::ZERO).unwrap();
        cgroup.remove().unwrap();
    }

    #[test]
    fn groups_made_and_removed_at_once_do_not_disturb_each_other() {
        let parent = parent();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..25 {
                        let id = ContainerId::random().unwrap();
                        if let Some(cgroup) = Cgroup::create(&parent, &id).unwrap() {
                            cgroup.remove().unwrap();
                        }
                    }
                });
            }
        });
        if let Some(root) = hierarchy().unwrap() {
            assert!(!root.join(&parent).exists());
        }
    }
}
