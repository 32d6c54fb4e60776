//! Why an operation on a control group failed.

use super::hierarchy::Controller;
use crate::byte_size::ByteSize;
use crate::resources::block::BlockDevice;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

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
    /// There is no such thing on this host.
    #[error("`{option}` cannot be kept: this host has no control group controller `{controller}`")]
    NoController {
        /// The option that needs it.
        option: &'static str,
        /// The controller.
        controller: Controller,
    },
    /// Nothing here keeps a container from the other devices.
    #[error(
        "`{option}` cannot be kept: no control group of this host keeps a container from other devices ({source})"
    )]
    NoDeviceGuard {
        /// The option that needs it.
        option: &'static str,
        /// What the kernel said to a device filter.
        source: io::Error,
    },
    /// Version 2 has nothing like it.
    #[error(
        "`{0}` cannot be kept: only version 1 of control groups has it, and memory is in version 2 on this host"
    )]
    OnlyInVersionOne(&'static str),
    /// It limits what the kernel does not count.
    #[error("a limit of swap cannot be kept: the kernel counts no swap, as there is no `{0}`")]
    NoSwapAccounting(&'static str),
    /// It is something else.
    #[error("`{0}` is no disk: limits of reading and writing are for block devices")]
    NoDisk(BlockDevice),
    /// The kernel limits whole disks.
    #[error("`{device}` is a part of a disk: the kernel limits whole disks only")]
    Partition {
        /// The part.
        device: BlockDevice,
        /// The whole.
        disk: String,
    },
    /// No scheduler shares it out by weight.
    #[error("a weight for `{0}` cannot be kept: its scheduler is not `bfq`")]
    WeightUnheeded(String),
    /// No scheduler shares out anything by weight.
    #[error("`--blkio-weight` cannot be kept: no disk of this host has the scheduler `bfq`")]
    NoWeights,
    /// Groups above have less.
    #[error("`{option} {wanted}` cannot be kept: the control group `{}` may use {there}", path.display())]
    BeyondParent {
        /// The option.
        option: &'static str,
        /// What was wanted.
        wanted: String,
        /// The group above.
        path: PathBuf,
        /// What there is.
        there: String,
    },
    /// The controller is there, and groups below a directory cannot have it.
    #[error("the controller `{controller}` cannot be passed on to the groups below `{}`: {source}", path.display())]
    Delegate {
        /// The controller.
        controller: Controller,
        /// The directory.
        path: PathBuf,
        /// What the kernel said; `EBUSY` when processes are in it.
        source: io::Error,
    },
    /// A file of a group cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A file of a group does not take what is written to it.
    #[error("cannot write `{value}` to `{}`: {source}", path.display())]
    Write {
        /// What was written.
        value: String,
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A running container uses more memory than it is to be limited to.
    #[error("memory cannot be limited to {limit}: the container uses {used} now")]
    MemoryInUse {
        /// The limit.
        limit: ByteSize,
        /// What cannot be taken back from it.
        used: ByteSize,
    },
    /// Its processes multiply faster than they can be moved.
    #[error("the processes in the control group `{}` multiply faster than they can be limited", .0.display())]
    Multiplying(PathBuf),
    /// Its processes do not stand still though they were waited for.
    #[error("the processes in the control group `{}` do not stand still after {} ms", path.display(), waited.as_millis())]
    NotFrozen {
        /// The group's directory.
        path: PathBuf,
        /// How long was waited.
        waited: Duration,
    },
    /// Nothing here can make processes stand still.
    #[error(
        "this host has no control groups that can be frozen: neither version 2 nor the `freezer` of version 1"
    )]
    NoFreezer,
}

impl CgroupError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            CgroupError::NoController { option, .. } => Some(format!(
                "leave out `{option}`, or have the kernel's controller enabled: `/proc/cgroups` and \
                 `/sys/fs/cgroup/cgroup.controllers` list those there are"
            )),
            CgroupError::NoDeviceGuard { option, .. } => Some(format!(
                "leave out `{option}`, or mount control groups: version 2 on a kernel with CONFIG_CGROUP_BPF, or the \
                 controller `devices` of version 1"
            )),
            CgroupError::NoSwapAccounting(_) => {
                Some("leave out `--memory-swap`, or boot the kernel with `swapaccount=1`".into())
            }
            CgroupError::OnlyInVersionOne(option) => Some(format!("leave out `{option}`")),
            CgroupError::Partition { disk, .. } => Some(format!("name the disk: `{disk}`")),
            CgroupError::NoWeights => {
                Some("choose it for a disk: `echo bfq >/sys/block/DISK/queue/scheduler`".into())
            }
            CgroupError::WeightUnheeded(device) => Some(format!(
                "choose it: `echo bfq >/sys/block/{}/queue/scheduler`",
                device.trim_start_matches("/dev/")
            )),
            CgroupError::Delegate { path, source, .. }
                if source.raw_os_error() == Some(libc::EBUSY) =>
            {
                Some(format!(
                    "no process may be in `{}` itself: name another group with `--cgroup-parent`",
                    path.display()
                ))
            }
            CgroupError::MemoryInUse { .. } => {
                Some("stop it first; the limit then holds from its next start".into())
            }
            _ => None,
        }
    }
}
