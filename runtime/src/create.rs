//! Creating a container: from what was asked for to a record in which every name is resolved.

mod merge;
mod request;

use crate::byte_size::ByteSize;
use crate::cgroup::passes_cached_writes;
use crate::config::ContainerConfig;
use crate::container_state::RunningRecord;
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::generated_name;
use crate::host_security::HostSecurity;
use crate::image::RootAttributes;
use crate::network_place::check_network_options;
pub use crate::network_place::{MembershipRequest, NetworkWanted};
use crate::process_identity::ProcessIdentity;
use crate::project_quota::ProjectQuota;
use crate::resources_update::check_resources;
use crate::restart_policy::{RestartPolicy, Restarts};
use crate::runtime::Runtime;
use crate::seccomp::container_filter;
use crate::storage::{Mount, StorageOption};
use crate::store::ContainerLock;
use crate::user_ids::check_user_namespace;
use crate::warning::{
    Warning, health_warning, ignored_options, privilege_warning, seccomp_warning,
};
use merge::merge;
use minirun_bridge::atomic_file;
use minirun_bridge::id::ContainerId;
use minirun_bridge::name::ContainerName;
pub use request::CreateRequest;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::Path;

/// The bits of a mode that `chmod(2)` sets.
const PERMISSIONS: u32 = 0o7777;

/// A container that was created.
#[derive(Debug)]
pub struct Created {
    /// Its record.
    pub config: ContainerConfig,
    /// Its lock: until it is dropped, nobody else starts or changes the container.
    pub lock: ContainerLock,
    /// What may not be what was meant.
    pub warnings: Vec<Warning>,
}

impl Runtime {
    /// Creates a container without starting it.
    ///
    /// # Errors
    /// When the image is unknown, options contradict each other, a link's target does not exist, or the name is taken;
    /// nothing is left behind.
    pub fn create(&self, request: CreateRequest) -> Result<Created, RuntimeError> {
        if request.auto_remove && request.restart != RestartPolicy::No {
            return Err(RuntimeError::RestartOfRemoved);
        }
        // Nobody may remove the image before the record says that it is used.
        let _hold = self.images.hold()?;
        let image = self.images.resolve(&request.image)?;
        check_network_options(&request)?;
        if let NetworkWanted::Networks(_) = request.network {
            self.networks.check_egress(&request.egress)?;
        }
        check_resources(&request.resources)?;
        HostSecurity::examine(&request.security)?;
        // What is missing now may be refused before anything is made; a start looks again.
        request.devices.on_this_host(request.security.privilege)?;
        check_user_namespace(&request)?;
        let place = self.resolve_place(&request.network)?;
        let links = self.resolve_links(&request, &place)?;
        let mut warnings = self.link_warnings((&place.memberships, &links))?;
        warnings.extend(ignored_options(&request));
        warnings.extend(seccomp_warning(&request.security));
        warnings.extend(privilege_warning(&request.security));
        warnings.extend(health_warning(
            &request.health,
            image.config.health.as_ref(),
        ));
        warnings.extend(self.publish_warning(&request, &place.memberships)?);
        warnings.extend(self.egress_warnings(&request, &place.memberships)?);
        warnings.extend(self.forwarding_warning(&request));
        warnings.extend(self.foreign_firewall_warnings(&request, &place.memberships)?);
        if passes_cached_writes(&request.resources)? {
            warnings.push(Warning::CachedWrites);
        }
        let id = ContainerId::random()?;
        let root = image.root_attributes()?;
        let mounts = self.resolve_mounts(&request, &image)?;
        let limit = self.size_limit(&request)?;
        let lock = self.begin(&id)?;
        let request = self.with_users(request, &id)?;
        let users = request.security.id_range;
        let config = self
            .claim_some_name(request.name.clone(), &id)
            .and_then(|name| {
                let named = (id, name.clone());
                let config = merge(request, image.config, named, (image.id, place, links));
                self.with_volumes(mounts, &image.layers, |mounts| {
                    self.write_new(with_mounts(config, mounts), root, limit)
                })
                .inspect_err(|_| self.release_name(&name, &id))
            })
            .inspect_err(|_| {
                if let Some(users) = users {
                    self.release_ids(users, &id);
                }
                // What remains of it is swept with the next command.
                let _ = fs::remove_dir_all(self.paths(&id).root);
            })?;
        self.tell_event(Event::container(&config, Action::Create));
        Ok(Created {
            config,
            lock,
            warnings,
        })
    }

