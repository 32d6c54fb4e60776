//! `NetworkSettings`: where the container is on its network now. Of a stopped one only the network's name is left.

use minirun_bridge::endpoint::Endpoint;
use minirun_runtime::config::NetworkMode;
use minirun_runtime::details::ContainerDetails;
use serde_json::{Map, Value, json};

use super::super::life::Life;
use super::super::network::nominal_id;

/// The settings of the container's one network, twice: in `Networks` under its name, and beside it, where older scripts
/// look for them.
pub(super) fn network_settings(details: &ContainerDetails) -> Value {
    let place = Place::of(details);
    let namespace = Life::of(&details.state)
        .pid
        .map_or_else(String::new, |pid| format!("/proc/{pid}/ns/net"));
    json!({
        "Bridge": "",
        "SandboxKey": namespace,
        "Ports": details.endpoint.as_ref().map_or_else(Map::new, ports),
        "EndpointID": place.endpoint_id,
        "Gateway": place.gateway,
        "IPAddress": place.address,
        "IPPrefixLen": place.prefix_length,
        "MacAddress": place.mac,
        "Networks": {details.config.network.mode.to_string(): network(details, &place)},
    })
}

/// Where a container is; empty unless it runs.
#[derive(Default)]
struct Place {
    endpoint_id: String,
    gateway: String,
    address: String,
    prefix_length: u8,
    mac: String,
}

impl Place {
    fn of(details: &ContainerDetails) -> Self {
        match (&details.endpoint, &details.network) {
            (Some(endpoint), Some(network)) => Self {
                endpoint_id: endpoint.id.to_string(),
                gateway: network.gateway.to_string(),
                address: endpoint.address.to_string(),
                prefix_length: network.subnet.prefix_len(),
                mac: endpoint.mac.to_string(),
            },
            _ => Self::default(),
        }
    }
}

fn network(details: &ContainerDetails, place: &Place) -> Value {
    let config = &details.config.network;
    json!({
        "IPAMConfig": config.static_address.map(|address| json!({"IPv4Address": address})),
        "Links": null,
        "Aliases": null,
        "MacAddress": place.mac,
        "DriverOpts": null,
        "NetworkID": network_id(details),
        "EndpointID": place.endpoint_id,
        "Gateway": place.gateway,
        "IPAddress": place.address,
        "IPPrefixLen": place.prefix_length,
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "DNSNames": null,
    })
}

/// The identifier of the network; empty for a bridge that is yet to be made.
fn network_id(details: &ContainerDetails) -> String {
    match (details.config.network.mode, &details.network) {
        (NetworkMode::Bridge, Some(network)) => network.id.to_string(),
        (NetworkMode::Bridge, None) => String::new(),
        (mode, _) => nominal_id(&mode.to_string()),
    }
}

/// Every exposed port with the host addresses and ports that lead to it; null for one that is not published.
fn ports(endpoint: &Endpoint) -> Map<String, Value> {
    let mut ports: Map<String, Value> = endpoint
        .exposed
        .iter()
        .map(|port| (port.to_string(), Value::Null))
        .collect();
    let mut publications = endpoint.publications.clone();
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
