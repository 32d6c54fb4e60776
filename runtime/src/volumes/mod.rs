//! Volumes: directories that outlive containers.
//!
//! ```text
//! ROOT/volumes/<name>/volume.json   what it is; a directory without one is half made, or half removed
//! ROOT/volumes/<name>/_data         what containers see
//! ROOT/volumes/<name>/_new          what an image has for it, half copied
//! ROOT/volumes/<name>/_ready        what an image has for it, on its way into `_data`
//! ```
//!
//! # Theory of operation
//!
//! 1. Who uses a volume is in the containers' records and nowhere else: a volume whose name stands in none is unused.
//! 2. A volume's directory is locked by whoever makes, fills or removes it. A command that creates a container holds the locks of all
//!    its volumes, taken in the order of their names, until the container's record is written; so whoever removes a volume either
//!    meets that record or is there before.
//! 3. An empty volume is filled with what the image has at its destination (`populate`) before anything runs. The content is
//!    copied beside it and moved in only when it is whole. What was interrupted is thrown away, or moved in to the end.
//! 4. A volume is removed record first, so that what is left when this is interrupted is seen to be half removed; the next command
//!    that wants the name, or sweeps, takes the rest away.
//! 5. Only root can enter the directory of volumes: what containers write may hold set-user-id programs.

mod claim;
mod creation;
mod error;
mod inherit;
mod populate;
mod record;
mod release;
mod sources;
mod store;
mod usage;

pub use error::VolumeError;
pub use record::{NewVolume, Volume};
pub use store::{Made, VolumeLock, VolumeStore, data_path};
pub use usage::VolumeUse;
