//! How much a container may write to its own layer: a project quota of the file system that the layer lies on.
//!
//! # Theory of operation
//!
//! 1. Everything in the upper and the work directory of a container belongs to one *project*, a number that new files inherit. The file
//!    system counts what a project has and refuses more than its limit.
//! 2. A number is free if it has neither files nor a limit. It is looked for under a lock on the directory of all containers and taken
//!    by setting its limit, so that no two containers, and no other user of the file system, share one.
//! 3. The number stands in the directory itself. When the container is removed, the limit is taken back.
//!
//! A process with all rights in a container can give its files to another project, so this is for mistakes, not for malice.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use minirun_bridge::id::ContainerId;
use nix::errno::Errno;
use thiserror::Error;

use crate::byte_size::ByteSize;

/// Numbers below this are given out by hand (`/etc/projid`).
const FIRST_NUMBER: u32 = 1 << 20;

/// What the kernel counts limits in, in bytes.
const BLOCK: u64 = 1024;

/// Files that are made in the directory belong to its project.
const INHERIT: u32 = 0x200;

const GET_QUOTA: libc::c_int = 0x80_0007;
const SET_QUOTA: libc::c_int = 0x80_0008;
/// The kind of quota that counts projects.
const PROJECT: libc::c_int = 2;
/// `dqb_valid`: the limits of space are meant.
const SPACE_LIMITS: u32 = 1;

/// `struct fsxattr` of linux/fs.h.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct ExtendedAttributes {
    flags: u32,
    extent_size: u32,
    extents: u32,
    project: u32,
    copy_extent_size: u32,
    padding: [u8; 8],
}

nix::ioctl_read! {
    /// `FS_IOC_FSGETXATTR`.
    get_attributes, b'X', 31, ExtendedAttributes
}
nix::ioctl_write_ptr! {
    /// `FS_IOC_FSSETXATTR`.
    set_attributes, b'X', 32, ExtendedAttributes
}

/// Why what a container writes cannot be limited.
#[derive(Debug, Error)]
pub enum SizeLimitError {
    /// The file system does not count projects.
    #[error(
        "`--storage-opt size` cannot be kept: the file system of `{}` has no project quotas ({})",
        path.display(),
        errno.desc()
    )]
    NotSupported {
        /// Where containers are kept.
        path: PathBuf,
        /// The kernel's answer.
        errno: Errno,
    },
    /// A directory could not be given to a project.
    #[error("cannot {action} `{}`: {error}", path.display())]
    Directory {
        /// What was tried.
        action: &'static str,
        /// The directory.
        path: PathBuf,
        /// The kernel's answer.
        error: io::Error,
    },
    /// Every number that was tried is in use.
    #[error("no project number is free for the size limit of the container")]
    NoNumber,
}

impl SizeLimitError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotSupported { .. } => Some(
                "keep containers on ext4 or xfs mounted with `prjquota` (`--root`), or leave out `--storage-opt`"
                    .to_owned(),
            ),
            Self::Directory { .. } | Self::NoNumber => None,
        }
    }
}

/// The project quotas of the file system that containers are kept on.
#[derive(Debug)]
pub struct ProjectQuota {
    containers: File,
    path: PathBuf,
}

impl ProjectQuota {
    /// Opens the quotas of the file system of a directory.
    ///
    /// # Errors
    /// [`SizeLimitError::NotSupported`] if it has none.
    pub fn open(containers: &Path) -> Result<Self, SizeLimitError> {
        let quota = Self {
            containers: File::open(containers).map_err(cannot("open", containers))?,
            path: containers.to_owned(),
        };
        match quota.used(FIRST_NUMBER) {
            Ok(_) => Ok(quota),
            Err(errno) => Err(SizeLimitError::NotSupported {
                path: containers.to_owned(),
                errno,
            }),
        }
    }

    /// Limits what the directories, which are empty and on one file system, can hold together.
    ///
    /// # Errors
    /// When the kernel refuses; the limit is taken back then.
    pub fn limit(
        &self,
        container: &ContainerId,
        directories: &[PathBuf],
        limit: ByteSize,
    ) -> Result<(), SizeLimitError> {
        let lock = self
            .containers
            .try_clone()
            .map_err(cannot("open", &self.path))?;
        lock.lock().map_err(cannot("lock", &self.path))?;
        let is_free = |number: &u32| self.used(*number) == Ok(false);
        let number = candidates(container).find(is_free);
        let number = number.ok_or(SizeLimitError::NoNumber)?;
        self.set(number, limit.bytes().div_ceil(BLOCK))
            .map_err(|errno| cannot("limit what is written to", &self.path)(errno.into()))?;
        // It is taken by its limit from now on.
        let unlocked = lock.unlock().map_err(cannot("unlock", &self.path));
        let given = unlocked.and_then(|()| {
            let mut directories = directories.iter();
            directories.try_for_each(|directory| give(directory, number))
        });
        if given.is_err() {
            let _ = self.set(number, 0);
        }
        given
    }

