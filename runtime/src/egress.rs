//! What a container may reach: who has to know it, and what follows from it for its names.

use crate::config::{ContainerConfig, NetworkMode};
use crate::connections::Connections;
use crate::error::RuntimeError;
use crate::network_files::name_servers;
use crate::runtime::Runtime;
use crate::settle::follow;
use minirun_bridge::atomic_file;
use minirun_bridge::egress::{Allowed, Attempt, Denied, Egress};
use minirun_bridge::port::{ExposedPort, Port, Protocol};
use minirun_netns::{Narrator, Silent};
use std::net::IpAddr;

/// What is to be changed of what a container may reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EgressChange {
    /// `--egress`.
    pub allowed: Option<Allowed>,
    /// `--egress-deny`.
    pub denied: Option<Denied>,
}

impl EgressChange {
    /// Whether everything stays.
    pub fn is_empty(&self) -> bool {
        *self == EgressChange::default()
    }

    fn applied_to(&self, before: &Egress) -> Egress {
        Egress {
            allowed: self
                .allowed
                .clone()
                .unwrap_or_else(|| before.allowed.clone()),
            denied: self.denied.clone().unwrap_or_else(|| before.denied.clone()),
        }
    }
}

impl Connections {
    /// What the container may reach, with the word for names resolved: where a network has a DNS, the monitor asks.
    pub(crate) fn egress(&self, config: &ContainerConfig) -> Egress {
        let egress = &config.network.egress;
        match egress.is_open() {
            true => Egress::default(),
            false => egress.with_name_servers(&name_servers(config, self)),
        }
    }
}

/// Whether a container may ask a name server of others.
pub(crate) fn may_ask(egress: &Egress, server: IpAddr) -> bool {
    let port = |protocol| Port::new(53).map(|port| ExposedPort { protocol, port });
    egress.allows_names()
        || [Protocol::Udp, Protocol::Tcp].into_iter().any(|protocol| {
            egress.permits(&Attempt {
                address: server,
                port: port(protocol),
            })
        })
}

impl Runtime {
    /// Changes what a container may reach, at once if it runs: what it has open and may not reach any more is cut.
    ///
    /// # Errors
    /// When the container has no network of its own, or nobody here can enforce it.
    pub(crate) fn update_egress(
        &self,
        container: &ContainerConfig,
        change: &EgressChange,
    ) -> Result<(), RuntimeError> {
        let lock = self.lock(&container.id)?;
        let mut config = self.current_record(&container.id)?;
        self.repair_locked(&config, &lock)?;
        self.finish_change_locked(&config, &lock)?;
        self.check_egress_change(&config, change)?;
        config.network.egress = change.applied_to(&config.network.egress);
        // If we are killed after the record, the next command does the rest.
        self.begin_change(&config.id)?;
        atomic_file::write_json(&self.paths(&config.id).record(), &config)?;
        if config.network.mode == NetworkMode::Networks && self.runs(&config)? {
            self.settle_egress(&config, &mut Silent)?;
            follow(&config, &self.paths(&config.id))?;
        }
        self.end_change(&config.id);
        Ok(())
    }

    /// Refuses what cannot be enforced: a namespace that is somebody else's is not this container's to restrict.
    pub(crate) fn check_egress_change(
        &self,
        config: &ContainerConfig,
        change: &EgressChange,
    ) -> Result<(), RuntimeError> {
        let mode = config.network.mode;
        let egress = change.applied_to(&config.network.egress);
        if egress.is_open() || mode == NetworkMode::None {
            return Ok(());
        }
        if !mode.is_private() {
            return Err(RuntimeError::NeedsBridge {
                option: match egress.allowed {
                    Allowed::Everything => "--egress-deny",
                    Allowed::Only(_) => "--egress",
                },
                network: config.network.mode_word(),
            });
        }
        Ok(self.networks.check_egress(&egress)?)
    }

    /// Makes what a running container may reach what its record says, on every network.
    pub(crate) fn settle_egress(
        &self,
        config: &ContainerConfig,
        narrator: &mut dyn Narrator,
    ) -> Result<(), RuntimeError> {
        let egress = Connections::of(self, config)?.egress(config);
        for network in self.networks.networks_of(&config.id)? {
            let place = (&network, &config.id);
            self.networks.restrict(place, &egress, narrator)?;
        }
        Ok(())
    }
}
