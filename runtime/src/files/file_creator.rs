//! Creating files in a container whose users are not the host's.

use std::io;

use caps::{CapSet, Capability};
use nix::unistd::{Gid, Uid, setfsgid, setfsuid};

use crate::user_ids::IdRange;

/// As long as it lives, what this thread creates belongs to the container's root. The host's root is nobody in the container's
/// file systems, and cannot create anything there. All other rights stay.
#[derive(Debug)]
pub(super) struct FileCreator {
    user: Uid,
    group: Gid,
}

impl FileCreator {
    /// Creates files for these users.
    pub(super) fn of(users: IdRange) -> io::Result<Self> {
        let group = setfsgid(Gid::from_raw(users.first()));
        let user = setfsuid(Uid::from_raw(users.first()));
        let creator = Self { user, group };
        // Those about files go with the change of the user, and come back with the change back.
        let permitted = caps::read(None, CapSet::Permitted).map_err(io::Error::other)?;
        caps::set(None, CapSet::Effective, &permitted).map_err(io::Error::other)?;
        match permitted.contains(&Capability::CAP_CHOWN) {
            true => Ok(creator),
            false => Err(io::ErrorKind::PermissionDenied.into()),
        }
    }
}

impl Drop for FileCreator {
    fn drop(&mut self) {
        setfsuid(self.user);
        setfsgid(self.group);
    }
}