    /// Makes the container's directory and locks it, so that nobody takes it for the remains of a killed command. Nobody
    /// but root may enter it: what a container writes may hold set-user-id programs.
    fn begin(&self, id: &ContainerId) -> Result<ContainerLock, RuntimeError> {
        let path = self.paths(id).root;
        loop {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&path)
                .map_err(|error| RuntimeError::file("create", &path, error))?;
            // A sweep that came between has removed it again.
            if let Some(lock) = self.lock_if_present(id)? {
                return Ok(lock);
            }
        }
    }

    /// The quotas by which what the container writes can be limited, if it shall be.
    fn size_limit(
        &self,
        request: &CreateRequest,
    ) -> Result<Option<(ProjectQuota, ByteSize)>, RuntimeError> {
        let Some(StorageOption::Size(limit)) = request.storage.options.last() else {
            return Ok(None);
        };
        let containers = self.containers();
        fs::create_dir_all(&containers)
            .map_err(|error| RuntimeError::file("create", &containers, error))?;
        Ok(Some((ProjectQuota::open(&containers)?, *limit)))
    }

    /// Writes what makes a named directory a container.
    fn write_new(
        &self,
        config: ContainerConfig,
        root: RootAttributes,
        limit: Option<(ProjectQuota, ByteSize)>,
    ) -> Result<ContainerConfig, RuntimeError> {
        let paths = self.paths(&config.id);
        write_directories(&paths.root, root)?;
        container_filter::prepare(&paths, &config.security)?;
        let written = ["upper", "work"].map(|name| paths.root.join(name));
        if let Some((quota, limit)) = &limit {
            quota.limit(&config.id, &written, *limit)?;
        }
        let recorded = self
            .note_creator(&config)
            .and_then(|()| Ok(atomic_file::replace_json(&paths.record(), &config)?))
            .and_then(|()| self.try_limits(&config));
        if let (Err(_), Some((quota, _))) = (&recorded, &limit) {
            quota.release(&written[0]);
        }
        recorded.map(|()| config)
    }

    /// A container that is to remove itself is of no use without the command that makes it run: if that is killed before,
    /// the container is seen to be abandoned.
    fn note_creator(&self, config: &ContainerConfig) -> Result<(), RuntimeError> {
        if !config.auto_remove {
            return Ok(());
        }
        self.paths(&config.id).write_running(&RunningRecord {
            monitor: ProcessIdentity::of(std::process::id() as i32)?,
            init: None,
            started: config.created,
            guardian: None,
            restarts: Restarts::default(),
            restarting: None,
        })
    }

    /// The name asked for, or the first generated one that is free.
    pub(crate) fn claim_some_name(
        &self,
        wanted: Option<ContainerName>,
        id: &ContainerId,
    ) -> Result<ContainerName, RuntimeError> {
        let Some(name) = wanted else {
            for name in generated_name::candidates() {
                if self.claim_name(&name, id)? {
                    return Ok(name);
                }
            }
            return Err(RuntimeError::NoNameFree);
        };
        if self.claim_name(&name, id)? {
            return Ok(name);
        }
        // Resolving waits for an owner that is just removing itself.
        match self.resolve(name.as_str()) {
            Ok(owner) if owner.name == name => Err(RuntimeError::NameTaken {
                name,
                owner: owner.id.short(),
            }),
            _ => {
                self.release_orphaned_name(&name)?;
                match self.claim_name(&name, id)? {
                    true => Ok(name),
                    false => Err(RuntimeError::NameTaken {
                        name,
                        owner: "that is being created".into(),
                    }),
                }
            }
        }
    }
}

/// The directories of the writable layer. The root of the container gets the owner and mode of the upper one; the others are seen by
/// root alone.
fn write_directories(container: &Path, root: RootAttributes) -> Result<(), RuntimeError> {
    for name in ["work", "merged"] {
        let path = container.join(name);
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| RuntimeError::file("create", &path, error))?;
    }
    let upper = container.join("upper");
    make_like(&upper, root).map_err(|error| RuntimeError::file("create", &upper, error))
}

/// Makes a directory with this owner and mode. The kernel makes it the caller's, and takes away what the mask of permissions says.
fn make_like(path: &Path, wanted: RootAttributes) -> io::Result<()> {
    fs::DirBuilder::new().mode(wanted.mode).create(path)?;
    let made = fs::metadata(path)?;
    if made.mode() & PERMISSIONS != wanted.mode {
        fs::set_permissions(path, fs::Permissions::from_mode(wanted.mode))?;
    }
    if (made.uid(), made.gid()) != (wanted.uid, wanted.gid) {
        chown(path, Some(wanted.uid), Some(wanted.gid))?;
    }
    Ok(())
}

fn with_mounts(mut config: ContainerConfig, mounts: Vec<Mount>) -> ContainerConfig {
    config.storage.mounts = mounts;
    config
}
