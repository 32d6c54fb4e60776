//! The users and groups of containers that are nobody on the host: which numbers they have there.
//!
//! Theory of operation
//!
//! 1. A container with a user namespace of its own has a range of 65536 numbers of the host for life ([`IdRange`]). Files keep
//!    the numbers that they have inside on disk, because layers are shared; only mounts show them shifted.
//! 2. Ranges come from the administrator's `/etc/subuid` and `/etc/subgid`, if they have an entry for us, else from an area that
//!    neither accounts nor other such entries use (`pool`).
//! 3. A range is claimed as a name is: by a symbolic link that names the container, of which there cannot be two (`claim`). So
//!    nobody has to look at other containers.

mod check;
mod claim;
mod pool;
mod range;

pub(crate) use check::check_user_namespace;
pub use pool::IdPoolError;
pub use range::IdRange;
