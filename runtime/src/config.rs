//! What a container is: everything that was decided when it was created, with names and image resolved.
//!
//! The record is saved as `container.json` in the container's directory and never changes while the container runs.
//! What changes with every start (process id, address, published host ports) is not here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use minirun_bridge::environment::EnvironmentVariable;
use minirun_bridge::extra_host::ExtraHostRequest;
use minirun_bridge::id::ContainerId;
use minirun_bridge::link::Link;
use minirun_bridge::name::{ContainerName, Hostname};
use minirun_bridge::port::ExposedPort;
use minirun_bridge::publish::PublishRequest;
use minirun_netns::mac::MacAddress;
use serde::{Deserialize, Serialize};

use crate::image::ImageId;
use crate::signal::StopSignal;

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
    /// How many seconds it has to obey that signal before it is killed.
    pub stop_timeout_seconds: u32,
    /// Whether it is removed as soon as it has ended.
    pub auto_remove: bool,
    /// How it is connected.
    pub network: NetworkConfig,
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
}

/// How a container is connected, as asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkConfig {
    /// What its network is.
    pub mode: NetworkMode,
    /// The address the user asked for; none means the next free one.
    pub static_address: Option<Ipv4Addr>,
    /// The hardware address the user asked for; none means one is chosen.
    pub mac_address: Option<MacAddress>,
    /// The ports links open: those of the image, those of `--expose`, and the container side of each `-p`.
    pub expose: BTreeSet<ExposedPort>,
    /// The ports to publish on the host.
    pub publish: Vec<PublishRequest>,
    /// Whether every exposed port is published, on a host port that is chosen (`-P`).
    pub publish_all: bool,
    /// The containers it may reach by alias.
    pub links: Vec<Link>,
    /// More lines for its hosts file.
    pub extra_hosts: Vec<ExtraHostRequest>,
    /// Name servers instead of the host's; empty means the host's.
    pub nameservers: Vec<IpAddr>,
}

/// What the network of a container is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkMode {
    /// Its own, connected to the default bridge.
    #[default]
    Bridge,
    /// Its own, with nothing but a loopback device.
    None,
    /// The host's.
    Host,
}

/// A word after `--network` that names no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown network `{0}`: use `bridge`, `none` or `host`")]
pub struct NetworkModeError(String);

impl NetworkMode {
    /// Whether the container has a network namespace of its own.
    pub fn is_private(self) -> bool {
        self != NetworkMode::Host
    }
}

impl FromStr for NetworkMode {
    type Err = NetworkModeError;

    fn from_str(word: &str) -> Result<Self, NetworkModeError> {
        match word {
            "bridge" | "default" => Ok(NetworkMode::Bridge),
            "none" => Ok(NetworkMode::None),
            "host" => Ok(NetworkMode::Host),
            _ => Err(NetworkModeError(word.to_owned())),
        }
    }
}

impl fmt::Display for NetworkMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            NetworkMode::Bridge => "bridge",
            NetworkMode::None => "none",
            NetworkMode::Host => "host",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_shown_and_saved_by_the_word_that_asks_for_it() {
        for word in ["bridge", "none", "host"] {
            let mode: NetworkMode = word.parse().unwrap();
            assert_eq!(mode.to_string(), word);
            assert_eq!(serde_json::to_string(&mode).unwrap(), format!("\"{word}\""));
        }
        assert_eq!("default".parse(), Ok(NetworkMode::Bridge));
        let error = "web".parse::<NetworkMode>().unwrap_err().to_string();
        assert!(error.contains("`web`"), "{error}");
    }

    #[test]
    fn only_the_hosts_network_is_not_private() {
        assert!(NetworkMode::Bridge.is_private());
        assert!(NetworkMode::None.is_private());
        assert!(!NetworkMode::Host.is_private());
    }
}
