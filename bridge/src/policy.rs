//! Policy is data: who may open a connection to whom, and which host port leads where.
//!
//! Everything here is a pure function of a network's options and its endpoints. A firewall driver renders the result;
//! it adds nothing and leaves nothing out. Each endpoint contributes its own part, so adding or removing one never
//! touches the others.

use crate::egress::{Allowance, Allowed, Destination, Egress};
use crate::endpoint::Endpoint;
use crate::network::{Family, GatewayMode, Icc, Masquerade, Network, Reach};
use crate::port::ExposedPort;
use crate::publication::Publication;
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};

/// `source` may open connections to `target` on one port; replies are let through by connection tracking only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permit {
    /// The address that opens the connection.
    pub source: IpAddr,
    /// The address it is opened to, of the same family.
    pub target: IpAddr,
    /// The port of the target.
    pub port: ExposedPort,
}

/// A port of the host leads to a port of a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Translation {
    /// The address and port of the host, and the container's port.
    pub publication: Publication,
    /// The container's address, of the same family.
    pub target: IpAddr,
}

/// A port of a container is open to everybody who knows the way to it (`gateway_mode=routed`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opening {
    /// The container's address.
    pub target: IpAddr,
    /// Its port.
    pub port: ExposedPort,
}

/// What one address of a container may reach beyond its network.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EgressPolicy {
    /// The address.
    pub source: IpAddr,
    /// The address that the container's kernel makes by itself, besides one of IPv6: with it, it speaks to the host.
    pub link_local: Option<Ipv6Addr>,
    /// The host end of the veth pair, by which the container's packets come.
    pub interface: String,
    /// What may be reached.
    pub egress: Egress,
}

impl EgressPolicy {
    /// The family of the address.
    pub fn family(&self) -> Family {
        Family::of(self.source)
    }

    /// All addresses that the container speaks from.
    pub fn sources(&self) -> impl Iterator<Item = IpAddr> {
        let link_local = self.link_local.map(IpAddr::V6);
        [self.source].into_iter().chain(link_local)
    }

    /// What it may not reach, as far as it is of the family of the address.
    pub fn denied(&self) -> impl Iterator<Item = IpNet> {
        let family = self.family();
        let networks = self.egress.denied.networks().into_iter();
        networks.filter(move |network| Family::of(network.addr()) == family)
    }

    /// What alone it may reach, as far as it is of the family of the address; none if it may reach everything that is not denied.
    pub fn only_allowed(&self) -> Option<impl Iterator<Item = &Destination>> {
        let Allowed::Only(allowances) = &self.egress.allowed else {
            return None;
        };
        let family = self.family();
        let destinations = allowances.iter().filter_map(|allowance| match allowance {
            Allowance::To(destination) => Some(destination),
            Allowance::Names => None,
        });
        Some(destinations.filter(move |destination| destination.family() == family))
    }
}

impl Translation {
    /// The port of the container that is open to whoever is translated.
    pub fn way_in(&self) -> Opening {
        Opening {
            target: self.target,
            port: self.publication.container,
        }
    }
}

/// What one endpoint adds to a network's policy, together with the peers it is linked with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contribution {
    /// Connections between endpoints of the network; only used with ICC off.
    pub permits: BTreeSet<Permit>,
    /// Published ports of a network behind the host's address.
    pub translations: BTreeSet<Translation>,
    /// Published ports of a routed network.
    pub openings: BTreeSet<Opening>,
    /// The addresses that may not reach everything.
    pub egress: BTreeSet<EgressPolicy>,
}

impl Contribution {
    /// Whether there is nothing to render.
    pub fn is_empty(&self) -> bool {
        self.permits.is_empty()
            && self.translations.is_empty()
            && self.openings.is_empty()
            && self.egress.is_empty()
    }

    /// Whether connections between two endpoints pass by it: with them go the replies.
    pub fn links_somebody(&self) -> bool {
        self.permits
            .iter()
            .any(|permit| permit.source != permit.target)
    }

    /// Adds everything of `other`.
    pub fn extend(&mut self, other: Contribution) {
        self.permits.extend(other.permits);
        self.translations.extend(other.translations);
        self.openings.extend(other.openings);
        self.egress.extend(other.egress);
    }
}

/// Whether ports of the host lead into a network.
pub fn translates(network: &Network) -> bool {
    network.reach == Reach::External && network.gateway_mode == GatewayMode::Nat
}

/// Whether whoever calls from a network is seen under an address of the host outside its bridge.
pub fn hides_callers(network: &Network) -> bool {
    translates(network) && network.masquerade == Masquerade::Enabled
}

/// Whether packets that come straight to a container's address from outside the network's bridge are dropped whatever is
/// published: nobody out there knows the way to hidden addresses, and to an internal network there is none.
pub fn is_sealed(network: &Network) -> bool {
    network.reach == Reach::Internal || hides_callers(network)
}

/// What a link from `source` to `target` opens: exactly the exposed ports, one way, in each family that both have.
pub fn link_permits(source: &Endpoint, target: &Endpoint) -> BTreeSet<Permit> {
    pairs(source, target)
        .flat_map(|(source, to)| {
            target.exposed.iter().map(move |port| Permit {
                source,
                target: to,
                port: *port,
            })
        })
        .collect()
}

/// The addresses of two endpoints, family by family.
fn pairs<'a>(
    source: &'a Endpoint,
    target: &'a Endpoint,
) -> impl Iterator<Item = (IpAddr, IpAddr)> + 'a {
    source
        .addresses()
        .filter_map(|from| Some((from, target.address_of(Family::of(from))?)))
}

