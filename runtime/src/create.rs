//! Creating a container: from what was asked for to a record in which every name is resolved.

use crate::byte_size::ByteSize;
use crate::cgroup::passes_cached_writes;
use crate::config::{ContainerConfig, LinkEnvironment, NetworkConfig, ProcessConfig};
use crate::container_state::RunningRecord;
use crate::devices::Devices;
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::generated_name;
use crate::health::HealthWanted;
use crate::host_security::HostSecurity;
use crate::image::{ImageConfig, ImageId, RootAttributes};
use crate::log_options::LogOptions;
pub use crate::network_place::{MembershipRequest, NetworkWanted};
use crate::network_place::{Place, check_network_options};
use crate::process_identity::ProcessIdentity;
use crate::project_quota::ProjectQuota;
use crate::resources::Resources;
use crate::resources_update::check_resources;
use crate::restart_policy::{RestartPolicy, Restarts};
use crate::runtime::Runtime;
use crate::seccomp::container_filter;
use crate::security::Security;
use crate::signal::StopSignal;
use crate::stop_timeout::StopTimeout;
use crate::storage::{Mount, StorageOption, StorageWanted};
use crate::store::ContainerLock;
use crate::time_limit::TimeLimit;
use crate::user_ids::check_user_namespace;
use crate::warning::{
    Warning, health_warning, ignored_options, privilege_warning, seccomp_warning,
};
use jiff::Timestamp;
use minirun_bridge::atomic_file;
use minirun_bridge::egress::Egress;
use minirun_bridge::environment::EnvironmentVariable;
use minirun_bridge::extra_host::ExtraHostRequest;
use minirun_bridge::id::ContainerId;
use minirun_bridge::link::{Link, LinkRequest};
use minirun_bridge::name::{ContainerName, Hostname};
use minirun_bridge::port::ExposedPort;
use minirun_bridge::publish::PublishRequest;
use minirun_bridge::resolv::{ResolverOption, SearchDomain};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::mem::take;
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::Path;

/// What a user asks for; everything optional falls back to the image.
#[derive(Debug, Clone, Default)]
pub struct CreateRequest {
    /// The image, as typed.
    pub image: String,
    /// The words behind the image; empty means the image's own command.
    pub command: Vec<String>,
    /// `--name`.
    pub name: Option<ContainerName>,
    /// `-e` and `--env-file`.
    pub environment: Vec<EnvironmentVariable>,
    /// `-w`.
    pub working_directory: Option<String>,
    /// `-u`.
    pub user: Option<String>,
    /// `--entrypoint`; an empty one clears the image's.
    pub entrypoint: Option<String>,
    /// `--hostname`.
    pub hostname: Option<Hostname>,
    /// `--read-only`.
    pub read_only: bool,
    /// `--expose`.
    pub expose: Vec<ExposedPort>,
    /// `-p`.
    pub publish: Vec<PublishRequest>,
    /// `-P`.
    pub publish_all: bool,
    /// `--link`.
    pub links: Vec<LinkRequest>,
    /// `--link-env`.
    pub link_environment: LinkEnvironment,
    /// `--network`, `--ip` and everything else that belongs to one network.
    pub network: NetworkWanted,
    /// `--add-host`.
    pub extra_hosts: Vec<ExtraHostRequest>,
    /// `--dns`.
    pub nameservers: Vec<IpAddr>,
    /// `--dns-search`.
    pub dns_search: Vec<SearchDomain>,
    /// `--dns-option`.
    pub dns_options: Vec<ResolverOption>,
    /// `--stop-signal`.
    pub stop_signal: Option<StopSignal>,
    /// `--stop-timeout`.
    pub stop_timeout: Option<StopTimeout>,
    /// `--label`.
    pub labels: BTreeMap<String, String>,
    /// `--rm`.
    pub auto_remove: bool,
    /// `-i`.
    pub open_stdin: bool,
    /// `-t`.
    pub terminal: bool,
    /// `--init`.
    pub init: bool,
    /// `--restart`.
    pub restart: RestartPolicy,
    /// `--health-cmd` and its like.
    pub health: HealthWanted,
    /// `--log-driver` and `--log-opt`.
    pub log: LogOptions,
    /// `-v`, `--mount`, `--tmpfs` and everything else that is mounted.
    pub storage: StorageWanted,
    /// `-m`, `--cpus` and other limits.
    pub resources: Resources,
    /// `--privileged`, `--cap-add`, `--security-opt`, `--userns` and everything else about trust.
    pub security: Security,
    /// `--device` and its like.
    pub devices: Devices,
    /// `--timeout`.
    pub time_limit: TimeLimit,
    /// `--profile`: what is in them is in the rest of the request already.
    pub profiles: Vec<String>,
    /// `--egress` and `--egress-deny`.
    pub egress: Egress,
    /// `--security-opt no-new-privileges`.
    pub no_new_privileges: bool,
}

