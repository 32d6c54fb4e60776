//! Detaching a container: everything that [`crate::attach`] made goes, whatever of it is still there.
//!
//! The veth pair needs no step: it goes with the container's network namespace, asynchronously and at no cost to anyone.
//! A namespace may be held by others for longer; the record of who had an address last says whose interface has to be set
//! down when the address is used again ([`crate::attach`]).

use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::id::ContainerId;
use crate::lazy_netlink::LazyNetlink;
use crate::name::NetworkName;
use crate::network::Network;
use crate::plan::Step;
use crate::policy;
use crate::publication::Publication;
use crate::reload::{self, KnownRules};
use crate::state::NetworkHost;
use crate::step::{Action, Context, NetworkStep};
use minirun_netns::{Explain, Explanation, Narrator, Silent};
use std::net::Ipv4Addr;

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
        let netlink = LazyNetlink::default();
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

    /// Gives up the address that is kept for a container which does not run. If it is not known which one that is, because
    /// a start was interrupted, it is searched for.
    ///
    /// # Errors
    /// When the state cannot be written to.
    pub fn forget(
        &self,
        name: &NetworkName,
        container: &ContainerId,
        address: Option<Ipv4Addr>,
    ) -> Result<(), NetworkError> {
        let _lock = self.network(name).lock()?;
        let Some(network) = self.load(name)? else {
            return Ok(());
        };
        let leases = self.leases(&network)?;
        let addresses = match address {
            Some(address) => vec![address],
            None => leases
                .holders()?
                .into_iter()
                .filter(|(_, holder)| holder == container)
                .map(|(address, _)| address)
                .collect(),
        };
        for address in addresses {
            leases.release(address, container)?;
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
            // Whoever was here before may have been killed between record and rules.
            return match self.known_rules() {
                KnownRules::Match => Ok(()),
                KnownRules::Unknown => reload::reload(self),
            };
        };
        let netlink = LazyNetlink::default();
        let context = Context {
            host: self,
            netlink: &netlink,
        };
        let actions = self.detachment(network, endpoint)?;
        let removes_rules = actions
            .iter()
            .any(|action| matches!(action, Action::RemoveRules { .. }));
        let mut known = if removes_rules {
            self.begin_rules_change()
        } else {
            self.known_rules()
        };
        let mut outcome = Ok(());
        for action in actions {
            let step = NetworkStep { context, action };
            match step.apply() {
                Ok(()) => narrator.tell(&step),
                Err(NetworkError::Firewall(_)) => known = KnownRules::Unknown,
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        let settled = match known {
            KnownRules::Match if removes_rules => self.rules_match(),
            KnownRules::Match => Ok(()),
            // The record is gone now, so what is made from the records is what should be.
            KnownRules::Unknown => reload::reload(self),
        };
        outcome.and(settled)
    }

    /// What it takes to detach an endpoint. The record goes last: whoever finds it can take the rest down, whatever
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
        let mut actions = hosts;
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
        Ok(actions)
    }
}
