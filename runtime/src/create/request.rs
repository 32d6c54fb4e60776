//! What is asked for when a container is created.

use crate::config::LinkEnvironment;
use crate::devices::Devices;
use crate::health::HealthWanted;
use crate::log_options::LogOptions;
use crate::network_place::NetworkWanted;
use crate::resources::Resources;
use crate::restart_policy::RestartPolicy;
use crate::security::Security;
use crate::signal::StopSignal;
use crate::stop_timeout::StopTimeout;
use crate::storage::StorageWanted;
use crate::time_limit::TimeLimit;
use minirun_bridge::egress::Egress;
use minirun_bridge::environment::EnvironmentVariable;
use minirun_bridge::extra_host::ExtraHostRequest;
use minirun_bridge::link::LinkRequest;
use minirun_bridge::name::{ContainerName, Hostname};
use minirun_bridge::port::ExposedPort;
use minirun_bridge::publish::PublishRequest;
use minirun_bridge::resolv::{ResolverOption, SearchDomain};
use std::collections::BTreeMap;
use std::net::IpAddr;

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
