//! Turns what a container is into the OCI runtime specification of what is run: `config.json` beside the container.
//!
//! This is pure: it reads no file and asks no kernel, so the same inputs always give the same specification.

mod devices;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use caps::Capability;
use minirun_bridge::environment::EnvironmentVariable;
use oci_spec::runtime::{
    Box as WindowBox, BoxBuilder, Linux, LinuxCapabilities, LinuxIdMapping, LinuxIdMappingBuilder,
    LinuxNamespace, LinuxNamespaceType, Process, Root, Spec, User,
};
use serde_json::{Map, Value};

use crate::capabilities::{CapabilityMask, sets_of};
use crate::config::{ContainerConfig, ProcessConfig};
use crate::devices::guard::GuardedDevices;
use crate::environment::{EnvironmentInputs, process_environment};
use crate::host_security::HostSecurity;
use crate::mounts::{
    MountInputs, MountOwners, READ_ONLY_PATHS, RootAccess, container_mounts, masked_paths, owned,
};
use crate::seccomp::container_filter;
use crate::security::Privilege;
use crate::security::system_paths::SystemPaths;
use crate::storage::{MountKind, Storage};
use crate::terminal::WindowSize;
use crate::ulimits::specified;
use crate::user::ResolvedUser;
use crate::user_ids::IdRange;
use devices::{device_nodes, device_resources};

/// The version of the runtime specification that is followed.
const SPEC_VERSION: &str = "1.2.0";
/// Where the root file system is mounted, beneath the container's directory.
const ROOT: &str = "merged";

/// The note that says which filter of system calls is applied: `default`, `unconfined`, or the file beside config.json.
const SECCOMP_ANNOTATION: &str = "minirun.seccomp";

/// Kernel settings of a private network namespace: ordinary users may serve low ports and send pings, as in Docker.
const NETWORK_SETTINGS: [(&str, &str); 2] = [
    ("net.ipv4.ip_unprivileged_port_start", "0"),
    (PINGING_GROUPS, "0 2147483647"),
];

/// Which groups may send pings, by the numbers that they have on the host.
const PINGING_GROUPS: &str = "net.ipv4.ping_group_range";

/// The kernel knows no higher one there.
const HIGHEST_PINGING_GROUP: u32 = 0x7fff_ffff;

/// Everything a specification is made from.
#[derive(Clone, Copy, Debug)]
pub struct SpecInputs<'a> {
    /// The container as it was created.
    pub config: &'a ContainerConfig,
    /// Its directory on the host, absolute: `merged`, where the root is mounted.
    pub directory: &'a Path,
    /// Where its `hosts`, `hostname` and `resolv.conf` are: those of another container, if it shares that one's network.
    pub etc_files: &'a Path,
    /// The directory of the volumes.
    pub volumes: &'a Path,
    /// The variables of its links, as they are at this start.
    pub link_environment: &'a [EnvironmentVariable],
    /// Who its process runs as.
    pub user: &'a ResolvedUser,
    /// What the host has of what its trust depends on.
    pub host: &'a HostSecurity,
    /// Its control group from the root of the hierarchy, such as `/minirun/<id>`; none on a host without one.
    pub cgroup_path: Option<&'a str>,
    /// How large the window of its terminal is, if it is to have one and somebody looks at it.
    pub window: Option<WindowSize>,
    /// Its devices, and who guards them.
    pub devices: &'a GuardedDevices,
}

/// Why a container cannot be specified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// Neither the image nor the user says what to run.
    #[error("no command to run: the image `{image}` has neither an entry point nor a command")]
    NoCommand {
        /// The image as it was typed.
        image: String,
    },
    /// The working directory is not an absolute path.
    #[error("invalid working directory `{0}`: write an absolute path, such as `/{0}`")]
    WorkingDirectory(String),
    /// A limit of the process has no form in the specification.
    #[error("a limit of `--ulimit` cannot be specified: {0}")]
    Ulimit(String),
}

impl SpecError {
    /// What helps, where something is known to.
    pub fn hint(&self) -> Option<String> {
        match self {
            SpecError::NoCommand { image } => Some(format!(
                "write the command behind the image: `{image} COMMAND`"
            )),
            SpecError::WorkingDirectory(_) | SpecError::Ulimit(_) => None,
        }
    }
}

