//! What minirun knows about the host it runs on.

use crate::app_armor::AppArmorSupport;
use crate::container_state::ContainerState;
use crate::error::RuntimeError;
use crate::runtime::{Directories, Runtime};
use minirun_bridge::firewall::Firewall;
use minirun_bridge::firewall::foreign::ForeignChain;
use minirun_bridge::name::NetworkName;
use minirun_bridge::network::Network;
use minirun_netns::Sysctl;
use std::fs;

/// What `minirun info` shows.
#[derive(Debug)]
pub struct Facts {
    /// How many containers run.
    pub running: usize,
    /// How many of these are paused.
    pub paused: usize,
    /// How many do not.
    pub stopped: usize,
    /// How many images there are.
    pub images: usize,
    /// How many volumes there are.
    pub volumes: usize,
    /// Where things are.
    pub directories: Directories,
    /// The firewall driver.
    pub firewall: Firewall,
    /// What others refuse of forwarded packets; none if that cannot be read.
    pub foreign_chains: Option<Vec<ForeignChain>>,
    /// The default network, if it has been made.
    pub network: Option<Network>,
    /// Whether the host forwards IPv4 packets; none if it cannot be read.
    pub forwarding: Option<bool>,
    /// Whether bridged frames pass the host's IPv4 rules (`br_netfilter`); none where the module is not there.
    pub bridge_filtering: Option<bool>,
    /// What the host has of AppArmor.
    pub app_armor: AppArmorSupport,
    /// The kernel's release.
    pub kernel: String,
}

impl Runtime {
    /// Gathers the facts.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn facts(&self) -> Result<Facts, RuntimeError> {
        let containers = self.survey()?.containers;
        let running = containers
            .iter()
            .filter(|summary| matches!(summary.condition.state, ContainerState::Running(_)))
            .count();
        Ok(Facts {
            running,
            paused: containers
                .iter()
                .filter(|summary| summary.condition.is_paused)
                .count(),
            stopped: containers.len() - running,
            images: self.images.list()?.len(),
            volumes: self.volumes().all()?.len(),
            directories: self.directories.clone(),
            firewall: self.networks.firewall,
            foreign_chains: self.networks.foreign_chains().ok(),
            network: self.networks.load(&NetworkName::default())?,
            forwarding: switch("net/ipv4/ip_forward"),
            bridge_filtering: switch("net/bridge/bridge-nf-call-iptables"),
            app_armor: AppArmorSupport::of_host(),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .unwrap_or_default()
                .trim()
                .to_string(),
        })
    }
}

fn switch(path: &str) -> Option<bool> {
    Sysctl::new(path).read().ok().map(|value| value != "0")
}
