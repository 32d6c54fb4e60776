//! Small networks and endpoints for unit tests.

use crate::endpoint::{Endpoint, HostsRecord};
use crate::id::ContainerId;
use crate::name::NetworkName;
use crate::network::{Icc, Masquerade, Network};
use minirun_netns::MacAddress;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// The default network, with ICC as given.
pub(crate) fn network(icc: Icc) -> Network {
    Network {
        id: ContainerId::random().expect("randomness"),
        name: NetworkName::default(),
        created_seconds: 0,
        bridge: "minirun0".into(),
        bridge_mac: MacAddress::for_address(Ipv4Addr::new(172, 17, 0, 1)),
        subnet: "172.17.0.0/16".parse().expect("a subnet"),
        gateway: Ipv4Addr::new(172, 17, 0, 1),
        mtu: 1500,
        icc,
        masquerade: Masquerade::Enabled,
        publish_address: Ipv4Addr::UNSPECIFIED,
        labels: BTreeMap::new(),
    }
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
        mac: MacAddress::for_address(address),
        interface: format!("veth{last}"),
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
    }
}
