//! Control groups: what finds the processes of a container again, limits them, stops them for a while and counts what they use.
//!
//! Theory of operation
//!
//! 1. Every container has a group, `minirun/<id>` unless another parent is named, in the version 2 hierarchy (`group`), where there is one. It needs no
//!    controller: it is what kills, empties and freezes.
//! 2. A controller is in the version 2 hierarchy or in one of its own (`hierarchy`). In version 2 it is passed on to the
//!    group of the container. In version 1 the container gets one more group, in the hierarchy of the controller
//!    (`legacy`), and only if it has a limit for that controller: so a container without limits costs nothing.
//! 3. Limits are written before the container's program begins, and its first process is moved into the groups of version
//!    1 while it waits at the gate (`limits`). What is executed later is moved in while it waits at its own.
//! 4. A group of version 1 that a running container gets later is written to first and entered by its processes then.
//! 5. The devices that a container may use are kept by a filter on its group of version 2, attached before its first process
//!    is born there, and else by a group of version 1 (`devices`).
//! 6. All groups are removed when the container has ended, whoever does that, with the groups that the container has made in
//!    them. What is still in one is killed before (`clearing`). A group that was killed is never used again.
//! 7. Whether a limit can be kept is found out when the container is created (`enforceable`).
//!
//! What is written into which file is decided apart from writing it (`settings`).

mod applied;
mod block_device;
mod block_settings;
mod clearing;
mod consumption;
mod control_file;
mod device_filter;
mod device_program;
mod devices;
mod directory;
mod enforceable;
mod error;
mod events;
mod explanation;
pub mod freezer;
mod group;
mod hierarchy;
mod legacy;
mod limits;
mod members;
mod settings;
#[cfg(test)]
mod tests;
mod usage;

pub use clearing::clear;
pub use consumption::Consumption;
pub use device_filter::UsualDevices;
pub use devices::{DeviceGroup, guard_devices};
pub use directory::GroupName;
pub use enforceable::{check_enforceable, passes_cached_writes, try_out};
pub use error::CgroupError;
pub use group::Cgroup;
pub use hierarchy::Controller;
pub use limits::{Limits, admit, change, restore};
pub use members::Members;
pub use usage::{Usage, oom_killed, processes_refused};
