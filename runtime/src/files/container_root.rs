//! An open descriptor of a container's root, whether the container runs or not.
//!
//! Theory of operation
//!
//! 1. Of a running container it is a clone of the mounts that its processes see, so volumes and temporary file systems are in it.
//!    It is taken by the process descriptor of the first process, which means that process and no other.
//! 2. Of one that does not run it is what would be mounted at a start, below a descriptor that no name leads to; the container's
//!    lock is held as long as that is open, so that nobody starts it meanwhile.
//! 3. A container that is just being started or taken down is waited for.

use std::os::fd::{AsFd, OwnedFd};

use super::error::Side;
use super::ground::Ground;
use super::mount_points::mounts_of_stopped;
use crate::config::ContainerConfig;
use crate::container_state::ContainerState;
use crate::error::RuntimeError;
use crate::process::{
    OverlayRoot, RootPlan, RootView, RootWrites, clone_running_root, clone_stopped_root,
};
use crate::process_identity::ProcessIdentity;
use crate::runtime::Runtime;
use crate::store::ContainerLock;

/// The root of a container.
pub(super) struct ContainerRoot {
    /// The root.
    pub(super) ground: Ground,
    /// Keeps the container from being started, if it does not run.
    pub(super) lock: Option<ContainerLock>,
}

impl ContainerRoot {
    /// Opens it.
    ///
    /// # Errors
    /// When the container is gone, or its root cannot be made.
    pub(super) fn open(
        runtime: &Runtime,
        config: &ContainerConfig,
        view: RootView,
    ) -> Result<Self, RuntimeError> {
        let side = Side::Container(config.name.clone());
        loop {
            match runtime.paths(&config.id).container_state()? {
                ContainerState::Running(record) => match record.init {
                    Some(init) => {
                        if let Some(root) = of_running(&init, view)? {
                            return Ok(Self {
                                // Of a running one the mounts are those that its processes see.
                                ground: Ground::container(root, side)
                                    .with_users(config.security.id_range),
                                lock: None,
                            });
                        }
                        // It ends in this moment. Its monitor holds the lock until it is taken down.
                        runtime.settle(config)?;
                    }
                    // The lock is held until its program runs.
                    None => runtime.settle(config)?,
                },
                _ => {
                    let lock = runtime.lock(&config.id)?;
                    runtime.repair_locked(config, &lock)?;
                    // Somebody may have started it while we waited for the lock.
                    if !runtime.runs(config)? {
                        let root = of_stopped(runtime, config, view)?;
                        return Ok(Self {
                            ground: Ground::container(root, side),
                            lock: Some(lock),
                        });
                    }
                }
            }
        }
    }
}

/// The root of the container with this first process; none if that has ended.
fn of_running(init: &ProcessIdentity, view: RootView) -> Result<Option<OwnedFd>, RuntimeError> {
    let Some(process) = init.open() else {
        return Ok(None);
    };
    match clone_running_root(process.as_fd(), view) {
        Ok(root) => Ok(Some(root)),
        Err(_) if process.has_ended().unwrap_or(true) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The caller holds the container's lock.
fn of_stopped(
    runtime: &Runtime,
    config: &ContainerConfig,
    view: RootView,
) -> Result<OwnedFd, RuntimeError> {
    let paths = runtime.paths(&config.id);
    let root = OverlayRoot {
        layers: runtime.images.image(&config.image_id)?.layers,
        upper: paths.root.join("upper"),
        work: paths.root.join("work"),
        merged: paths.root.join("merged"),
    };
    let mounts = match view {
        RootView::Mounted => mounts_of_stopped(runtime, config),
        RootView::Alone => Vec::new(),
    };
    let writes = match config.read_only {
        true => RootWrites::Refused,
        false => RootWrites::Allowed,
    };
    Ok(clone_stopped_root(&RootPlan::prepare(
        &root,
        (&mounts, runtime.volumes().directory()),
        writes,
    )?)?)
}
