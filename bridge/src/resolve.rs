//! Resolving what a container wants of a network against what there is: addresses, and the peers it is linked with. The
//! caller holds the network's lock.

use crate::attach::EndpointRequest;
use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::firewall::Transaction;
use crate::id::ContainerId;
use crate::lease::{LeaseError, Leases};
use crate::network::{Family, Network};
use crate::policy::{self, Contribution};
use crate::reload::{KnownRules, RulesLock};
use crate::segment::Segment;
use crate::source_check::{Guard, guard};
use crate::state::NetworkHost;
use minirun_netns::MacAddress;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What the plan is made of.
pub(crate) struct Resolved {
    pub(crate) network: Network,
    pub(crate) endpoint: Endpoint,
    /// The running containers that are linked to this one.
    pub(crate) sources: Vec<Endpoint>,
    /// The interfaces that had the addresses before.
    pub(crate) previous_interfaces: BTreeSet<String>,
    /// What the endpoint adds to the rules; none when there is nothing to add and the rules are known to be in place.
    pub(crate) rules: Option<RulesToChange>,
    /// What keeps it to its addresses, if `rules` do not say so already.
    pub(crate) guard: Option<Guard>,
    /// The right to change that, if it is not that of `rules`.
    pub(crate) guard_lock: Option<RulesLock>,
}

/// Rules that are about to change, and the right to do so.
pub(crate) struct RulesToChange {
    pub(crate) lock: RulesLock,
    pub(crate) known: KnownRules,
    /// The change, and the change back.
    pub(crate) change: (Transaction, Transaction),
}

impl NetworkHost {
    /// Takes what a container needs from what there is.
    pub(crate) fn resolve(
        &self,
        (network, segment): (&Network, Segment),
        request: &EndpointRequest,
    ) -> Result<Resolved, NetworkError> {
        let state = self.network(&network.name);
        let mut targets = Vec::new();
        for link in &request.links {
            targets.extend(state.find_by_name(&link.target)?);
        }
        let sources = state.sources_of(&request.name)?;
        let (address, ipv6_address) = self.lease_addresses(network, request)?;
        let endpoint = Endpoint {
            id: ContainerId::random()?,
            container: request.container,
            name: request.name.clone(),
            hostname: request.hostname.clone(),
            address,
            ipv6_address,
            mac: request
                .mac
                .unwrap_or_else(|| MacAddress::for_address(address)),
            interface_name: request.interface_name.clone(),
            interface: host_interface()?,
            segment,
            aliases: request.aliases.clone(),
            exposed: request.exposed.clone(),
            published: request.published.clone(),
            publications: request.publications.clone(),
            default_route: request.default_route,
            links: request.links.clone(),
            hosts: request.hosts.clone(),
            egress: request.egress.clone(),
        };
        let contribution = policy::contribution(network, &endpoint, &targets, &sources);
        let mut rules = self.rules_to_add(network, &contribution)?;
        let others = self.others_of(&request.container, &network.name)?;
        let guard = guard(&endpoint, &others);
        let included = match &mut rules {
            Some(rules) => self.include_guard(&guard, &mut rules.change),
            None => Included::No,
        };
        let alone = rules.is_none() && self.guards_sources();
        Ok(Resolved {
            network: network.clone(),
            previous_interfaces: endpoint
                .addresses()
                .filter_map(|address| state.previous_interface(address))
                .collect(),
            rules,
            guard: (included == Included::No).then_some(guard),
            guard_lock: alone.then(|| self.lock_rules()).transpose()?,
            endpoint,
            sources,
        })
    }

    fn rules_to_add(
        &self,
        network: &Network,
        contribution: &Contribution,
    ) -> Result<Option<RulesToChange>, NetworkError> {
        let mut addition = self.firewall.addition(network, contribution);
        if addition.is_empty() {
            if self.rules_are_untouched() {
                return Ok(None);
            }
            let network = (network.clone(), contribution.clone());
            addition = self.firewall.requirement(&[network]);
        }
        let lock = self.lock_rules()?;
        Ok(Some(RulesToChange {
            known: self.begin_rules_change(&lock),
            lock,
            change: (addition, self.firewall.removal(network, contribution)),
        }))
    }

    /// Makes a change of rules, and its opposite, one of what keeps a container to its addresses as well, where the driver can do
    /// that.
    fn include_guard(&self, guard: &Guard, change: &mut (Transaction, Transaction)) -> Included {
        let (forth, back) = (&change.0, &change.1);
        let forth = self.firewall.together(forth, guard.addition());
        let back = self.firewall.together(back, guard.removal());
        match forth.zip(back) {
            Some(whole) => {
                *change = whole;
                Included::Yes
            }
            None => Included::No,
        }
    }

