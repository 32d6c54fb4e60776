//! What a container is: everything that was decided when it was created, with names and image resolved.
//!
//! The record is saved as `container.json` in the container's directory. Its name, networks and links may change while the
//! container runs, by a command that holds its lock. What changes with every start (process id, address, published host
//! ports) is not here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use minirun_bridge::egress::Egress;
use minirun_bridge::environment::EnvironmentVariable;
use minirun_bridge::extra_host::ExtraHostRequest;
use minirun_bridge::id::ContainerId;
use minirun_bridge::link::Link;
use minirun_bridge::name::{Alias, ContainerName, Hostname, NetworkName};
use minirun_bridge::port::ExposedPort;
use minirun_bridge::publish::PublishRequest;
use minirun_bridge::resolv::{ResolverOption, SearchDomain};
use minirun_netns::mac::MacAddress;
use serde::{Deserialize, Serialize};

use crate::cgroup::GroupName;
use crate::devices::Devices;
use crate::health::HealthCheck;
use crate::image::ImageId;
use crate::log_options::LogOptions;
use crate::resources::Resources;
use crate::restart_policy::RestartPolicy;
use crate::security::Security;
use crate::signal::StopSignal;
use crate::stop_timeout::StopTimeout;
use crate::storage::Storage;
use crate::time_limit::TimeLimit;

/// A container as it was created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerConfig {
    /// The identifier it keeps for life.
    pub id: ContainerId,
    /// The name it is known by, without a leading slash.
    pub name: ContainerName,
    /// When it was created.
    pub created: jiff::Timestamp,
    /// The image as the user typed it.
    pub image: String,
    /// The image that word meant at creation.
    pub image_id: ImageId,
    /// The process that runs in it.
    pub process: ProcessConfig,
    /// Its host name; may be a full name with dots.
    pub hostname: Hostname,
    /// Whether the root file system refuses writes.
    pub read_only: bool,
    /// The user's own key and value pairs, and those of the image.
    pub labels: BTreeMap<String, String>,
    /// The signal that asks it to stop.
    pub stop_signal: StopSignal,
    /// How long it has to obey that signal before it is killed.
    pub stop_timeout: StopTimeout,
    /// Whether it is removed as soon as it has ended.
    pub auto_remove: bool,
    /// When it is started again by itself.
    pub restart: RestartPolicy,
    /// How its health is checked, if at all.
    pub health: Option<HealthCheck>,
    /// What becomes of its output.
    pub log: LogOptions,
    /// What is mounted in it.
    pub storage: Storage,
    /// How much of the host it may use.
    pub resources: Resources,
    /// How far it is trusted.
    #[serde(default)]
    pub security: Security,
    /// The devices of the host that it has.
    #[serde(default)]
    pub devices: Devices,
    /// How long one run of it may last.
    #[serde(default)]
    pub time_limit: TimeLimit,
    /// The profiles that it was made with.
    #[serde(default)]
    pub profiles: Vec<String>,
    /// How it is connected.
    pub network: NetworkConfig,
}

impl ContainerConfig {
    /// Which control groups are its own.
    pub fn group(&self) -> GroupName<'_> {
        (&self.resources.group_parent, &self.id)
    }
}

/// The process of a container, before links and defaults are added to its environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessConfig {
    /// The words every command line of this container begins with; may be empty.
    pub entrypoint: Vec<String>,
    /// The words that follow the entry point.
    pub command: Vec<String>,
    /// The image's variables with the user's laid over them. Defaults such as `PATH` are not in here.
    pub environment: Vec<EnvironmentVariable>,
    /// Where it starts, as a path inside the container; empty means `/`.
    pub working_directory: String,
    /// The user it runs as, in the grammar of [`crate::user::UserRequest`]; empty means root.
    pub user: String,
    /// Whether set-user-id programs and file capabilities gain it nothing.
    pub no_new_privileges: bool,
    /// Whether its standard input stays open for somebody to write to.
    pub open_stdin: bool,
    /// Whether its standard streams are a terminal of its own.
    pub terminal: bool,
    /// Whether a small first process stands before it, which passes signals on and reaps what is left behind.
    pub init: bool,
}