/// A container that was created.
#[derive(Debug)]
pub struct Created {
    /// Its record.
    pub config: ContainerConfig,
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
        drop(lock);
        Ok(Created { config, warnings })
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
            .and_then(|()| Ok(atomic_file::write_json(&paths.record(), &config)?))
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

/// The directories of the writable layer. The root of the container gets the owner and mode of the upper one.
fn write_directories(container: &Path, root: RootAttributes) -> Result<(), RuntimeError> {
    for name in ["upper", "work", "merged"] {
        let path = container.join(name);
        let made = fs::create_dir(&path)
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(root.mode)))
            .and_then(|()| chown(&path, Some(root.uid), Some(root.gid)));
        made.map_err(|error| RuntimeError::file("create", &path, error))?;
    }
    Ok(())
}

fn with_mounts(mut config: ContainerConfig, mounts: Vec<Mount>) -> ContainerConfig {
    config.storage.mounts = mounts;
    config
}

/// Lays what the user asked for over what the image says.
fn merge(
    mut request: CreateRequest,
    mut from_image: ImageConfig,
    (id, name): (ContainerId, ContainerName),
    (image_id, place, links): (ImageId, Place, Vec<Link>),
) -> ContainerConfig {
    let process = process(&mut request, &mut from_image);
    let mut expose: BTreeSet<ExposedPort> = from_image.exposed;
    expose.extend(request.expose);
    expose.extend(request.publish.iter().map(|publish| publish.container));
    let mut labels = from_image.labels;
    labels.extend(request.labels);
    ContainerConfig {
        id,
        name,
        created: Timestamp::now(),
        image: request.image,
        image_id,
        process,
        hostname: request
            .hostname
            .or(place.hostname)
            .unwrap_or_else(|| Hostname::from(&id)),
        read_only: request.read_only,
        labels,
        stop_signal: request
            .stop_signal
            .or(from_image.stop_signal)
            .unwrap_or_default(),
        stop_timeout: request.stop_timeout.unwrap_or_default(),
        auto_remove: request.auto_remove,
        restart: request.restart,
        health: request.health.over(from_image.health.as_ref()),
        log: request.log,
        storage: request.storage.without_mounts(),
        resources: request.resources,
        security: request.security,
        devices: request.devices,
        time_limit: request.time_limit,
        profiles: request.profiles,
        network: NetworkConfig {
            mode: place.mode,
            memberships: place.memberships,
            expose,
            publish: request.publish,
            publish_all: request.publish_all,
            links,
            link_environment: request.link_environment,
            extra_hosts: request.extra_hosts,
            nameservers: request.nameservers,
            dns_search: request.dns_search,
            dns_options: request.dns_options,
            egress: request.egress,
        },
    }
}

/// The program, and how it runs: what was asked for and what the image says of it, taken out of both.
fn process(request: &mut CreateRequest, from_image: &mut ImageConfig) -> ProcessConfig {
    let (entrypoint, command) = words(
        request.entrypoint.take(),
        take(&mut request.command),
        (
            take(&mut from_image.entrypoint),
            take(&mut from_image.command),
        ),
    );
    ProcessConfig {
        entrypoint,
        command,
        environment: overlay_environment(
            take(&mut from_image.environment),
            take(&mut request.environment),
        ),
        working_directory: request
            .working_directory
            .take()
            .unwrap_or_else(|| take(&mut from_image.working_directory)),
        user: request
            .user
            .take()
            .unwrap_or_else(|| take(&mut from_image.user)),
        no_new_privileges: request.no_new_privileges,
        open_stdin: request.open_stdin,
        terminal: request.terminal,
        init: request.init,
    }
}

/// The words of the command line: entry point and command.
fn words(
    entrypoint: Option<String>,
    command: Vec<String>,
    (image_entrypoint, image_command): (Vec<String>, Vec<String>),
) -> (Vec<String>, Vec<String>) {
    match entrypoint {
        // Another entry point makes the image's command meaningless, as with Docker.
        Some(none) if none.is_empty() => (Vec::new(), command),
        Some(program) => (vec![program], command),
        None if command.is_empty() => (image_entrypoint, image_command),
        None => (image_entrypoint, command),
    }
}

/// The user's variables replace the image's of the same name, in place.
fn overlay_environment(
    mut below: Vec<EnvironmentVariable>,
    above: Vec<EnvironmentVariable>,
) -> Vec<EnvironmentVariable> {
    for variable in above {
        match below.iter_mut().find(|other| other.name == variable.name) {
            Some(other) => *other = variable,
            None => below.push(variable),
        }
    }
    below
}