    /// Takes back the limit of the project that a directory belongs to; for when everything in it is just being removed.
    pub fn release(&self, directory: &Path) {
        let number = File::open(directory)
            .ok()
            .and_then(|directory| read(&directory.into()).ok())
            .map(|attributes| attributes.project);
        if let Some(number) = number.filter(|number| *number >= FIRST_NUMBER) {
            let _ = self.set(number, 0);
        }
    }

    /// Whether a number has files or a limit.
    fn used(&self, number: u32) -> Result<bool, Errno> {
        let mut quota = nothing();
        match self.call(GET_QUOTA, number, &mut quota) {
            Ok(()) => Ok(quota.dqb_curspace > 0
                || quota.dqb_curinodes > 0
                || quota.dqb_bhardlimit > 0
                || quota.dqb_ihardlimit > 0),
            // xfs knows nothing yet of a number that was never used.
            Err(Errno::ENOENT) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    fn set(&self, number: u32, blocks: u64) -> Result<(), Errno> {
        let mut quota = nothing();
        quota.dqb_bhardlimit = blocks;
        quota.dqb_bsoftlimit = blocks;
        quota.dqb_valid = SPACE_LIMITS;
        self.call(SET_QUOTA, number, &mut quota)
    }

    fn call(
        &self,
        command: libc::c_int,
        number: u32,
        quota: &mut libc::dqblk,
    ) -> Result<(), Errno> {
        // SAFETY: the descriptor is open, and the kernel reads or writes one dqblk, which outlives the call.
        let result = unsafe {
            libc::syscall(
                libc::SYS_quotactl_fd,
                self.containers.as_raw_fd(),
                command << 8 | PROJECT,
                number,
                &raw mut *quota,
            )
        };
        Errno::result(result).map(drop)
    }
}

/// The numbers that a container can have, as random as its id.
fn candidates(container: &ContainerId) -> impl Iterator<Item = u32> {
    let digits = container.to_string();
    (0..digits.len() / 8).filter_map(move |index| {
        let number = u32::from_str_radix(digits.get(index * 8..index * 8 + 8)?, 16).ok()?;
        // Some programs take the numbers for signed ones.
        Some(number & i32::MAX as u32).filter(|number| *number >= FIRST_NUMBER)
    })
}

fn nothing() -> libc::dqblk {
    libc::dqblk {
        dqb_bhardlimit: 0,
        dqb_bsoftlimit: 0,
        dqb_curspace: 0,
        dqb_ihardlimit: 0,
        dqb_isoftlimit: 0,
        dqb_curinodes: 0,
        dqb_btime: 0,
        dqb_itime: 0,
        dqb_valid: 0,
    }
}

/// Makes a directory, and all that will be made in it, part of a project.
fn give(directory: &Path, number: u32) -> Result<(), SizeLimitError> {
    let fail = || cannot("set the project of", directory);
    let opened: OwnedFd = File::open(directory).map_err(fail())?.into();
    let mut attributes = read(&opened).map_err(|errno| fail()(errno.into()))?;
    attributes.project = number;
    attributes.flags |= INHERIT;
    // SAFETY: the descriptor is open, and the kernel reads one value of the type that it expects.
    unsafe { set_attributes(opened.as_raw_fd(), &raw const attributes) }
        .map(drop)
        .map_err(|errno| fail()(errno.into()))
}

fn read(directory: &OwnedFd) -> Result<ExtendedAttributes, Errno> {
    let mut attributes = ExtendedAttributes::default();
    // SAFETY: the descriptor is open, and the kernel writes one value of the type that it expects.
    unsafe { get_attributes(directory.as_raw_fd(), &raw mut attributes) }?;
    Ok(attributes)
}

fn cannot(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SizeLimitError {
    move |error| SizeLimitError::Directory {
        action,
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_has_numbers_of_its_own_to_choose_from() {
        let container = ContainerId::random().unwrap();
        let numbers: Vec<u32> = candidates(&container).collect();
        assert!(numbers.len() > 4, "{numbers:?}");
        assert!(
            numbers
                .iter()
                .all(|number| (FIRST_NUMBER..1 << 31).contains(number))
        );
        assert_eq!(numbers, candidates(&container).collect::<Vec<u32>>());
    }

    #[test]
    fn the_kernels_structure_has_28_bytes() {
        assert_eq!(size_of::<ExtendedAttributes>(), 28);
    }

    #[test]
    fn a_file_system_without_projects_is_named() {
        let error = ProjectQuota::open(Path::new("/proc")).unwrap_err();
        assert!(
            matches!(error, SizeLimitError::NotSupported { .. }),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("prjquota"));
    }
}
