//! Worlds in few words, where both families are alike.

use super::super::*;
use crate::egress::Egress;
use crate::endpoint::DefaultRoute;
use crate::gateway::{Candidate, choose_gateway};
use crate::link::Link;
use crate::network::{GatewayMode, Masquerade};
use crate::test_support::{dual_stack, endpoint};

/// What one network of a world is like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) icc: Icc,
    pub(super) masquerade: Masquerade,
    pub(super) gateway_mode: GatewayMode,
    pub(super) reach: Reach,
}

/// What one container of a world is like. It exposes 80/tcp.
#[derive(Debug, Clone, Default)]
pub(super) struct Resident {
    /// The networks it is on, by number.
    pub(super) networks: Vec<usize>,
    /// The containers it is linked to, by number.
    pub(super) links: Vec<usize>,
    /// Whether it publishes its port 80 as 8000 and its number.
    pub(super) publishes: bool,
    /// What it may reach.
    pub(super) egress: Egress,
}

/// The addresses of the host.
pub(super) const HOST: [IpAddr; 2] = [
    IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V6(std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 1)),
];

fn network(number: usize, kind: Kind) -> Network {
    let mut network = dual_stack(kind.icc);
    network.name = format!("net{number}").parse().expect("a name");
    network.bridge = format!("br{number}");
    network.masquerade = kind.masquerade;
    network.gateway_mode = kind.gateway_mode;
    network.reach = kind.reach;
    network.ipv4.subnet = format!("10.0.{number}.0/24").parse().expect("a subnet");
    network.ipv4.gateway = format!("10.0.{number}.1").parse().expect("an address");
    let ipv6 = network.ipv6.as_mut().expect("it has both families");
    ipv6.subnet = format!("fd00:{number}::/64").parse().expect("a subnet");
    ipv6.gateway = format!("fd00:{number}::1").parse().expect("an address");
    network
}

/// Everybody's endpoints, network by network, with the gateways and host ports that the runtime would give them.
pub(super) fn places(kinds: &[Kind], residents: &[Resident]) -> Vec<(Network, Vec<Endpoint>)> {
    let networks: Vec<Network> = (0..)
        .zip(kinds)
        .map(|(n, kind)| network(n, *kind))
        .collect();
    let mut places: Vec<_> = networks.iter().map(|n| (n.clone(), Vec::new())).collect();
    for (number, resident) in residents.iter().enumerate() {
        let candidates = resident.networks.iter().map(|joined| Candidate {
            network: &networks[*joined],
            priority: 0,
        });
        let gateway = choose_gateway(candidates, Family::Ipv4).map(|gateway| &gateway.name);
        for joined in &resident.networks {
            let is_gateway = gateway == Some(&networks[*joined].name);
            places[*joined]
                .1
                .push(place((number, *joined), resident, is_gateway));
        }
    }
    places
}

fn place((number, joined): (usize, usize), resident: &Resident, is_gateway: bool) -> Endpoint {
    let mut place = endpoint(&format!("c{number}"), 0, &["80/tcp"]);
    place.container = container(number);
    place.address = format!("10.0.{joined}.{}", number + 2)
        .parse()
        .expect("an address");
    let ipv6 = format!("fd00:{joined}::{}", number + 2);
    place.ipv6_address = Some(ipv6.parse().expect("an address"));
    place.default_route = DefaultRoute {
        ipv4: is_gateway,
        ipv6: is_gateway,
    };
    place.links = resident.links.iter().map(|target| link(*target)).collect();
    place.egress = resident.egress.clone();
    if resident.publishes {
        place.published.insert(port(80));
    }
    if resident.publishes && is_gateway {
        let publication = |any| format!("{any}:800{number}->80/tcp").parse();
        place.publications = ["0.0.0.0", "[::]"]
            .map(|any| publication(any).expect("a publication"))
            .to_vec();
    }
    place
}

fn container(number: usize) -> ContainerId {
    format!("{number:064x}").parse().expect("an id")
}

fn link(target: usize) -> Link {
    Link {
        target: format!("c{target}").parse().expect("a name"),
        alias: format!("alias{target}").parse().expect("an alias"),
    }
}

fn port(number: u16) -> ExposedPort {
    format!("{number}/tcp").parse().expect("a port")
}

pub(super) fn world(kinds: &[Kind], residents: &[Resident]) -> World {
    World::new(places(kinds, residents), HOST)
}

/// A container's port: on a network, or through the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    At {
        container: usize,
        network: usize,
        port: u16,
    },
    Published {
        container: usize,
    },
}

impl Target {
    pub(super) fn container(self) -> usize {
        match self {
            Target::At { container, .. } | Target::Published { container } => container,
        }
    }

    pub(super) fn question(self, caller: usize, family: Family) -> Question {
        let (address, number) = match (self, family) {
            (Target::Published { container }, Family::Ipv4) => (HOST[0], 8000 + container),
            (Target::Published { container }, Family::Ipv6) => (HOST[1], 8000 + container),
            (
                Target::At {
                    container,
                    network,
                    port,
                },
                Family::Ipv4,
            ) => (
                format!("10.0.{network}.{}", container + 2)
                    .parse()
                    .expect("an address"),
                port.into(),
            ),
            (
                Target::At {
                    container,
                    network,
                    port,
                },
                Family::Ipv6,
            ) => (
                format!("fd00:{network}::{}", container + 2)
                    .parse()
                    .expect("an address"),
                port.into(),
            ),
        };
        Question {
            caller: container(caller),
            address,
            port: port(number.try_into().expect("a port")),
        }
    }
}

pub(super) fn at(container: usize, network: usize) -> Target {
    Target::At {
        container,
        network,
        port: 80,
    }
}

/// The same for both families.
#[track_caller]
pub(super) fn verdict(world: &World, caller: usize, target: Target) -> Verdict {
    let [ipv4, ipv6] = Family::BOTH.map(|family| world.predict(&target.question(caller, family)));
    assert_eq!(ipv4, ipv6, "from {caller} to {target:?}");
    ipv4
}
