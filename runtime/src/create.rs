//! Creating a container: from what was asked for to a record in which every name is resolved.

use crate::config::{ContainerConfig, NetworkConfig, NetworkMode, ProcessConfig};
use crate::error::RuntimeError;
use crate::generated_name;
use crate::image::Image;
use crate::runtime::Runtime;
use crate::signal::StopSignal;
use jiff::Timestamp;
use minirun_bridge::atomic_file;
use minirun_bridge::environment::EnvironmentVariable;
use minirun_bridge::extra_host::ExtraHostRequest;
use minirun_bridge::id::ContainerId;
use minirun_bridge::link::{Link, LinkRequest};
use minirun_bridge::name::{Alias, ContainerName, Hostname};
use minirun_bridge::network::Icc;
use minirun_bridge::port::ExposedPort;
use minirun_bridge::publish::PublishRequest;
use minirun_netns::MacAddress;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};

/// How long a container may take to obey its stop signal unless told otherwise, as with Docker.
const USUAL_STOP_TIMEOUT_SECONDS: u32 = 10;

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
    /// `--network`.
    pub network: NetworkMode,
    /// `--ip`.
    pub static_address: Option<Ipv4Addr>,
    /// `--mac-address`.
    pub mac_address: Option<MacAddress>,
    /// `--add-host`.
    pub extra_hosts: Vec<ExtraHostRequest>,
    /// `--dns`.
    pub nameservers: Vec<IpAddr>,
    /// `--stop-signal`.
    pub stop_signal: Option<StopSignal>,
    /// `--stop-timeout`, in seconds.
    pub stop_timeout_seconds: Option<u32>,
    /// `--label`.
    pub labels: BTreeMap<String, String>,
    /// `--rm`.
    pub auto_remove: bool,
    /// `-i`.
    pub open_stdin: bool,
    /// `--security-opt no-new-privileges`.
    pub no_new_privileges: bool,
}

/// Something that was done as asked, and may not be what was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A link to a container that exposes nothing opens nothing, with ICC off.
    LinkOpensNothing {
        /// The target.
        target: ContainerName,
    },
    /// Host networking has no ports to publish.
    PublishIgnored,
    /// The link target does not run now.
    LinkTargetStopped {
        /// The target.
        target: ContainerName,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::LinkOpensNothing { target } => write!(
                formatter,
                "`{target}` exposes no port, so the link opens none while ICC is off: start `{target}` with \
                 `--expose PORT`"
            ),
            Warning::PublishIgnored => formatter.write_str(
                "published ports are ignored with `--network host`: the program binds the host's ports itself",
            ),
            Warning::LinkTargetStopped { target } => write!(
                formatter,
                "`{target}` is not running: the link works as soon as it is started"
            ),
        }
    }
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
        // Nobody may remove the image before the record says that it is used.
        let _hold = self.images.hold()?;
        let image = self.images.resolve(&request.image)?;
        check_network_options(&request)?;
        let links = self.resolve_links(&request)?;
        self.check_static_address(&request)?;
        let id = ContainerId::random()?;
        let mut warnings = self.link_warnings(&links)?;
        if request.network == NetworkMode::Host && !request.publish.is_empty() {
            warnings.push(Warning::PublishIgnored);
        }
        let name = self.claim_some_name(request.name.clone(), &id)?;
        let config = merge(request, image, (id, name, links));
        if let Err(error) = self.write_new(&config) {
            let _ = fs::remove_dir_all(self.paths(&id).root);
            self.release_name(&config.name, &id);
            return Err(error);
        }
        Ok(Created { config, warnings })
    }

    fn write_new(&self, config: &ContainerConfig) -> Result<(), RuntimeError> {
        let paths = self.paths(&config.id);
        for name in ["upper", "work", "merged"] {
            let directory = paths.root.join(name);
            fs::create_dir_all(&directory)
                .map_err(|error| RuntimeError::file("create", &directory, error))?;
        }
        Ok(atomic_file::write_json(&paths.record(), config)?)
    }

    /// The name asked for, or the first generated one that is free.
    fn claim_some_name(
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

    fn resolve_links(&self, request: &CreateRequest) -> Result<Vec<Link>, RuntimeError> {
        let mut links: Vec<Link> = Vec::new();
        for wanted in &request.links {
            if let (Some(name), Ok(target)) =
                (&request.name, wanted.target.parse::<ContainerName>())
                && *name == target
            {
                return Err(RuntimeError::LinkToSelf(target));
            }
            let target = self.resolve(&wanted.target).map_err(|error| match error {
                RuntimeError::UnknownContainer(name) => RuntimeError::LinkTargetUnknown(name),
                other => other,
            })?;
            if target.network.mode != NetworkMode::Bridge {
                return Err(RuntimeError::LinkTargetUnreachable(target.name));
            }
            let alias = match &wanted.alias {
                Some(alias) => alias.clone(),
                None => Alias::from(&target.name),
            };
            let link = Link {
                target: target.name,
                alias,
            };
            match links.iter().find(|other| other.alias == link.alias) {
                Some(same) if *same == link => {}
                Some(other) => return Err(RuntimeError::duplicate_alias(other, &link)),
                None => links.push(link),
            }
        }
        Ok(links)
    }

    /// With ICC off, a link to a container that exposes nothing is a name without a way.
    fn link_warnings(&self, links: &[Link]) -> Result<Vec<Warning>, RuntimeError> {
        let mut warnings = Vec::new();
        if links.is_empty() {
            return Ok(warnings);
        }
        let network = self.default_network()?;
        for link in links {
            let Some(target) = self.find_exactly(link.target.as_str())? else {
                continue;
            };
            if network.icc == Icc::Disabled && target.network.expose.is_empty() {
                warnings.push(Warning::LinkOpensNothing {
                    target: link.target.clone(),
                });
            }
            if self
                .networks
                .network(&network.name)
                .find(&target.id)?
                .is_none()
            {
                warnings.push(Warning::LinkTargetStopped {
                    target: link.target.clone(),
                });
            }
        }
        Ok(warnings)
    }

    /// An address that can never be leased is refused before anything is made.
    fn check_static_address(&self, request: &CreateRequest) -> Result<(), RuntimeError> {
        let Some(address) = request.static_address else {
            return Ok(());
        };
        let network = self.default_network()?;
        Ok(network.check_address(address)?)
    }
}

