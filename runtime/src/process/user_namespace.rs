//! The user namespace of a container, and the small process that holds it until the container's first process is in.
//!
//! # Theory of operation
//!
//! 1. Mounts can show files under other numbers only with a user namespace that is there already, and only root of the host can
//!    make such mounts. So the namespace is not made by the clone that makes the container's first process.
//! 2. A *holder* is cloned into a new user namespace, and a network namespace that belongs to it. It does nothing. The parent
//!    writes which numbers are whose.
//! 3. The first process is born into the holder's network and with a descriptor of the user namespace, which it enters when its
//!    root is ready. All other namespaces stay the host's, so root inside can change none of its mounts, whatever it may do else.
//! 4. Then the holder is killed.

use std::fs::{self, File};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::PathBuf;

use minirun_netns::Namespace;
use nix::errno::Errno;

use super::child;
use super::clone::{Cloned, clone_child};
use super::error::ProcessError;
use super::exit::{Parent, RunningProcess};
use super::gate;
use super::spawn::make_gate;
use super::standard_streams::{GATE, arrange};
use crate::user_ids::IdRange;

/// A user namespace, which lives at least as long as this value.
#[derive(Debug)]
pub(super) struct UserNamespace {
    // Dropped first, so that the holder is killed before its gate closes.
    holder: RunningProcess,
    _gate: OwnedFd,
    descriptor: File,
}

impl UserNamespace {
    /// Makes one with these users and groups, and in it those of `namespaces` (`CLONE_NEW…`).
    pub(super) fn make(ids: IdRange, namespaces: u64) -> Result<Self, ProcessError> {
        let (ours, theirs) = make_gate()?;
        let flags = libc::CLONE_NEWUSER as u64 | namespaces;
        // SAFETY: the child goes straight to `hold`, which neither allocates nor takes a lock, and never returns.
        let cloned = unsafe { clone_child(flags, None) }
            .map_err(|errno| ProcessError::UserNamespace { errno })?;
        let (pid, pidfd) = match cloned {
            Cloned::Child => hold(theirs.as_raw_fd()),
            Cloned::Parent { pid, pidfd } => (pid, pidfd),
        };
        let holder = RunningProcess::new(pid, pidfd, Parent::Caller);
        for file in ["uid_map", "gid_map"] {
            fs::write(format!("/proc/{pid}/{file}"), ids.mapping()).map_err(|error| {
                ProcessError::IdMapping {
                    first: ids.first(),
                    errno: errno_of(&error),
                }
            })?;
        }
        let path = PathBuf::from(format!("/proc/{pid}/ns/user"));
        let descriptor = File::open(&path).map_err(|error| ProcessError::OpenNamespace {
            path,
            errno: errno_of(&error),
        })?;
        Ok(Self {
            holder,
            _gate: ours,
            descriptor,
        })
    }

    /// The network namespace of the holder.
    pub(super) fn network(&self) -> Result<Namespace, ProcessError> {
        Ok(Namespace::of_process(self.holder.pid())?)
    }
}

impl AsFd for UserNamespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// The whole life of the holder. Called in a fresh child: no allocation.
fn hold(gate: RawFd) -> ! {
    if arrange([gate; 4]).is_ok() && child::die_with_parent().is_ok() {
        // Nothing ever comes: it is killed, or the other end closes.
        let _ = gate::wait_until_open(GATE);
    }
    child::exit(0)
}

fn errno_of(error: &std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(0))
}
