//! What the state directory says about names: looked up at each question, so that nothing has to be told to anybody.

use super::names::{Names, Pointer};
use crate::endpoint::Endpoint;
use crate::id::ContainerId;
use crate::network::{Family, Names as Naming, Network};
use crate::state::NetworkHost;
use std::net::IpAddr;

/// The names that one container knows: its links' aliases on every network it is on, and everybody's names on those with DNS.
#[derive(Debug, Clone)]
pub struct StateNames {
    host: NetworkHost,
    container: ContainerId,
}

impl StateNames {
    /// The names that `container` knows.
    pub fn new(host: NetworkHost, container: ContainerId) -> StateNames {
        StateNames { host, container }
    }

    /// The networks that the container is on now. A record that cannot be read is that of somebody who is just leaving.
    fn networks(&self) -> Vec<Network> {
        let names = self.host.networks_of(&self.container).unwrap_or_default();
        names
            .iter()
            .filter_map(|name| self.host.load(name).ok().flatten())
            .collect()
    }

    /// Whom the container calls by a name because it is linked: none if no link is called so, nobody if its target does not
    /// run.
    fn linked(&self, network: &Network, name: &str) -> Option<Vec<Endpoint>> {
        let state = self.host.network(&network.name);
        let own = state.find(&self.container).ok().flatten()?;
        let alone = without_network(name, network);
        let link = own.links.iter().find(|link| {
            let alias = link.alias.as_str();
            [Some(name), alone]
                .into_iter()
                .flatten()
                .any(|name| alias.eq_ignore_ascii_case(name))
        })?;
        Some(
            state
                .find_by_name(&link.target)
                .ok()
                .flatten()
                .into_iter()
                .collect(),
        )
    }

    /// Everybody on a network who bears a name, alone or with the network's name behind it.
    fn named(&self, network: &Network, name: &str) -> Vec<Endpoint> {
        let state = self.host.network(&network.name);
        let mut found = state.find_by_dns_name(name).unwrap_or_default();
        if let Some(alone) = without_network(name, network) {
            found.extend(state.find_by_dns_name(alone).unwrap_or_default());
        }
        found
    }
}

/// A name without the network's, if that stands behind it: `web` of `web.front`.
fn without_network<'a>(name: &'a str, network: &Network) -> Option<&'a str> {
    let network = network.name.as_str().to_ascii_lowercase();
    name.strip_suffix(&network)
        .and_then(|name| name.strip_suffix('.'))
}

impl Names for StateNames {
    fn addresses(&self, name: &str) -> Option<Vec<IpAddr>> {
        let mut addresses: Option<Vec<IpAddr>> = None;
        for network in self.networks() {
            let mut found = self.linked(&network, name);
            if network.names == Naming::Dns {
                let named = self.named(&network, name);
                if !named.is_empty() {
                    found.get_or_insert_default().extend(named);
                }
            }
            if let Some(found) = found {
                let known = addresses.get_or_insert_default();
                known.extend(found.iter().flat_map(Endpoint::addresses));
            }
        }
        if let Some(addresses) = &mut addresses {
            addresses.sort();
            addresses.dedup();
        }
        addresses
    }

    fn pointer(&self, address: IpAddr) -> Pointer {
        let family = Family::of(address);
        for network in self.networks() {
            let inside = network
                .addressing(family)
                .is_some_and(|addressing| addressing.contains(address));
            if !inside || network.names != Naming::Dns {
                continue;
            }
            let owner = self.host.leases(&network, family).ok();
            let owner = owner.and_then(|leases| leases.owner(address).ok().flatten());
            let endpoint = owner.and_then(|owner| {
                let state = self.host.network(&network.name);
                state.find(&owner).ok().flatten()
            });
            if let Some(endpoint) = endpoint {
                return Pointer::Known(format!("{}.{}", endpoint.name, network.name));
            }
        }
        Pointer::Unknown
    }
}