/// What `endpoint` contributes by itself: its published ports, and with ICC off the way to its own published ports
/// through the host's address. An internal network publishes nothing.
pub fn own_contribution(network: &Network, endpoint: &Endpoint) -> Contribution {
    let mut own = Contribution::default();
    if network.reach == Reach::Internal {
        return own;
    }
    if network.gateway_mode == GatewayMode::Routed {
        own.openings = endpoint
            .addresses()
            .flat_map(|target| {
                let ports = endpoint.published.iter();
                ports.map(move |port| Opening {
                    target,
                    port: *port,
                })
            })
            .collect();
        return own;
    }
    for publication in &endpoint.publications {
        let Some(target) = endpoint.address_of(Family::of(publication.host_address)) else {
            continue;
        };
        own.translations.insert(Translation {
            publication: *publication,
            target,
        });
        if network.icc == Icc::Disabled {
            own.permits.insert(Permit {
                source: target,
                target,
                port: publication.container,
            });
        }
    }
    own
}

/// What an endpoint may reach, address by address; nothing if that is everything.
fn egress_policies(endpoint: &Endpoint) -> BTreeSet<EgressPolicy> {
    let restricted = endpoint.addresses().filter(|_| !endpoint.egress.is_open());
    restricted
        .map(|source| EgressPolicy {
            source,
            link_local: source.is_ipv6().then(|| endpoint.mac.link_local()),
            interface: endpoint.interface.clone(),
            egress: endpoint.egress.clone(),
        })
        .collect()
}

/// What `endpoint` contributes in all: its own part, the links it has to `targets`, and the links `sources` have to it.
pub fn contribution(
    network: &Network,
    endpoint: &Endpoint,
    targets: &[Endpoint],
    sources: &[Endpoint],
) -> Contribution {
    let mut contribution = own_contribution(network, endpoint);
    contribution.egress = egress_policies(endpoint);
    if network.icc == Icc::Disabled {
        for target in targets {
            contribution.permits.extend(link_permits(endpoint, target));
        }
        for source in sources {
            contribution.permits.extend(link_permits(source, endpoint));
        }
    }
    contribution
}

/// What all endpoints of a network contribute together: the state that a reload restores.
pub fn whole(network: &Network, endpoints: &[Endpoint]) -> Contribution {
    let mut whole = Contribution::default();
    for endpoint in endpoints {
        let targets: Vec<Endpoint> = endpoint
            .links
            .iter()
            .filter_map(|link| endpoints.iter().find(|other| other.name == link.target))
            .cloned()
            .collect();
        whole.extend(contribution(network, endpoint, &targets, &[]));
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Link;
    use crate::test_support::{endpoint, network};
    use proptest::prelude::*;

    fn linked(mut source: Endpoint, target: &str) -> Endpoint {
        source.links.push(Link {
            target: target.parse().expect("a name"),
            alias: "alias".parse().expect("an alias"),
        });
        source
    }

    #[test]
    fn a_link_opens_exactly_the_exposed_ports_one_way() {
        let target = endpoint("web1", 2, &["80/tcp", "53/udp"]);
        let source = endpoint("web2", 3, &["22/tcp"]);
        let permits = link_permits(&source, &target);
        assert_eq!(permits.len(), 2);
        assert!(
            permits
                .iter()
                .all(|permit| permit.source == IpAddr::from(source.address)
                    && permit.target == IpAddr::from(target.address))
        );
    }

    #[test]
    fn with_icc_on_there_is_nothing_to_permit() {
        let target = endpoint("web1", 2, &["80/tcp"]);
        let source = linked(endpoint("web2", 3, &[]), "web1");
        let open = contribution(&network(Icc::Enabled), &source, &[target], &[]);
        assert!(open.is_empty());
    }

    #[test]
    fn the_whole_is_the_sum_of_the_parts_in_whatever_order_they_came() {
        let closed = network(Icc::Disabled);
        let web1 = endpoint("web1", 2, &["80/tcp"]);
        let web2 = linked(endpoint("web2", 3, &["80/tcp"]), "web1");
        let target_first = contribution(&closed, &web2, std::slice::from_ref(&web1), &[]);
        let source_first = contribution(&closed, &web1, &[], std::slice::from_ref(&web2));
        assert_eq!(target_first, source_first);
        assert_eq!(whole(&closed, &[web1, web2]), target_first);
    }

    proptest! {
        #[test]
        fn nothing_is_permitted_that_no_link_asks_for(pairs in prop::collection::btree_set((0u8..6, 0u8..6), 0..12)) {
            let closed = network(Icc::Disabled);
            let mut endpoints: Vec<Endpoint> = (0..6).map(|n| endpoint(&format!("c{n}"), n + 2, &["80/tcp"])).collect();
            for (source, target) in &pairs {
                let linked_source = linked(endpoints[usize::from(*source)].clone(), &format!("c{target}"));
                endpoints[usize::from(*source)] = linked_source;
            }
            let permits = whole(&closed, &endpoints).permits;
            let wanted: BTreeSet<_> = pairs
                .iter()
                .map(|(source, target)| (IpAddr::from(endpoints[usize::from(*source)].address), IpAddr::from(endpoints[usize::from(*target)].address)))
                .collect();
            let given: BTreeSet<_> = permits.iter().map(|permit| (permit.source, permit.target)).collect();
            prop_assert_eq!(given, wanted);
        }
    }
}
