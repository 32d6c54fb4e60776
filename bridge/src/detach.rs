//! Detaching a container: everything that [`crate::attach`] made goes, whatever of it is still there.
//!
//! The veth pair needs no step: it goes with the container's network namespace, asynchronously and at no cost to anyone.

use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::firewall::FirewallError;
use crate::id::ContainerId;
use crate::name::NetworkName;
use crate::network::Network;
use crate::plan::Step;
use crate::policy;
use crate::publication::Publication;
use crate::reload;
use crate::state::NetworkHost;
use crate::step::{Action, Context, NetworkStep};
use minirun_netns::{Explain, Explanation, Narrator, Netlink, Silent};
use std::cell::RefCell;

impl NetworkHost {
    /// Takes a container off a network: rules, records, claims, and the hosts entries of those linked to it. Its address
    /// stays leased, so that it comes back with the same one as long as the pool allows.
    ///
    /// # Errors
    /// The first error met; the rest was done all the same.
    pub fn detach(
        &self,
        name: &NetworkName,
        container: &ContainerId,
        narrator: &mut dyn Narrator,
    ) -> Result<(), NetworkError> {
        let _lock = self.network(name).lock()?;
        // Read under the lock: which rules an endpoint has depends on what the network is now.
        match self.load(name)? {
            Some(network) => self.detach_locked(&network, container, narrator),
            None => Ok(()),
        }
    }

    /// What it would take to detach a container now, in words.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn explain_detach(
        &self,
        name: &NetworkName,
        container: &ContainerId,
    ) -> Result<Vec<Explanation>, NetworkError> {
        let endpoint = self.network(name).find(container)?;
        let (Some(network), Some(endpoint)) = (self.load(name)?, endpoint) else {
            return Ok(Vec::new());
        };
        let netlink = RefCell::new(Netlink::open()?);
        let context = Context {
            host: self,
            netlink: &netlink,
        };
        let actions = self.detachment(&network, endpoint)?;
        Ok(actions
            .into_iter()
            .map(|action| NetworkStep { context, action }.explain())
            .collect())
    }

    /// Gives up the address that is kept for a container which does not run.
    ///
    /// # Errors
    /// When the state cannot be written to.
    pub fn forget(&self, network: &Network, container: &ContainerId) -> Result<(), NetworkError> {
        let _lock = self.lock_network(network)?;
        let leases = self.leases(network)?;
        for (address, holder) in leases.holders()? {
            if holder == *container {
                leases.release(address, container)?;
            }
        }
        Ok(())
    }

    /// Takes down a container that claims a port which could be bound: whoever held it is gone.
    pub(crate) fn take_down_if_shadowing(
        &self,
        network: &Network,
        owner: &ContainerId,
        publication: &Publication,
    ) -> Result<(), NetworkError> {
        let Some(endpoint) = self.network(&network.name).find(owner)? else {
            self.release_port(publication, owner);
            return Ok(());
        };
        let shadows = endpoint.publications.iter().any(|held| {
            held.host_port == publication.host_port
                && held.container.protocol == publication.container.protocol
                && (held.host_address == publication.host_address
                    || held.host_address.is_unspecified()
                    || publication.host_address.is_unspecified())
        });
        if shadows {
            self.detach_locked(network, owner, &mut Silent)?;
        }
        Ok(())
    }

    fn detach_locked(
        &self,
        network: &Network,
        container: &ContainerId,
        narrator: &mut dyn Narrator,
    ) -> Result<(), NetworkError> {
        let Some(endpoint) = self.network(&network.name).find(container)? else {
            return Ok(());
        };
        let netlink = RefCell::new(Netlink::open()?);
        let context = Context {
            host: self,
            netlink: &netlink,
        };
        let mut outcome = Ok(());
        let mut rules_are_as_expected = true;
        for action in self.detachment(network, endpoint)? {
            let step = NetworkStep { context, action };
            match step.apply() {
                Ok(()) => narrator.tell(&step),
                Err(NetworkError::Firewall(FirewallError::Refused { .. })) => {
                    rules_are_as_expected = false;
                }
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        if rules_are_as_expected {
            return outcome;
        }
        // The record is gone now, so what is made from the records is what should be.
        outcome.and(reload::reload(self))
    }

    /// What it takes to detach an endpoint. The record goes after the rules: whoever finds it can take them down, whatever
    /// happened in between.
    fn detachment(
        &self,
        network: &Network,
        endpoint: Endpoint,
    ) -> Result<Vec<Action<'_>>, NetworkError> {
        let state = self.network(&network.name);
        let sources = state.sources_of(&endpoint.name)?;
        let targets = self.running_targets(network, &endpoint);
        let contribution = policy::contribution(network, &endpoint, &targets, &sources);
        let hosts: Vec<Action<'_>> = sources
            .iter()
            .map(|source| {
                let mut remaining = self.running_targets(network, source);
                remaining.retain(|target| target.container != endpoint.container);
                Action::WriteHosts {
                    owner: source.name.to_string(),
                    path: source.hosts.path.clone(),
                    text: source.hosts_file(&remaining).render(),
                    before: String::new(),
                }
            })
            .collect();
        let removal = self.firewall.removal(network, &contribution);
        let mut actions = Vec::new();
        if !removal.is_empty() {
            actions.push(Action::RemoveRules {
                sentence: format!(
                    "take the rules of what `{}` published and was linked with away",
                    endpoint.name
                ),
                removal,
            });
        }
        actions.push(Action::Unregister(network.clone(), Box::new(endpoint)));
        actions.extend(hosts);
        Ok(actions)
    }
}
