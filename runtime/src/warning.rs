//! What was done as asked, and may not be what was meant.

use crate::config::Membership;
use crate::create::CreateRequest;
use crate::error::RuntimeError;
use crate::health::{HealthCheck, HealthWanted};
use crate::network_place::NetworkWanted;
use crate::runtime::Runtime;
use crate::security::seccomp_choice::SeccompChoice;
use crate::security::{Privilege, Security};
use minirun_bridge::egress::Allowed;
use minirun_bridge::firewall::foreign::ForeignChain;
use minirun_bridge::link::Link;
use minirun_bridge::name::{ContainerName, NetworkName};
use minirun_bridge::network::{GatewayMode, Icc, Network, Reach};
use minirun_bridge::publish::{HostPort, PublishRequest};
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
    /// Every network of the container is internal.
    PublishOnInternal,
    /// Every network that leads out of the host is routed.
    PublishOnRouted,
    /// What a container may reach says nothing about its peers.
    EgressLeavesPeers {
        /// The network.
        network: NetworkName,
    },
    /// Host ports are bound when a container starts.
    PublishIpv6Later {
        /// The container.
        container: ContainerName,
    },
    /// It is said how often health is checked, and not how.
    HealthWithoutCommand,
    /// Version 1 of control groups does not know who has written what was in memory.
    CachedWrites,
    /// The host does not forward, and minirun may not switch it on.
    ForwardingOff,
    /// A chain of another refuses what goes in and out of containers, and minirun cannot or may not change that.
    ForeignFirewall {
        /// The chain.
        chain: ForeignChain,
        /// A bridge that it stops.
        bridge: String,
    },
    /// The link target does not run now.
    LinkTargetStopped {
        /// The target.
        target: ContainerName,
    },
    /// A privileged container has all capabilities, whatever is dropped.
    PrivilegedDropsNothing,
    /// A profile names calls that no kernel here has.
    UnknownSystemCalls {
        /// The names.
        names: Vec<String>,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::UnknownSystemCalls { names } => write!(
                formatter,
                "the seccomp profile names system calls that do not exist here, and has no effect on them: {}",
                names.join(", ")
            ),
            Warning::PrivilegedDropsNothing => formatter.write_str(
                "`--cap-drop` has no effect with `--privileged`, which gives every capability: use `--cap-add` instead",
            ),
            Warning::LinkOpensNothing { target } => write!(
                formatter,
                "`{target}` exposes no port, so the link opens none while ICC is off: start `{target}` with \
                 `--expose PORT`"
            ),
            Warning::CachedWrites => formatter.write_str(
                "limits of writing hold for what is written directly: `blkio` is of version 1 of control groups here, which does \
                 not know who has written what goes through the page cache",
            ),
            Warning::ForwardingOff => formatter.write_str(
                "the host does not forward IPv4 packets and `ip_forward = false` forbids to change that: published ports \
                 and, with ICC off, links will not work",
            ),
            Warning::ForeignFirewall { chain, bridge } => write!(
                formatter,
                "another firewall ({}) refuses what goes in and out of `{bridge}`, by the {chain}: {}",
                chain.owner_words(),
                chain.hint(bridge)
            ),
            Warning::HealthWithoutCommand => formatter.write_str(
                "neither the image nor `--health-cmd` says how health is checked, so the other `--health-…` options have \
                 no effect",
            ),
            Warning::PublishOnNone => formatter.write_str(
                "published ports are ignored with `--network none`: the container cannot be reached",
            ),
            Warning::PublishOnInternal => formatter.write_str(
                "published ports lead nowhere while the container is on internal networks only: connect it to another",
            ),
            Warning::PublishIpv6Later { container } => write!(
                formatter,
                "host ports are bound when a container starts: those of `{container}` answer over IPv6 once it has been \
                 restarted"
            ),
            Warning::EgressLeavesPeers { network } => write!(
                formatter,
                "`--egress` leaves the other containers of network `{network}` within reach, and whoever they pass on to: \
                 a network with `--icc=false` keeps them apart"
            ),
            Warning::PublishOnRouted => formatter.write_str(
                "on a routed network, published ports are open at the container's own address, and host ports are ignored",
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
    /// A link to a container that exposes nothing is a name without a way, where every shared network has ICC off.
    pub(crate) fn link_warnings(
        &self,
        (memberships, links): (&[Membership], &[Link]),
    ) -> Result<Vec<Warning>, RuntimeError> {
        let mut warnings = Vec::new();
        for link in links {
            let Some(target) = self.find_exactly(link.target.as_str())? else {
                continue;
            };
            let shared = memberships
                .iter()
                .filter(|own| target.network.membership(&own.network).is_some());
            let mut all_closed = true;
            let mut runs = false;
            for Membership { network, .. } in shared {
                let definition = self.networks.load_or_create(network)?;
                all_closed &= definition.icc == Icc::Disabled;
                runs |= self.networks.network(network).find(&target.id)?.is_some();
            }
            if all_closed && target.network.expose.is_empty() {
                warnings.push(Warning::LinkOpensNothing {
                    target: link.target.clone(),
                });
            }
            if !runs {
                warnings.push(Warning::LinkTargetStopped {
                    target: link.target.clone(),
                });
            }
        }
        Ok(warnings)
    }

    /// Networks on which a container that may reach a few things only still reaches every peer.
    pub(crate) fn egress_warnings(
        &self,
        request: &CreateRequest,
        memberships: &[Membership],
    ) -> Result<Vec<Warning>, RuntimeError> {
        if request.egress.allowed == Allowed::Everything {
            return Ok(Vec::new());
        }
        let mut warnings = Vec::new();
        for membership in memberships {
            let network = self.networks.load(&membership.network)?;
            let open = network.filter(|network| network.icc == Icc::Enabled);
            warnings.extend(open.map(|network| Warning::EgressLeavesPeers {
                network: network.name,
            }));
        }
        Ok(warnings)
    }

    pub(crate) fn forwarding_warning(&self, request: &CreateRequest) -> Option<Warning> {
        let needs_it = matches!(request.network, NetworkWanted::Networks(_))
            && !(request.publish.is_empty() && request.links.is_empty());
        if !needs_it || self.networks.settings.ip_forward {
            return None;
        }
        let forwards = Sysctl::new("net/ipv4/ip_forward").read().ok()?;
        (forwards == "0").then_some(Warning::ForwardingOff)
    }

    /// What others refuse of a container that publishes ports, as is known since rules were last made or changed.
    pub(crate) fn foreign_firewall_warnings(
        &self,
        request: &CreateRequest,
        memberships: &[Membership],
    ) -> Result<Vec<Warning>, RuntimeError> {
        if request.publish.is_empty() && !request.publish_all {
            return Ok(Vec::new());
        }
        let Some(membership) = memberships.first() else {
            return Ok(Vec::new());
        };
        let blockade = self.networks.blockade();
        if blockade.is_empty() {
            return Ok(Vec::new());
        }
        let network = self.networks.load(&membership.network)?;
        Ok(network.map_or_else(Vec::new, |network| blockade_of(&network, blockade)))
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

impl Runtime {
    /// Published ports that do not lead from the host to the container as things are.
    pub(crate) fn publish_warning(
        &self,
        request: &CreateRequest,
        memberships: &[Membership],
    ) -> Result<Option<Warning>, RuntimeError> {
        if request.publish.is_empty() && !request.publish_all {
            return Ok(None);
        }
        let mut outward = Vec::new();
        for membership in memberships {
            let network = self.networks.load(&membership.network)?;
            outward.extend(network.filter(|network| network.reach == Reach::External));
        }
        let routed = |network: &Network| network.gateway_mode == GatewayMode::Routed;
        let named = |publish: &PublishRequest| publish.host_port != HostPort::Any;
        Ok(match (memberships.is_empty(), outward.is_empty()) {
            (false, true) => Some(Warning::PublishOnInternal),
            (false, false) if outward.iter().all(routed) && request.publish.iter().any(named) => {
                Some(Warning::PublishOnRouted)
            }
            _ => None,
        })
    }
}

/// What others refuse of a network.
pub(crate) fn blockade_of(network: &Network, blockade: Vec<ForeignChain>) -> Vec<Warning> {
    let warning = |chain| Warning::ForeignFirewall {
        chain,
        bridge: network.bridge.clone(),
    };
    blockade.into_iter().map(warning).collect()
}

/// Options about a health check that nobody makes.
pub(crate) fn health_warning(
    wanted: &HealthWanted,
    image: Option<&HealthCheck>,
) -> Option<Warning> {
    wanted
        .is_idle(image)
        .then_some(Warning::HealthWithoutCommand)
}

/// Capabilities that are dropped in vain.
pub(crate) fn privilege_warning(security: &Security) -> Option<Warning> {
    let in_vain =
        security.privilege == Privilege::Privileged && !security.capabilities.dropped().is_empty();
    in_vain.then_some(Warning::PrivilegedDropsNothing)
}

/// Names in a profile that are no system calls.
pub(crate) fn seccomp_warning(security: &Security) -> Option<Warning> {
    let SeccompChoice::Profile(profile) = &security.seccomp else {
        return None;
    };
    let names = profile.understand().ok()?.unknown_names();
    (!names.is_empty()).then_some(Warning::UnknownSystemCalls { names })
}

/// Options that have no effect with the network mode.
pub(crate) fn ignored_options(request: &CreateRequest) -> Option<Warning> {
    let publishes = !request.publish.is_empty() || request.publish_all;
    match request.network {
        NetworkWanted::Host if publishes => Some(Warning::PublishOnHost),
        NetworkWanted::None if publishes => Some(Warning::PublishOnNone),
        _ => None,
    }
}
