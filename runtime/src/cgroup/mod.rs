//! Control groups: what finds the processes of a container again, limits them, stops them for a while and counts what they use.
//!
//! Theory of operation
//!
//! 1. Every container has a group `minirun/<id>` in the version 2 hierarchy (`group`), where there is one. It needs no
//!    controller: it is what kills, empties and freezes.
//! 2. A controller is in the version 2 hierarchy or in one of its own (`hierarchy`). In version 2 it is passed on to the
//!    group of the container. In version 1 the container gets one more group, in the hierarchy of the controller
//!    (`legacy`), and only if it has a limit for that controller: so a container without limits costs nothing.
//! 3. Limits are written before the container's program begins, and its first process is moved into the groups of version
//!    1 while it waits at the gate (`limits`). What is executed later is moved in while it waits at its own.
//! 4. A group of version 1 that a running container gets later is written to first and entered by its processes then.
//! 5. All groups are removed when the container has ended, whoever does that.
//!
//! What is written into which file is decided apart from writing it (`settings`).

mod applied;
mod consumption;
mod control_file;
mod directory;
mod error;
mod events;
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

pub use consumption::Consumption;
pub use directory::GroupName;
pub use error::CgroupError;
pub use group::Cgroup;
pub use hierarchy::Controller;
pub use limits::{Limits, admit, change, check_enforceable, remove_legacy, restore};
pub use members::Members;
pub use usage::{Usage, oom_killed};
