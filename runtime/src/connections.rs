//! What a container has of its networks, from its record: what it asks of each, and which of them leads everywhere else.

use crate::config::{ContainerConfig, Membership};
use crate::container_state::ContainerPaths;
use crate::error::RuntimeError;
use crate::last_place::LastPlace;
use crate::runtime::Runtime;
use minirun_bridge::attach::EndpointRequest;
use minirun_bridge::endpoint::{DefaultRoute, HostsRecord};
use minirun_bridge::extra_host::ExtraHost;
use minirun_bridge::gateway::{Candidate, choose_gateway};
use minirun_bridge::host_ports::PortsRequest;
use minirun_bridge::network::{Family, GatewayMode, Network};
use minirun_bridge::port::ExposedPort;
use minirun_bridge::publication::Publication;
use minirun_bridge::publish::{HostPort, PublishRequest};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network that a container is to be on, with what it asks of it.
#[derive(Debug, Clone)]
pub(crate) struct Joined {
    pub(crate) membership: Membership,
    pub(crate) network: Network,
}

/// The networks of a container, in the order of its interfaces.
#[derive(Debug, Clone, Default)]
pub(crate) struct Connections {
    pub(crate) joined: Vec<Joined>,
}

impl Connections {
    /// The networks that a container asks for.
    ///
    /// # Errors
    /// [`RuntimeError::NetworkGone`] when one was removed.
    pub(crate) fn of(
        runtime: &Runtime,
        config: &ContainerConfig,
    ) -> Result<Connections, RuntimeError> {
        let mut joined = Vec::new();
        for membership in &config.network.memberships {
            let name = &membership.network;
            let network = match name.as_str() == minirun_bridge::network::DEFAULT_NETWORK {
                true => Some(runtime.default_network()?),
                false => runtime.networks.load(name)?,
            };
            joined.push(Joined {
                membership: membership.clone(),
                network: network.ok_or_else(|| RuntimeError::NetworkGone {
                    network: name.clone(),
                    container: config.name.clone(),
                })?,
            });
        }
        Ok(Connections { joined })
    }

    /// The network that has the default route of a family.
    pub(crate) fn gateway(&self, family: Family) -> Option<&Network> {
        let candidates = self.joined.iter().map(|joined| Candidate {
            network: &joined.network,
            priority: joined.membership.gateway_priority,
        });
        choose_gateway(candidates, family)
    }

    /// For which families a network has the default route.
    pub(crate) fn default_route(&self, network: &Network) -> DefaultRoute {
        let leads = |family| {
            self.gateway(family)
                .is_some_and(|gateway| gateway.name == network.name)
        };
        DefaultRoute {
            ipv4: leads(Family::Ipv4),
            ipv6: leads(Family::Ipv6),
        }
    }

    /// Those of the host ports a container holds that lead to it through a network: those of the families whose default route
    /// the network has.
    pub(crate) fn publications_through(
        &self,
        network: &Network,
        held: &[Publication],
    ) -> Vec<Publication> {
        if network.gateway_mode == GatewayMode::Routed {
            return Vec::new();
        }
        let route = self.default_route(network);
        let leads = |publication: &&Publication| route.is_of(Family::of(publication.host_address));
        held.iter().filter(leads).copied().collect()
    }

    /// Whether any network has IPv6.
    pub(crate) fn has_ipv6(&self) -> bool {
        self.joined
            .iter()
            .any(|joined| joined.network.ipv6.is_some())
    }

    /// The host's addresses as the container reaches it: those of the bridges that have its default routes.
    pub(crate) fn host_addresses(&self) -> Vec<IpAddr> {
        Family::BOTH
            .into_iter()
            .filter_map(|family| Some(self.gateway(family)?.addressing(family)?.gateway))
            .collect()
    }

