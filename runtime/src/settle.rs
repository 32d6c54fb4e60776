//! Making what a running container has of its networks what its record says.
//!
//! Which network leads everywhere else is decided anew each time. The host ports follow: their sockets stay bound, only the rules
//! move. They are withdrawn from where they were before they lead to where they shall. Last, the container's monitor is told,
//! which may have to serve names now.

use crate::config::{ContainerConfig, NetworkMode};
use crate::connections::{Connections, Joined};
use crate::container_state::ContainerPaths;
use crate::error::RuntimeError;
use crate::events::Action;
use crate::monitor::tell_networks_changed;
use crate::network_files::{self, write_resolv};
use crate::runtime::Runtime;
use minirun_bridge::detach::Departure;
use minirun_bridge::network::Family;
use minirun_netns::{DefaultRoute, DefaultRoutes, Narrator, Netlink, Silent, set_default_routes};
use std::io::{self, ErrorKind};

impl Runtime {
    /// Makes the networks of a running container what its record says.
    pub(crate) fn settle_networks(&self, config: &ContainerConfig) -> Result<(), RuntimeError> {
        for network in self.networks.networks_of(&config.id)? {
            if config.network.membership(&network).is_none() {
                let leaving = (&config.id, Departure::Disconnected);
                self.networks.detach(&network, leaving, &mut Silent)?;
                self.tell_membership(&network, &config.id, Action::Disconnect);
                self.networks.forget(&network, &config.id, &[])?;
            }
        }
        self.settle_links(config, &mut Silent)?;
        self.settle_egress(config, &mut Silent)?;
        let connections = Connections::of(self, config)?;
        self.settle_ways(config, &connections, &mut Silent)?;
        Ok(self.networks.refresh_hosts_of(&config.id)?)
    }

    /// Makes the links of a running container what its record says, on every network.
    pub(crate) fn settle_links(
        &self,
        config: &ContainerConfig,
        narrator: &mut dyn Narrator,
    ) -> Result<(), RuntimeError> {
        for network in self.networks.networks_of(&config.id)? {
            self.networks.amend(
                (&network, &config.id),
                |endpoint| endpoint.links.clone_from(&config.network.links),
                narrator,
            )?;
        }
        Ok(())
    }

    /// Decides anew which networks lead everywhere else, moves the host ports there, and tells the monitor.
    pub(crate) fn settle_ways(
        &self,
        config: &ContainerConfig,
        connections: &Connections,
        narrator: &mut dyn Narrator,
    ) -> Result<(), RuntimeError> {
        if config.network.mode != NetworkMode::Networks {
            // Its namespace is somebody else's.
            return Ok(());
        }
        let paths = self.paths(&config.id);
        let held = paths.read_last_place()?.publications;
        let leads = |joined: &&Joined| {
            let route = connections.default_route(&joined.network);
            route.ipv4 || route.ipv6
        };
        let (gaining, losing): (Vec<&Joined>, Vec<&Joined>) =
            connections.joined.iter().partition(leads);
        let extra = connections.extra_hosts(config);
        let egress = connections.egress(config);
        for joined in losing.into_iter().chain(gaining) {
            let network = &joined.network;
            let publications = connections.publications_through(network, &held);
            let default_route = connections.default_route(network);
            self.networks.amend(
                (&network.name, &config.id),
                |endpoint| {
                    endpoint.publications = publications;
                    endpoint.default_route = default_route;
                    endpoint.hosts.extra.clone_from(&extra);
                    endpoint.egress.clone_from(&egress);
                },
                narrator,
            )?;
        }
        self.route(config, connections, narrator)?;
        match connections.joined.is_empty() {
            // Nothing is left that would keep its hosts file up to date.
            true => network_files::write(config, connections, &paths)?,
            false => write_resolv(config, connections, &paths)?,
        }
        follow(config, &paths)
    }

    /// Sets the default routes of a running container.
    fn route(
        &self,
        config: &ContainerConfig,
        connections: &Connections,
        narrator: &mut dyn Narrator,
    ) -> Result<(), RuntimeError> {
        let Some(namespace) = self.network_namespace(&config.id) else {
            // It has just ended.
            return Ok(());
        };
        let routes = DefaultRoutes {
            ipv4: self.default_route(config, connections, Family::Ipv4)?,
            ipv6: self.default_route(config, connections, Family::Ipv6)?,
            namespace_label: namespace.path().display().to_string(),
        };
        set_default_routes(&mut Netlink::open_in(&namespace)?, &routes)?;
        narrator.tell(&routes);
        Ok(())
    }

    fn default_route(
        &self,
        config: &ContainerConfig,
        connections: &Connections,
        family: Family,
    ) -> Result<Option<DefaultRoute>, RuntimeError> {
        let Some(network) = connections.gateway(family) else {
            return Ok(None);
        };
        let endpoint = self.networks.network(&network.name).find(&config.id)?;
        let gateway = network.addressing(family);
        Ok(endpoint
            .zip(gateway)
            .map(|(endpoint, addressing)| DefaultRoute {
                interface: endpoint.interface_name,
                gateway: addressing.gateway,
            }))
    }
}

/// Tells the monitor.
pub(crate) fn follow(config: &ContainerConfig, paths: &ContainerPaths) -> Result<(), RuntimeError> {
    heed(config, tell_networks_changed(paths))
}

/// What a monitor's answer means to whoever told it of a change. One that has just ended has nothing to follow.
pub(crate) fn heed(
    config: &ContainerConfig,
    answer: io::Result<Option<String>>,
) -> Result<(), RuntimeError> {
    let refused = |message| RuntimeError::MonitorRefused {
        container: config.name.clone(),
        message,
    };
    match answer {
        Ok(None) => Ok(()),
        Ok(Some(message)) => Err(refused(message)),
        Err(error) => match error.kind() {
            ErrorKind::NotFound
            | ErrorKind::BrokenPipe
            | ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset => Ok(()),
            _ => Err(refused(error.to_string())),
        },
    }
}
