//! Small networks and endpoints for unit tests.

use crate::addressing::Addressing;
use crate::endpoint::{DefaultRoute, Endpoint, HostsRecord};
use crate::id::ContainerId;
use crate::name::NetworkName;
use crate::network::{GatewayMode, Icc, Masquerade, Names, Network, Ownership, Reach};
use crate::segment::Segment;
use minirun_netns::MacAddress;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// The default network, with ICC as given.
pub(crate) fn network(icc: Icc) -> Network {
    Network {
        id: ContainerId::random().expect("randomness"),
        name: NetworkName::default(),
        created_seconds: 0,
        bridge: "minirun0".into(),
        segments: 0,
        bridge_mac: MacAddress::for_address(Ipv4Addr::new(172, 17, 0, 1)),
        ownership: Ownership::Own,
        ipv4: addressing("172.17.0.0/16", "172.17.0.1"),
        ipv6: None,
        mtu: 1500,
        icc,
        masquerade: Masquerade::Enabled,
        gateway_mode: GatewayMode::Nat,
        reach: Reach::External,
        names: Names::HostsFile,
        publish_address: None,
        labels: BTreeMap::new(),
        options: BTreeMap::new(),
    }
}

/// A network with both families.
pub(crate) fn dual_stack(icc: Icc) -> Network {
    Network {
        ipv6: Some(addressing("fd00:17::/64", "fd00:17::1")),
        ..network(icc)
    }
}

fn addressing(subnet: &str, gateway: &str) -> Addressing {
    Addressing::new(
        subnet.parse().expect("a subnet"),
        gateway.parse().expect("an address"),
    )
}

/// An endpoint at 172.17.0.`last` that exposes some ports.
pub(crate) fn endpoint(name: &str, last: u8, exposed: &[&str]) -> Endpoint {
    let address = Ipv4Addr::new(172, 17, 0, last);
    let container = ContainerId::random().expect("randomness");
    Endpoint {
        id: ContainerId::random().expect("randomness"),
        container,
        name: name.parse().expect("a name"),
        hostname: name.parse().expect("a host name"),
        address,
        ipv6_address: None,
        mac: MacAddress::for_address(address),
        interface_name: "eth0".into(),
        interface: format!("veth{last}"),
        segment: Segment::MAIN,
        aliases: Vec::new(),
        published: BTreeSet::new(),
        default_route: DefaultRoute::default(),
        exposed: exposed
            .iter()
            .map(|port| port.parse().expect("a port"))
            .collect(),
        publications: Vec::new(),
        links: Vec::new(),
        hosts: HostsRecord {
            path: format!("/tmp/{name}/hosts").into(),
            extra: Vec::new(),
        },
        egress: Default::default(),
    }
}
