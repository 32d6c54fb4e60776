//! What was done as asked, and may not be what was meant.

use crate::config::NetworkMode;
use crate::create::CreateRequest;
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use minirun_bridge::link::Link;
use minirun_bridge::name::ContainerName;
use minirun_bridge::network::{Icc, Network};
use minirun_netns::Sysctl;
use std::collections::BTreeSet;
use std::fmt;

/// Something that was done as asked, and may not be what was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A link to a container that exposes nothing opens nothing, with ICC off.
    LinkOpensNothing {
        /// The target.
        target: ContainerName,
    },
    /// Host networking has no ports to publish.
    PublishOnHost,
    /// Without a network there is nothing to publish.
    PublishOnNone,
    /// The host does not forward, and minirun may not switch it on.
    ForwardingOff,
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
            Warning::ForwardingOff => formatter.write_str(
                "the host does not forward IPv4 packets and `ip_forward = false` forbids to change that: published ports \
                 and, with ICC off, links will not work",
            ),
            Warning::PublishOnNone => formatter.write_str(
                "published ports are ignored with `--network none`: the container cannot be reached",
            ),
            Warning::PublishOnHost => formatter.write_str(
                "published ports are ignored with `--network host`: the program binds the host's ports itself",
            ),
            Warning::LinkTargetStopped { target } => write!(
                formatter,
                "`{target}` is not running: the link works as soon as it is started"
            ),
        }
    }
}

impl Runtime {
    /// With ICC off, a link to a container that exposes nothing is a name without a way.
    pub(crate) fn link_warnings(&self, links: &[Link]) -> Result<Vec<Warning>, RuntimeError> {
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

    pub(crate) fn forwarding_warning(&self, request: &CreateRequest) -> Option<Warning> {
        let needs_it = request.network == NetworkMode::Bridge
            && !(request.publish.is_empty() && request.links.is_empty());
        if !needs_it || self.networks.settings.ip_forward {
            return None;
        }
        let forwards = Sysctl::new("net/ipv4/ip_forward").read().ok()?;
        (forwards == "0").then_some(Warning::ForwardingOff)
    }

    /// Which links between running containers of a network open nothing although it is closed.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn link_warnings_of(&self, network: &Network) -> Result<Vec<Warning>, RuntimeError> {
        if network.icc == Icc::Enabled {
            return Ok(Vec::new());
        }
        let endpoints = self.networks.network(&network.name).all()?;
        let linked: BTreeSet<&ContainerName> = endpoints
            .iter()
            .flat_map(|endpoint| &endpoint.links)
            .map(|link| &link.target)
            .collect();
        Ok(endpoints
            .iter()
            .filter(|endpoint| endpoint.exposed.is_empty() && linked.contains(&endpoint.name))
            .map(|endpoint| Warning::LinkOpensNothing {
                target: endpoint.name.clone(),
            })
            .collect())
    }
}

/// Options that have no effect with the network mode.
pub(crate) fn ignored_options(request: &CreateRequest) -> Option<Warning> {
    let publishes = !request.publish.is_empty() || request.publish_all;
    match request.network {
        NetworkMode::Host if publishes => Some(Warning::PublishOnHost),
        NetworkMode::None if publishes => Some(Warning::PublishOnNone),
        _ => None,
    }
}
