//! Policy is data: who may open a connection to whom, and which host port leads where.
//!
//! Everything here is a pure function of a network's options and its endpoints. A firewall driver renders the result;
//! it adds nothing and leaves nothing out. Each endpoint contributes its own part, so adding or removing one never
//! touches the others.

use crate::endpoint::Endpoint;
use crate::network::{Icc, Network};
use crate::port::ExposedPort;
use crate::publication::Publication;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// `source` may open connections to `target` on one port; replies are let through by connection tracking only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permit {
    /// The IPv4 address that opens the connection.
    pub source: Ipv4Addr,
    /// The IPv4 address it is opened to.
    pub target: Ipv4Addr,
    /// The port of the target.
    pub port: ExposedPort,
}

/// A port of the host leads to a port of a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Translation {
    /// The address and port of the host, and the container's port.
    pub publication: Publication,
    /// The container's IPv4 address.
    pub target: Ipv4Addr,
}

/// What one endpoint adds to a network's policy, together with the peers it is linked with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contribution {
    /// Connections between endpoints of the network; only used with ICC off.
    pub permits: BTreeSet<Permit>,
    /// Published ports.
    pub translations: BTreeSet<Translation>,
}

impl Contribution {
    /// Whether there is nothing to render.
    pub fn is_empty(&self) -> bool {
        self.permits.is_empty() && self.translations.is_empty()
    }

    /// Adds everything of `other`.
    pub fn extend(&mut self, other: Contribution) {
        self.permits.extend(other.permits);
        self.translations.extend(other.translations);
    }
}

/// What a link from `source` to `target` opens: exactly the exposed ports, one way.
pub fn link_permits(source: &Endpoint, target: &Endpoint) -> BTreeSet<Permit> {
    target
        .exposed
        .iter()
        .map(|port| Permit {
            source: source.address,
            target: target.address,
            port: *port,
        })
        .collect()
}

/// What `endpoint` contributes by itself: its published ports, and with ICC off the way to its own published ports
/// through the host's address.
pub fn own_contribution(network: &Network, endpoint: &Endpoint) -> Contribution {
    let translations = endpoint
        .publications
        .iter()
        .map(|publication| Translation {
            publication: *publication,
            target: endpoint.address,
        })
        .collect();
    let permits = match network.icc {
        Icc::Enabled => BTreeSet::new(),
        Icc::Disabled => endpoint
            .publications
            .iter()
            .map(|publication| Permit {
                source: endpoint.address,
                target: endpoint.address,
                port: publication.container,
            })
            .collect(),
    };
    Contribution {
        permits,
        translations,
    }
}

/// What `endpoint` contributes in all: its own part, the links it has to `targets`, and the links `sources` have to it.
pub fn contribution(
    network: &Network,
    endpoint: &Endpoint,
    targets: &[Endpoint],
    sources: &[Endpoint],
) -> Contribution {
    let mut contribution = own_contribution(network, endpoint);
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
                .all(|permit| permit.source == source.address && permit.target == target.address)
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
                .map(|(source, target)| (endpoints[usize::from(*source)].address, endpoints[usize::from(*target)].address))
                .collect();
            let given: BTreeSet<_> = permits.iter().map(|permit| (permit.source, permit.target)).collect();
            prop_assert_eq!(given, wanted);
        }
    }
}
