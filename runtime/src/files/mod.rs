//! The files of containers, seen from outside: copying in both directions, exporting, telling what was changed, and making
//! an image of it.
//!
//! A container's files are reached through one descriptor (`container_root`) and by walking below it; a path that a user
//! names is resolved by the kernel as if that descriptor were the root (`ground`). What is read goes entry by entry
//! (`crate::image::walk`, or `crate::image::unpack` for an archive) to whoever makes something of it: files at another place
//! (`place`), an archive (`pack`), or a layer of an image.
//!
//! Invariant: no name in a container, whatever its processes do meanwhile, leads anywhere but into that container; nothing of
//! it is executed or loaded; and no device node of it is opened, or made on the host.

mod commit;
mod container_root;
mod content;
mod copy;
mod copy_path;
mod decide;
mod diff;
mod error;
mod export;
mod file_creator;
mod freeze;
mod ground;
mod lower_layers;
mod mount_points;
mod ownership;
mod pack;
mod pax;
mod place;
mod single;

pub use commit::{CommitOptions, WhileCommitting};
pub use copy::{Copied, CopyOptions, CopyOwnership, FollowLink, Skipped};
pub use copy_path::{ContainerPath, HostPath};
pub use diff::{ChangeKind, FileChange};
pub use error::{FilesError, Side};