    /// Where a container's ports are published if it does not say where; nowhere if no network of it translates addresses.
    fn publish_addresses(&self, runtime: &Runtime) -> Vec<IpAddr> {
        let translates = |network: &&Network| network.gateway_mode == GatewayMode::Nat;
        let ipv4 = self.gateway(Family::Ipv4);
        let ipv6 = self.gateway(Family::Ipv6).filter(translates);
        let named = match ipv4 {
            Some(network) => network.publish_address,
            None => runtime.networks.settings.publish_address(),
        };
        if let Some(address) = named {
            return vec![address];
        }
        let ipv4 = match ipv4 {
            Some(network) => translates(&network),
            // An internal network may be left behind later; its host ports are held until then.
            None => true,
        };
        let any = |wanted, address| if wanted { Some(address) } else { None };
        let ipv4 = any(ipv4, IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let ipv6 = any(ipv6.is_some(), IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        ipv4.into_iter().chain(ipv6).collect()
    }

    /// What the container wants of the host's ports.
    pub(crate) fn ports_request(
        &self,
        (runtime, config): (&Runtime, &ContainerConfig),
        last: &LastPlace,
    ) -> PortsRequest {
        let default_addresses = self.publish_addresses(runtime);
        let mut publish = publish_requests(config);
        if default_addresses.is_empty() {
            // All is routed: there is no host port to bind.
            publish.clear();
        }
        PortsRequest {
            container: config.id,
            name: config.name.clone(),
            publish,
            default_addresses,
            has_ipv6: self.has_ipv6(),
            last_publications: last.publications.clone(),
        }
    }

    /// Whether ports that are published on every address of the host lack their IPv6 half: no network had IPv6 when they were
    /// bound.
    pub(crate) fn lacks_ipv6_ports(
        &self,
        (runtime, config): (&Runtime, &ContainerConfig),
        last: &LastPlace,
    ) -> bool {
        let is_ipv6 = |address: IpAddr| Family::of(address) == Family::Ipv6;
        let request = self.ports_request((runtime, config), last);
        let mut anywhere = request.publish.iter().map(|publish| publish.host_address);
        let mut bound = last.publications.iter();
        anywhere.any(|address| address.is_none())
            && request.default_addresses.into_iter().any(is_ipv6)
            && !bound.any(|publication| is_ipv6(publication.host_address))
    }

    /// The container's own lines in its hosts file.
    pub(crate) fn extra_hosts(&self, config: &ContainerConfig) -> Vec<ExtraHost> {
        let host = self.host_addresses();
        config
            .network
            .extra_hosts
            .iter()
            .flat_map(|extra| extra.resolve(&host))
            .collect()
    }

    /// What the container asks of one of its networks.
    pub(crate) fn endpoint_request(
        &self,
        (config, paths): (&ContainerConfig, &ContainerPaths),
        joined: &Joined,
        (interface_name, last): (String, &LastPlace),
    ) -> EndpointRequest {
        let Joined {
            membership,
            network,
        } = joined;
        let addresses = last
            .addresses
            .get(&network.name)
            .copied()
            .unwrap_or_default();
        EndpointRequest {
            container: config.id,
            name: config.name.clone(),
            hostname: config.hostname.clone(),
            interface_name,
            static_address: membership.address,
            static_ipv6_address: membership.ipv6_address,
            last_address: addresses.ipv4,
            last_ipv6_address: addresses.ipv6,
            mac: membership.mac_address,
            aliases: membership.aliases.clone(),
            exposed: config.network.expose.clone(),
            published: published_ports(config),
            publications: self.publications_through(network, &last.publications),
            default_route: self.default_route(network),
            links: config.network.links.clone(),
            hosts: HostsRecord {
                path: paths.root.join("hosts"),
                extra: self.extra_hosts(config),
            },
            egress: self.egress(config),
        }
    }
}

/// The container's ports that were asked to be published.
fn published_ports(config: &ContainerConfig) -> BTreeSet<ExposedPort> {
    publish_requests(config)
        .into_iter()
        .map(|request| request.container)
        .collect()
}

/// What was asked for with `-p` and `-P`.
fn publish_requests(config: &ContainerConfig) -> Vec<PublishRequest> {
    let network = &config.network;
    let mut requests = network.publish.clone();
    if network.publish_all {
        let published = |port| requests.iter().any(|request| request.container == port);
        let missing: Vec<ExposedPort> = network
            .expose
            .iter()
            .copied()
            .filter(|port| !published(*port))
            .collect();
        requests.extend(missing.into_iter().map(|container| PublishRequest {
            host_address: None,
            host_port: HostPort::Any,
            container,
        }));
    }
    requests
}