/// Builds the specification of one start of the container.
pub fn build_spec(inputs: &SpecInputs<'_>) -> Result<Spec, SpecError> {
    let access = if inputs.config.read_only {
        RootAccess::ReadOnly
    } else {
        RootAccess::Writable
    };
    let mut root = Root::default();
    root.set_path(inputs.directory.join(ROOT))
        .set_readonly(Some(inputs.config.read_only));
    let mut spec = Spec::default();
    spec.set_version(SPEC_VERSION.to_owned())
        .set_root(Some(root))
        .set_mounts(Some(container_mounts(&MountInputs {
            etc_files: inputs.etc_files,
            access,
            storage: &inputs.config.storage,
            owners: MountOwners::of(inputs.config),
            volumes: inputs.volumes,
            privilege: inputs.config.security.privilege,
            device_guard: inputs.devices.guard,
        })))
        .set_process(Some(process(inputs)?))
        .set_hostname(Some(inputs.config.hostname.to_string()))
        .set_annotations(Some(annotations(inputs.config)))
        .set_linux(Some(linux(inputs)));
    Ok(spec)
}

/// The specification as the document that is saved. The library keeps capabilities and settings in sets without an order;
/// here they have one, so that two starts of one container can be compared.
///
/// # Errors
/// When the specification has no JSON form.
pub fn document(spec: &Spec) -> serde_json::Result<Value> {
    let mut document = serde_json::to_value(spec)?;
    let capabilities = document
        .pointer_mut("/process/capabilities")
        .and_then(Value::as_object_mut);
    for set in capabilities.into_iter().flat_map(Map::values_mut) {
        if let Value::Array(names) = set {
            names.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
        }
    }
    let settings = document.pointer_mut("/linux/sysctl");
    if let Some(settings) = settings.and_then(Value::as_object_mut) {
        settings.sort_keys();
    }
    Ok(document)
}

fn process(inputs: &SpecInputs<'_>) -> Result<Process, SpecError> {
    let config = &inputs.config.process;
    let resources = &inputs.config.resources;
    let environment = process_environment(&EnvironmentInputs {
        hostname: &inputs.config.hostname,
        link_environment: inputs.link_environment,
        configured: &config.environment,
        home: &inputs.user.home,
        terminal: config.terminal,
    });
    let variables = environment.iter().map(ToString::to_string).collect();
    let mut process = Process::default();
    process
        .set_terminal(Some(config.terminal))
        .set_console_size(
            inputs
                .window
                .filter(|_| config.terminal)
                .and_then(console_size),
        )
        .set_user(user(inputs.user))
        .set_args(Some(arguments(inputs.config)?))
        .set_env(Some(variables))
        .set_cwd(working_directory(config)?)
        .set_capabilities(Some(capabilities(inputs)))
        .set_rlimits(specified(resources).map_err(|error| SpecError::Ulimit(error.to_string()))?)
        .set_oom_score_adj(resources.oom_score.map(|score| score.get().into()))
        .set_apparmor_profile(inputs.host.app_armor.as_ref().map(ToString::to_string))
        .set_no_new_privileges(Some(config.no_new_privileges));
    Ok(process)
}

fn console_size(window: WindowSize) -> Option<WindowBox> {
    BoxBuilder::default()
        .height(window.rows)
        .width(window.columns)
        .build()
        .ok()
}

/// What was asked for. Where only mounts guard the devices, mounts of the host that come into the container later may permit them,
/// and a container that could make device nodes in these would have all devices of the host.
fn capabilities(inputs: &SpecInputs<'_>) -> LinuxCapabilities {
    let mut had = inputs.host.capabilities;
    let closed = inputs.devices.guard.needs_closed_mounts();
    let is_ordinary = inputs.config.security.privilege == Privilege::Ordinary;
    if closed && is_ordinary && lets_mounts_in(&inputs.config.storage) {
        had = had.without(CapabilityMask::from_iter([Capability::CAP_MKNOD]));
    }
    sets_of(had, inputs.user.uid)
}

