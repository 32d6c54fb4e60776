//! What can go wrong with containers: one variant for each step, with the path or name in it.

use crate::cgroup::CgroupError;
use crate::devices::error::DeviceError;
use crate::files::FilesError;
use crate::host_security::HostSecurityError;
use crate::image::ImageError;
use crate::process::ProcessError;
use crate::project_quota::SizeLimitError;
use crate::resources::error::ResourcesError;
use crate::seccomp::error::SeccompError;
use crate::spec::SpecError;
use crate::user::UserError;
use crate::user_ids::IdPoolError;
use crate::volumes::VolumeError;
use minirun_bridge::atomic_file::AtomicFileError;
use minirun_bridge::dns::DnsError;
use minirun_bridge::error::NetworkError;
use minirun_bridge::firewall::FirewallError;
use minirun_bridge::id::ContainerIdError;
use minirun_bridge::link::Link;
use minirun_bridge::link_environment::variable_prefix;
use minirun_bridge::name::{Alias, ContainerName, NetworkName};
use minirun_bridge::settings::SettingsError;
use minirun_netns::NetnsError;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The exit code for an error of minirun itself, as with Docker.
pub const OWN_ERROR: i32 = 125;

/// Why an operation on a container failed.
#[derive(Debug, Error)]
pub enum RuntimeError {
    /// Everything minirun does needs root's rights.
    #[error("minirun must be run as root: it makes namespaces, devices and firewall rules")]
    NotRoot,
    /// A file or directory could not be used.
    #[error("cannot {action} `{}`: {error}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// The kernel's answer.
        error: io::Error,
    },
    /// A record could not be read or written.
    #[error(transparent)]
    Record(#[from] AtomicFileError),
    /// The configuration file is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A network could not do what was asked of it.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The firewall driver cannot be used.
    #[error(transparent)]
    Firewall(#[from] FirewallError),
    /// A namespace could not be entered.
    #[error(transparent)]
    Netns(#[from] NetnsError),
    /// An image could not be found, made or removed.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The container cannot be specified.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The user cannot be resolved.
    #[error(transparent)]
    User(#[from] UserError),
    /// Files of a container could not be copied, exported or compared.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The control group could not be made or removed.
    #[error(transparent)]
    Cgroup(#[from] CgroupError),
    /// A device of the host cannot be had.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A volume could not be used, or something not be mounted.
    #[error(transparent)]
    Volume(#[from] VolumeError),
    /// What a container writes cannot be limited.
    #[error(transparent)]
    SizeLimit(#[from] SizeLimitError),
    /// The host does not have what was asked for.
    #[error(transparent)]
    HostSecurity(#[from] HostSecurityError),
    /// The container has no filter of system calls.
    #[error(transparent)]
    Seccomp(#[from] SeccompError),
    /// No users of the host are left for a container.
    #[error(transparent)]
    UserIds(#[from] IdPoolError),
    /// An option gives the container rights on the host that nobody there can have.
    #[error(
        "`{option}` and `--userns auto` contradict each other: root inside is nobody on the host"
    )]
    UserNamespaceConflict {
        /// The option.
        option: &'static str,
    },
    /// An option of a mount means nothing where the users of the container are the host's.
    #[error("`{option}` shows files with users of the container's own, and it has none")]
    NeedsUserNamespace {
        /// The option.
        option: &'static str,
    },
    /// The process could not be made.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// There is no such container.
    #[error("no container is called `{0}`, and none has an id that begins so")]
    UnknownContainer(String),
    /// The beginning of an id fits several.
    #[error("`{0}` is the beginning of several containers' ids")]
    AmbiguousContainer(String),
    /// The name is the container's own.
    #[error("container `{0}` is called that already")]
    SameName(ContainerName),
    /// The name is another container's.
    #[error("the name `{name}` is taken by container {owner}")]
    NameTaken {
        /// The name.
        name: ContainerName,
        /// The owner's short id.
        owner: String,
    },
    /// Nothing of what it writes is kept.
    #[error("container `{0}` has no log: it was created with `--log-driver none`")]
    NoLog(ContainerName),
    /// No generated name was free.
    #[error("every generated name is taken")]
    NoNameFree,
    /// A container cannot be its own link target.
    #[error("container `{0}` cannot be linked to itself")]
    LinkToSelf(ContainerName),
    /// There is no such link target.
    #[error("cannot link to `{0}`: there is no such container")]
    LinkTargetUnknown(String),
    /// The target has no address of its own.
    #[error("cannot link to `{0}`: it is not on a bridge network and has no address of its own")]
    LinkTargetUnreachable(ContainerName),
    /// The source and the target of a link are apart.
    #[error(
        "cannot link to `{target}`: it is on {target_networks}, and this container is on {source_networks}"
    )]
    NoSharedNetwork {
        /// The networks of the container that is to be linked.
        source_networks: String,
        /// Those of the target.
        target_networks: String,
        /// The target.
        target: ContainerName,
    },
    /// A container can only share what another has of its own.
    #[error("container `{0}` shares the network of another container itself")]
    SharesAlready(ContainerName),
    /// The container whose network is to be shared does not run.
    #[error("cannot share the network of container `{0}`: it is not running")]
    SharedNotRunning(String),
    /// One network is named twice.
    #[error("network `{0}` is named twice")]
    NetworkTwice(NetworkName),
    /// Without a DNS nobody would find the alias.
    #[error("network `{network}` has no DNS, so nobody would find `{alias}`")]
    AliasWithoutDns {
        /// The alias.
        alias: Alias,
        /// The network.
        network: NetworkName,
    },
    /// A network of the container was removed.
    #[error(
        "network `{network}`, which container `{container}` is to be on, does not exist any more"
    )]
    NetworkGone {
        /// The network.
        network: NetworkName,
        /// The container.
        container: ContainerName,
    },
    /// A container that has no network of its own cannot be connected.
    #[error("container `{container}` has `--network {mode}` and cannot be connected to networks")]
    CannotConnect {
        /// The container.
        container: ContainerName,
        /// Its network mode.
        mode: String,
    },
    /// The beginning of an id fits several networks.
    #[error("`{0}` is the beginning of several networks' ids")]
    AmbiguousNetwork(String),
    /// There is no link of that alias.
    #[error("container `{container}` has no link `{alias}`")]
    UnknownLink {
        /// The container.
        container: ContainerName,
        /// The alias.
        alias: Alias,
    },
    /// The DNS server of a container could not be made.
    #[error(transparent)]
    Dns(#[from] DnsError),
    /// The limits cannot be had, or contradict each other.
    #[error(transparent)]
    Resources(#[from] ResourcesError),
    /// Without rules nothing keeps containers apart.
    #[error(
        "`--iptables=false` cannot be kept with `icc = false` in the configuration: without rules nothing keeps containers apart"
    )]
    IccNeedsRules,
    /// The monitor refused or could not do something.
    #[error("the monitor of container `{container}` could not follow: {message}")]
    MonitorRefused {
        /// The container.
        container: ContainerName,
        /// What it said.
        message: String,
    },
    /// Two links under one alias.
    #[error("alias `{alias}` is used for both `{first}` and `{second}`")]
    DuplicateAlias {
        /// The alias.
        alias: Alias,
        /// The first target.
        first: ContainerName,
        /// The second target.
        second: ContainerName,
    },
    /// Two aliases that a shell could not tell apart.
    #[error("aliases `{first}` and `{second}` both become `{prefix}_…` in the environment")]
    SamePrefix {
        /// The first alias.
        first: Alias,
        /// The second alias.
        second: Alias,
        /// What their variables begin with.
        prefix: String,
    },
    /// An option that needs a bridge network.
    #[error("`{option}` needs a bridge network, and the container has `--network {network}`")]
    NeedsBridge {
        /// The option as typed.
        option: &'static str,
        /// The network mode as typed.
        network: String,
    },
    /// The container runs already.
    #[error("container `{0}` is running already")]
    AlreadyRunning(ContainerName),
    /// A container that removes itself has nothing to be started again.
    #[error("container `{0}` removes itself when it stops (`--rm`), so it cannot be restarted")]
    RemovesItself(ContainerName),
    /// A container that removes itself has nothing to be started again.
    #[error(
        "`--restart` and `--rm` exclude each other: a container that removes itself cannot be started again"
    )]
    RestartOfRemoved,
    /// The container is between two runs.
    #[error("container `{0}` is restarting")]
    IsRestarting(ContainerName),
    /// The container does not run.
    #[error("container `{0}` is not running")]
    NotRunning(ContainerName),
    /// The container stands still already.
    #[error("container `{0}` is paused already")]
    AlreadyPaused(ContainerName),
    /// The container does not stand still.
    #[error("container `{0}` is not paused")]
    NotPaused(ContainerName),
    /// Nothing can be executed in a container that stands still.
    #[error("container `{0}` is paused")]
    Paused(ContainerName),
    /// A running container cannot be removed.
    #[error("container `{0}` is running and cannot be removed")]
    StillRunning(ContainerName),
    /// The port is not published.
    #[error("container `{container}` does not publish port {port}")]
    NotPublished {
        /// The container.
        container: ContainerName,
        /// The port as typed.
        port: String,
    },
    /// The start failed in the monitor, which has told why.
    #[error("{message}")]
    StartFailed {
        /// The message of the error.
        message: String,
        /// What to do about it.
        hint: Option<String>,
        /// The exit code for it.
        exit_code: i32,
    },
    /// The monitor ended without a word.
    #[error("the monitor of container `{0}` ended unexpectedly")]
    MonitorLost(ContainerName),
    /// A process could not be forked, signalled or waited for.
    #[error("cannot {action}: {error}")]
    System {
        /// What was tried.
        action: &'static str,
        /// The kernel's answer.
        error: io::Error,
    },
    /// No random identifier could be had.
    #[error(transparent)]
    Identifier(#[from] ContainerIdError),
}

impl RuntimeError {
    pub(crate) fn file(action: &'static str, path: &Path, error: io::Error) -> RuntimeError {
        RuntimeError::File {
            action,
            path: path.to_path_buf(),
            error,
        }
    }

    pub(crate) fn system(action: &'static str, error: impl Into<io::Error>) -> RuntimeError {
        RuntimeError::System {
            action,
            error: error.into(),
        }
    }

    /// Two links whose aliases cannot be told apart.
    pub(crate) fn alias_collision(first: &Link, second: &Link) -> RuntimeError {
        if first.alias == second.alias {
            return RuntimeError::DuplicateAlias {
                alias: second.alias.clone(),
                first: first.target.clone(),
                second: second.target.clone(),
            };
        }
        RuntimeError::SamePrefix {
            first: first.alias.clone(),
            second: second.alias.clone(),
            prefix: variable_prefix(&second.alias),
        }
    }

    /// The exit code for this error: 127 and 126 when a command was not found or could not be executed, else 125.
    pub fn exit_code(&self) -> i32 {
        match self {
            RuntimeError::Process(error) => error.exit_code(),
            RuntimeError::StartFailed { exit_code, .. } => *exit_code,
            _ => OWN_ERROR,
        }
    }
}
