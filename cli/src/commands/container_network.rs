//! The options of `run` and `create` that say how a container is connected.

use super::network_argument::NetworkArgument;
use super::networks_wanted::{FirstNetwork, wanted};
use crate::failure::Failure;
use clap::{Args, ValueEnum};
use minirun_bridge::extra_host::ExtraHostRequest;
use minirun_bridge::link::LinkRequest;
use minirun_bridge::name::{Alias, Hostname};
use minirun_bridge::port::{ExposeError, ExposedPort, parse_expose};
use minirun_bridge::publish::{PublishError, PublishRequest, parse_publish};
use minirun_bridge::resolv::{ResolverOption, SearchDomain};
use minirun_netns::MacAddress;
use minirun_runtime::config::LinkEnvironment;
use minirun_runtime::create::CreateRequest;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// How a container is connected.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct ContainerNetwork {
    /// Network by name or id, repeatable; `none`, `host` or `container:NAME`; or `name=NETWORK,alias=…,ip=…,ip6=…,mac-address=…,gw-priority=…`
    /// [default: bridge]
    #[arg(long, visible_alias = "net", value_name = "NETWORK")]
    network: Vec<NetworkArgument>,
    /// Further name on the first network
    #[arg(long, visible_alias = "net-alias", value_name = "NAME")]
    network_alias: Vec<Alias>,
    /// IPv4 address on the first network
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<Ipv4Addr>,
    /// IPv6 address on the first network
    #[arg(long, value_name = "ADDRESS")]
    ip6: Option<Ipv6Addr>,
    /// MAC address on the first network
    #[arg(long, value_name = "MAC")]
    mac_address: Option<MacAddress>,
    /// Name another container as ALIAS, with its environment, and open its exposed ports to this one
    #[arg(long, value_name = "CONTAINER[:ALIAS]")]
    link: Vec<LinkRequest>,
    /// What the environment says of link targets: everything, addresses and ports only, or nothing
    #[arg(long, value_enum, value_name = "WHAT", default_value = "full")]
    link_env: LinkVariables,
    /// Publish a port on the host
    #[arg(short, long, value_name = "[[ADDRESS:][PORT]:]PORT[/PROTOCOL]")]
    publish: Vec<Publish>,
    /// Publish every exposed port on a random port of the host
    #[arg(short = 'P', long)]
    publish_all: bool,
    /// Expose ports to containers that are linked to this one
    #[arg(long, value_name = "PORT[-PORT][/PROTOCOL]")]
    expose: Vec<Expose>,
    /// Host name
    #[arg(short = 'h', long, value_name = "NAME")]
    hostname: Option<Hostname>,
    /// Add a line to /etc/hosts; `host-gateway` stands for the host's address on the network
    #[arg(long, value_name = "NAME:ADDRESS")]
    add_host: Vec<ExtraHostRequest>,
    /// Name server instead of the host's
    #[arg(long, value_name = "ADDRESS")]
    dns: Vec<IpAddr>,
    /// Domain to look names up in instead of the host's; `.` for none
    #[arg(long, value_name = "DOMAIN")]
    dns_search: Vec<SearchDomain>,
    /// Resolver option instead of the host's, as in resolv.conf
    #[arg(long, visible_alias = "dns-opt", value_name = "OPTION")]
    dns_option: Vec<ResolverOption>,
}

/// `--link-env`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LinkVariables {
    Full,
    Address,
    None,
}

impl From<LinkVariables> for LinkEnvironment {
    fn from(variables: LinkVariables) -> LinkEnvironment {
        match variables {
            LinkVariables::Full => LinkEnvironment::Full,
            LinkVariables::Address => LinkEnvironment::Address,
            LinkVariables::None => LinkEnvironment::None,
        }
    }
}

/// One `-p`, which may stand for a range.
#[derive(Debug, Clone)]
struct Publish(Vec<PublishRequest>);

impl FromStr for Publish {
    type Err = PublishError;

    fn from_str(text: &str) -> Result<Publish, PublishError> {
        parse_publish(text).map(Publish)
    }
}

/// One `--expose`, which may stand for a range.
#[derive(Debug, Clone)]
struct Expose(Vec<ExposedPort>);

impl FromStr for Expose {
    type Err = ExposeError;

    fn from_str(text: &str) -> Result<Expose, ExposeError> {
        parse_expose(text).map(Expose)
    }
}

impl ContainerNetwork {
    /// The request with its networking filled in.
    ///
    /// # Errors
    /// When options contradict each other.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        let first = FirstNetwork {
            aliases: self.network_alias.clone(),
            address: self.ip,
            ipv6_address: self.ip6,
            mac_address: self.mac_address,
        };
        let publish = self.publish.iter().flat_map(|ports| ports.0.clone());
        let expose = self.expose.iter().flat_map(|ports| ports.0.clone());
        Ok(CreateRequest {
            network: wanted(&self.network, &first)?,
            links: self.link.clone(),
            link_environment: self.link_env.into(),
            publish: publish.collect(),
            publish_all: self.publish_all,
            expose: expose.collect(),
            hostname: self.hostname.clone(),
            extra_hosts: self.add_host.clone(),
            nameservers: self.dns.clone(),
            dns_search: self.dns_search.clone(),
            dns_options: self.dns_option.clone(),
            ..request
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Command, FromArgMatches};
    use minirun_runtime::create::NetworkWanted;

    fn filled(words: &[&str]) -> CreateRequest {
        let command = ContainerNetwork::augment_args(
            Command::new("run")
                .no_binary_name(true)
                .disable_help_flag(true),
        );
        let matches = command.try_get_matches_from(words).unwrap();
        let options = ContainerNetwork::from_arg_matches(&matches).unwrap();
        options.fill(CreateRequest::default()).unwrap()
    }

    #[test]
    fn every_network_option_reaches_the_request() {
        let request = filled(&[
            "--network",
            "lan",
            "--network",
            "name=wan,gw-priority=5",
            "--network-alias",
            "db",
            "--ip6",
            "fd00::5",
            "--link",
            "web1:web",
            "--link-env",
            "address",
            "-p",
            "8080:80",
            "--expose",
            "81-82",
            "--dns",
            "10.0.0.53",
            "--dns-search",
            "lan.example",
            "--dns-option",
            "ndots:1",
            "--dns-opt",
            "rotate",
        ]);
        let NetworkWanted::Networks(memberships) = &request.network else {
            panic!("no networks");
        };
        let names: Vec<&str> = memberships.iter().map(|one| one.network.as_str()).collect();
        assert_eq!(names, ["lan", "wan"]);
        assert_eq!(memberships[0].aliases, ["db".parse().unwrap()]);
        assert_eq!(memberships[0].ipv6_address, "fd00::5".parse().ok());
        assert_eq!(memberships[1].gateway_priority, 5);
        assert_eq!(request.link_environment, LinkEnvironment::Address);
        assert_eq!((request.links.len(), request.publish.len()), (1, 1));
        assert_eq!((request.expose.len(), request.nameservers.len()), (2, 1));
        assert_eq!(
            (request.dns_search.len(), request.dns_options.len()),
            (1, 2)
        );
    }

    #[test]
    fn without_options_a_container_is_on_the_default_network_with_full_links() {
        let request = filled(&[]);
        assert_eq!(request.link_environment, LinkEnvironment::Full);
        assert!(
            matches!(&request.network, NetworkWanted::Networks(networks) if networks[0].network == "bridge")
        );
    }
}