    fn lease_addresses(
        &self,
        network: &Network,
        request: &EndpointRequest,
    ) -> Result<(Ipv4Addr, Option<Ipv6Addr>), NetworkError> {
        let wanted = |family| match family {
            Family::Ipv4 => Wanted {
                fixed: request.static_address.map(IpAddr::V4),
                last: request.last_address.map(IpAddr::V4),
            },
            Family::Ipv6 => Wanted {
                fixed: request.static_ipv6_address.map(IpAddr::V6),
                last: request.last_ipv6_address.map(IpAddr::V6),
            },
        };
        if let (None, Some(_)) = (&network.ipv6, request.static_ipv6_address) {
            let network = network.name.clone();
            return Err(NetworkError::NoIpv6 { network });
        }
        let (mut ipv4, mut ipv6) = (None, None);
        for (family, _) in network.families() {
            let leased = self.lease(network, family, (&request.container, wanted(family)));
            match leased {
                Ok(IpAddr::V4(address)) => ipv4 = Some(address),
                Ok(IpAddr::V6(address)) => ipv6 = Some(address),
                Err(error) => {
                    if let Some(address) = ipv4 {
                        self.release_address(network, &request.container, address.into());
                    }
                    return Err(error);
                }
            }
        }
        match ipv4 {
            Some(ipv4) => Ok((ipv4, ipv6)),
            None => Err(NetworkError::UnknownNetwork(network.name.to_string())),
        }
    }

    fn lease(
        &self,
        network: &Network,
        family: Family,
        (container, wanted): (&ContainerId, Wanted),
    ) -> Result<IpAddr, NetworkError> {
        let leases = self.leases(network, family)?;
        let claim = || match wanted.fixed {
            Some(address) => leases.claim_static(address, container),
            None => leases.claim(container, wanted.last),
        };
        match claim() {
            Err(LeaseError::Taken { address, owner }) => {
                // A container that does not run has its address only as long as nobody insists on it.
                if self.holds_lease(network, &owner, address)? {
                    return Err(self.name_address_owner(network, address, &owner));
                }
                leases.release(address, &owner)?;
                Ok(claim()?)
            }
            Err(LeaseError::Exhausted { .. }) => {
                self.reclaim_lease(network, &leases)?;
                claim().map_err(|error| full(network, error))
            }
            outcome => Ok(outcome?),
        }
    }

    /// Frees one address that is kept for a container which does not run, if there is one.
    fn reclaim_lease(&self, network: &Network, leases: &Leases) -> Result<(), NetworkError> {
        for (address, container) in leases.holders()? {
            if !self.holds_lease(network, &container, address)? {
                leases.release(address, &container)?;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether a container runs with this address.
    fn holds_lease(
        &self,
        network: &Network,
        container: &ContainerId,
        address: IpAddr,
    ) -> Result<bool, NetworkError> {
        let endpoint = self.network(&network.name).find(container)?;
        Ok(endpoint.is_some_and(|endpoint| endpoint.addresses().any(|held| held == address)))
    }

    fn name_address_owner(
        &self,
        network: &Network,
        address: IpAddr,
        owner: &ContainerId,
    ) -> NetworkError {
        let owner = match self.network(&network.name).find(owner) {
            Ok(Some(endpoint)) => endpoint.name.to_string(),
            _ => owner.short(),
        };
        NetworkError::AddressTaken { address, owner }
    }

    pub(crate) fn leases(&self, network: &Network, family: Family) -> Result<Leases, NetworkError> {
        let addressing = network
            .addressing(family)
            .ok_or_else(|| NetworkError::NoIpv6 {
                network: network.name.clone(),
            })?;
        let directory = self.network(&network.name).leases(family);
        Ok(Leases::open(directory, addressing))
    }

    pub(crate) fn release_leases(&self, network: &Network, endpoint: &Endpoint) {
        for address in endpoint.addresses() {
            self.release_address(network, &endpoint.container, address);
        }
    }

    fn release_address(&self, network: &Network, container: &ContainerId, address: IpAddr) {
        if let Ok(leases) = self.leases(network, Family::of(address)) {
            // Whoever undoes goes on; an address that stays leased is reclaimed when it is needed.
            let _ = leases.release(address, container);
        }
    }
}

fn full(network: &Network, error: LeaseError) -> NetworkError {
    match error {
        LeaseError::Exhausted { .. } => NetworkError::Full {
            network: network.name.clone(),
            error,
        },
        error => error.into(),
    }
}

/// Whether a change of rules says what keeps a container to its addresses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Included {
    Yes,
    No,
}

/// The address that a container insists on, and the one it had last.
#[derive(Clone, Copy)]
struct Wanted {
    fixed: Option<IpAddr>,
    last: Option<IpAddr>,
}

/// A name for the host end of a veth pair that no other has: an earlier one of the same container may still be there
/// for some milliseconds after its namespace went.
fn host_interface() -> Result<String, NetworkError> {
    let id = ContainerId::random()?.to_string();
    Ok(format!("veth{}", &id[..8]))
}
