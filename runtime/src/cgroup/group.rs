//! The control group of a container: one directory below `minirun` in the version 2 hierarchy.
//!
//! A container is born in its group (`CLONE_INTO_CGROUP` with [`Cgroup::fd`]). The group is what finds all its
//! processes again, whatever has happened to the program that started them.

use super::control_file;
use super::directory::{self, GroupName, Made, is_gone};
use super::error::CgroupError;
use super::hierarchy::{offer, unified};
use crate::resources::group_parent::ParentFate;
use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A container's control group. Dropping the value leaves the group in place.
#[derive(Debug)]
pub struct Cgroup {
    pub(super) path: PathBuf,
    spec_path: String,
    fate: ParentFate,
    directory: File,
}

impl Cgroup {
    /// Makes the group, and the parent where it is missing. `None` on a host without the version 2 hierarchy. An empty group
    /// that an earlier start left behind is made anew.
    pub fn create(name: GroupName<'_>) -> Result<Option<Cgroup>, CgroupError> {
        let Some(root) = unified()? else {
            return Ok(None);
        };
        let (mut path, mut made) = directory::make(&root, name)?;
        if made == Made::Before {
            // Since Linux 6.14, what is born into a group that was killed once is killed as well. So it is made anew.
            Cgroup::open_at(path.clone(), name)?.unless_populated()?;
            directory::remove(&path, name.0.fate())?;
            (path, made) = directory::make(&root, name)?;
        }
        let cgroup = Cgroup::open_at(path, name)?;
        if made == Made::WithParent {
            offer(&root, name.0);
        }
        cgroup.unless_populated().map(Some)
    }

    /// Opens the group. `None` when there is no such group, or no version 2 hierarchy at all.
    pub fn open(name: GroupName<'_>) -> Result<Option<Cgroup>, CgroupError> {
        let Some(root) = unified()? else {
            return Ok(None);
        };
        match Cgroup::open_at(directory::path(&root, name), name) {
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
        self.path.join(control_file::PROCESSES)
    }

    /// The open directory, for `CLONE_INTO_CGROUP`. It closes on exec.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// The processes in the group, as the caller's process namespace counts; none if the group is gone.
    pub fn processes(&self) -> Result<Vec<i32>, CgroupError> {
        control_file::numbers(&self.processes_path())
    }

    /// Sends SIGKILL to every process in the group at once. They die some time after this returns.
    pub fn kill(&self) -> Result<(), CgroupError> {
        let path = self.path.join("cgroup.kill");
        // Never created: on a kernel before 5.14 the file is missing, and that is to be said.
        let written = OpenOptions::new()
            .write(true)
            .open(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, b"1"));
        written.map_err(|source| CgroupError::Kill {
            path: self.path.clone(),
            source,
        })
    }

    /// Removes the group, which must be empty, and its parent if that is empty now. A group that is gone is no error.
    pub fn remove(self) -> Result<(), CgroupError> {
        directory::remove(&self.path, self.fate)
    }

    fn open_at(path: PathBuf, (parent, id): GroupName<'_>) -> Result<Cgroup, CgroupError> {
        let directory = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW)
            .open(&path)
            .map_err(|source| CgroupError::Open {
                path: path.clone(),
                source,
            })?;
        Ok(Cgroup {
            path,
            spec_path: format!("{parent}/{id}"),
            fate: parent.fate(),
            directory,
        })
    }

    fn unless_populated(self) -> Result<Cgroup, CgroupError> {
        match self.is_populated()? {
            true => Err(CgroupError::Occupied(self.path)),
            false => Ok(self),
        }
    }
}