/// Options that contradict the network mode.
fn check_network_options(request: &CreateRequest) -> Result<(), RuntimeError> {
    if request.network == NetworkMode::Bridge {
        return Ok(());
    }
    let given = [
        ("--link", !request.links.is_empty()),
        ("--ip", request.static_address.is_some()),
        ("--mac-address", request.mac_address.is_some()),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(RuntimeError::NeedsBridge {
            option,
            network: request.network.to_string(),
        }),
        None => Ok(()),
    }
}

/// Lays what the user asked for over what the image says.
fn merge(
    request: CreateRequest,
    image: Image,
    (id, name, links): (ContainerId, ContainerName, Vec<Link>),
) -> ContainerConfig {
    let from_image = image.config;
    let (entrypoint, command) = match request.entrypoint {
        // Another entry point makes the image's command meaningless, as with Docker.
        Some(entrypoint) => {
            let words = if entrypoint.is_empty() {
                vec![]
            } else {
                vec![entrypoint]
            };
            (words, request.command)
        }
        None if request.command.is_empty() => (from_image.entrypoint, from_image.command),
        None => (from_image.entrypoint, request.command),
    };
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
        image_id: image.id,
        process: ProcessConfig {
            entrypoint,
            command,
            environment: overlay_environment(from_image.environment, request.environment),
            working_directory: request
                .working_directory
                .unwrap_or(from_image.working_directory),
            user: request.user.unwrap_or(from_image.user),
            no_new_privileges: request.no_new_privileges,
            open_stdin: request.open_stdin,
        },
        hostname: request.hostname.unwrap_or_else(|| Hostname::from(&id)),
        read_only: request.read_only,
        labels,
        stop_signal: request
            .stop_signal
            .or(from_image.stop_signal)
            .unwrap_or_default(),
        stop_timeout_seconds: request
            .stop_timeout_seconds
            .unwrap_or(USUAL_STOP_TIMEOUT_SECONDS),
        auto_remove: request.auto_remove,
        network: NetworkConfig {
            mode: request.network,
            static_address: request.static_address,
            mac_address: request.mac_address,
            expose,
            publish: request.publish,
            publish_all: request.publish_all,
            links,
            extra_hosts: request.extra_hosts,
            nameservers: request.nameservers,
        },
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