/// How a container is connected, as asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkConfig {
    /// What its network is.
    pub mode: NetworkMode,
    /// The networks it is on, in the order of its interfaces; only with [`NetworkMode::Networks`].
    pub memberships: Vec<Membership>,
    /// The ports links open: those of the image, those of `--expose`, and the container side of each `-p`.
    pub expose: BTreeSet<ExposedPort>,
    /// The ports to publish on the host.
    pub publish: Vec<PublishRequest>,
    /// Whether every exposed port is published, on a host port that is chosen (`-P`).
    pub publish_all: bool,
    /// The containers it may reach by alias, on every network it shares with them.
    pub links: Vec<Link>,
    /// What its links put into its environment.
    pub link_environment: LinkEnvironment,
    /// More lines for its hosts file.
    pub extra_hosts: Vec<ExtraHostRequest>,
    /// Name servers instead of the host's; empty means the host's.
    pub nameservers: Vec<IpAddr>,
    /// Search domains instead of the host's; empty means the host's.
    pub dns_search: Vec<SearchDomain>,
    /// Options of the resolver instead of the host's; empty means the host's.
    pub dns_options: Vec<ResolverOption>,
    /// What it may open connections to beyond its networks and links.
    #[serde(default)]
    pub egress: Egress,
}

/// A container's wish to be on a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The network.
    pub network: NetworkName,
    /// Other names for it there.
    pub aliases: Vec<Alias>,
    /// The IPv4 address the user asked for; none means the next free one.
    pub address: Option<Ipv4Addr>,
    /// The IPv6 address the user asked for.
    pub ipv6_address: Option<Ipv6Addr>,
    /// The hardware address the user asked for; none means one is chosen.
    pub mac_address: Option<MacAddress>,
    /// The higher, the rather is this network the way to everywhere else.
    pub gateway_priority: i32,
}

impl Membership {
    /// A network of which nothing else is asked.
    pub fn of(network: NetworkName) -> Membership {
        Membership {
            network,
            aliases: Vec::new(),
            address: None,
            ipv6_address: None,
            mac_address: None,
            gateway_priority: 0,
        }
    }
}

/// What links put into a container's environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkEnvironment {
    /// Name, addresses and ports of each target, and its own environment.
    #[default]
    Full,
    /// Name, addresses and ports.
    Address,
    /// Nothing.
    None,
}

/// A word after `--link-env` that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown link environment `{0}`: use `full`, `address` or `none`")]
pub struct LinkEnvironmentError(String);

impl FromStr for LinkEnvironment {
    type Err = LinkEnvironmentError;

    fn from_str(word: &str) -> Result<Self, LinkEnvironmentError> {
        match word {
            "full" => Ok(LinkEnvironment::Full),
            "address" => Ok(LinkEnvironment::Address),
            "none" => Ok(LinkEnvironment::None),
            _ => Err(LinkEnvironmentError(word.to_owned())),
        }
    }
}

/// What the network of a container is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkMode {
    /// Its own, connected to bridge networks.
    #[default]
    Networks,
    /// Its own, with nothing but a loopback device.
    None,
    /// The host's.
    Host,
    /// That of another container.
    Container(ContainerId),
}

impl NetworkMode {
    /// Whether the container has a network namespace of its own.
    pub fn is_private(self) -> bool {
        matches!(self, NetworkMode::Networks | NetworkMode::None)
    }
}

impl NetworkConfig {
    /// The word after `--network` that says it shortest, as Docker's `NetworkMode` does.
    pub fn mode_word(&self) -> String {
        match self.mode {
            NetworkMode::Networks => self
                .memberships
                .first()
                .map_or_else(|| "none".into(), |first| first.network.to_string()),
            NetworkMode::None => "none".into(),
            NetworkMode::Host => "host".into(),
            NetworkMode::Container(id) => format!("container:{id}"),
        }
    }

    /// Its place among those of a network, if it is on it.
    pub fn membership(&self, network: &NetworkName) -> Option<&Membership> {
        self.memberships
            .iter()
            .find(|membership| membership.network == *network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_namespace_of_its_own_is_private() {
        assert!(NetworkMode::Networks.is_private());
        assert!(NetworkMode::None.is_private());
        assert!(!NetworkMode::Host.is_private());
        let other = ContainerId::random().expect("randomness");
        assert!(!NetworkMode::Container(other).is_private());
    }

    #[test]
    fn the_words_of_link_environments_are_understood() {
        assert_eq!("address".parse(), Ok(LinkEnvironment::Address));
        let error = "some".parse::<LinkEnvironment>().unwrap_err().to_string();
        assert!(error.contains("`some`"), "{error}");
    }
}
