//! `NetworkSettings`: where the container is on its networks now. Of a stopped one what was asked for is left.

use std::collections::BTreeSet;

use minirun_bridge::endpoint::Endpoint;
use minirun_bridge::network::{DEFAULT_NETWORK, Icc};
use minirun_bridge::network_options::GatewayMode;
use minirun_runtime::config::NetworkMode;
use minirun_runtime::details::{ContainerDetails, LinkedPorts, Place};
use serde_json::{Map, Value, json};

use super::super::life::Life;
use super::super::place::{endpoints, network_mode, publications};
use super::membership;

/// What the container has on every network, under the network's name; and once more beside it, where older scripts look,
/// what it has on the default network, or else on its first.
pub(super) fn network_settings(details: &ContainerDetails) -> Value {
    let namespace = Life::of(&details.condition)
        .pid
        .map_or_else(String::new, |pid| format!("/proc/{pid}/ns/net"));
    let is_default = |place: &&Place| place.membership.network.as_str() == DEFAULT_NETWORK;
    let first = details.places.iter().find(is_default);
    let first = membership::Values::of(first.or(details.places.first()));
    json!({
        "Bridge": "",
        "SandboxKey": namespace,
        "Ports": ports(details),
        "EndpointID": first.endpoint_id,
        "Gateway": first.gateway,
        "GlobalIPv6Address": first.ipv6_address,
        "GlobalIPv6PrefixLen": first.ipv6_prefix_length,
        "IPAddress": first.address,
        "IPPrefixLen": first.prefix_length,
        "IPv6Gateway": first.ipv6_gateway,
        "MacAddress": first.mac,
        "Networks": networks(details),
        "LinkedPorts": linked_ports(details),
    })
}

/// One entry for each network. Whoever uses another container's network has none.
fn networks(details: &ContainerDetails) -> Map<String, Value> {
    match details.config.network.mode {
        NetworkMode::Networks => details
            .places
            .iter()
            .map(|place| {
                let name = place.membership.network.to_string();
                (name, membership::entry(place, &details.config))
            })
            .collect(),
        NetworkMode::Container(_) => Map::new(),
        NetworkMode::Host | NetworkMode::None => {
            let word = network_mode(&details.config.network);
            let entry = membership::nominal_entry(&word);
            Map::from_iter([(word, entry)])
        }
    }
}

/// Which ports each link opened, network by network.
fn linked_ports(details: &ContainerDetails) -> Vec<Value> {
    let of_place = |place: &Place| -> Vec<Value> {
        let entries = place
            .linked
            .iter()
            .map(|linked| linked_entry(place, linked));
        entries.collect()
    };
    details.places.iter().flat_map(of_place).collect()
}

/// `Ports` is null where everything is open without a link.
fn linked_entry(place: &Place, linked: &LinkedPorts) -> Value {
    let all_open = place
        .network
        .as_ref()
        .is_some_and(|network| network.icc == Icc::Enabled);
    json!({
        "Network": place.membership.network,
        "Target": linked.link.target,
        "Alias": linked.link.alias,
        "Ports": (!all_open).then_some(&linked.ports),
    })
}

/// Every exposed port with the host addresses and ports that lead to it; null for one that is not published.
fn ports(details: &ContainerDetails) -> Map<String, Value> {
    let exposed: BTreeSet<_> = endpoints(details)
        .flat_map(|endpoint: &Endpoint| &endpoint.exposed)
        .collect();
    let mut ports: Map<String, Value> = exposed
        .into_iter()
        .map(|port| (port.to_string(), Value::Null))
        .collect();
    // On a routed network the container's own ports are open; no port of the host leads there.
    for place in &details.places {
        let routed = place
            .network
            .as_ref()
            .is_some_and(|network| network.gateway_mode == GatewayMode::Routed);
        for port in place
            .endpoint
            .iter()
            .flat_map(|endpoint| &endpoint.published)
        {
            if routed {
                let own = json!([{"HostIp": "", "HostPort": ""}]);
                ports.insert(port.to_string(), own);
            }
        }
    }
    let mut publications = publications(details);
    publications.sort();
    for publication in publications {
        let binding = json!({
            "HostIp": publication.host_address,
            "HostPort": publication.host_port.to_string(),
        });
        match ports.get_mut(&publication.container.to_string()) {
            Some(Value::Array(bindings)) => bindings.push(binding),
            _ => {
                ports.insert(publication.container.to_string(), json!([binding]));
            }
        }
    }
    ports
}