/// What config.json says beside the specification: which system calls the program may make. A list of all of them would cost
/// each start more than the filter itself; they are in the policy that is named, and compiled in the file that is.
fn annotations(config: &ContainerConfig) -> HashMap<String, String> {
    let filter = container_filter::named(&config.security);
    HashMap::from([(SECCOMP_ANNOTATION.to_owned(), filter.to_owned())])
}

/// Whether mounts of the host may come in while the container runs.
pub(crate) fn lets_mounts_in(storage: &Storage) -> bool {
    storage.mounts.iter().any(
        |mount| matches!(&mount.kind, MountKind::Bind(bind) if bind.propagation.lets_mounts_in()),
    )
}

fn user(resolved: &ResolvedUser) -> User {
    let mut user = User::default();
    user.set_uid(resolved.uid)
        .set_gid(resolved.gid)
        .set_additional_gids(Some(resolved.additional_gids.clone()));
    user
}

/// The command line: the entry point's words, then the command's.
fn arguments(config: &ContainerConfig) -> Result<Vec<String>, SpecError> {
    let process = &config.process;
    let arguments: Vec<String> = process
        .entrypoint
        .iter()
        .chain(&process.command)
        .cloned()
        .collect();
    if arguments.is_empty() {
        return Err(SpecError::NoCommand {
            image: config.image.clone(),
        });
    }
    Ok(arguments)
}

fn working_directory(config: &ProcessConfig) -> Result<PathBuf, SpecError> {
    match config.working_directory.as_str() {
        "" => Ok(PathBuf::from("/")),
        directory if directory.starts_with('/') => Ok(PathBuf::from(directory)),
        directory => Err(SpecError::WorkingDirectory(directory.to_owned())),
    }
}

fn linux(inputs: &SpecInputs<'_>) -> Linux {
    let private_network = inputs.config.network.mode.is_private();
    let mut settings: HashMap<String, String> = NETWORK_SETTINGS
        .iter()
        .filter(|_| private_network)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let mut linux = Linux::default();
    if let Some(ids) = inputs.config.security.id_range {
        settings
            .entry(PINGING_GROUPS.to_owned())
            .and_modify(|groups| {
                *groups = format!("{} {}", ids.first(), ids.last());
            });
        if ids.last() > HIGHEST_PINGING_GROUP {
            settings.remove(PINGING_GROUPS);
        }
        linux
            .set_uid_mappings(mappings(ids))
            .set_gid_mappings(mappings(ids));
    }
    linux
        .set_namespaces(Some(namespaces(inputs)))
        .set_sysctl((!settings.is_empty()).then_some(settings))
        .set_devices(device_nodes(inputs.devices))
        .set_resources(device_resources(inputs.devices))
        .set_cgroups_path(inputs.cgroup_path.map(PathBuf::from))
        .set_masked_paths(None)
        .set_readonly_paths(None);
    if inputs.config.security.effective_system_paths() == SystemPaths::Confined {
        linux
            .set_masked_paths(Some(masked_paths(inputs.host.processors)))
            .set_readonly_paths(Some(owned(&READ_ONLY_PATHS)));
    }
    linux
}

/// Root inside is the first of the container's own users.
fn mappings(ids: IdRange) -> Option<Vec<LinuxIdMapping>> {
    let mapping = LinuxIdMappingBuilder::default()
        .container_id(0_u32)
        .host_id(ids.first())
        .size(IdRange::LENGTH)
        .build();
    mapping.ok().map(|mapping| vec![mapping])
}

/// The namespaces that are made new: all but network on the host's, and user only if the container has users of its own.
fn namespaces(inputs: &SpecInputs<'_>) -> Vec<LinuxNamespace> {
    let network = inputs
        .config
        .network
        .mode
        .is_private()
        .then_some(LinuxNamespaceType::Network);
    let users = inputs.config.security.id_range;
    let user = users.map(|_| LinuxNamespaceType::User);
    [
        LinuxNamespaceType::Mount,
        LinuxNamespaceType::Pid,
        LinuxNamespaceType::Uts,
        LinuxNamespaceType::Ipc,
        LinuxNamespaceType::Cgroup,
    ]
    .into_iter()
    .chain(network)
    .chain(user)
    .map(|kind| {
        let mut namespace = LinuxNamespace::default();
        namespace.set_typ(kind);
        namespace
    })
    .collect()
}

#[cfg(test)]
mod tests;
