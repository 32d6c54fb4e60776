//! The document of `network inspect`.

use jiff::Timestamp;
use minirun_bridge::addressing::Addressing;
use minirun_bridge::endpoint::Endpoint;
use minirun_bridge::network::{DEFAULT_NETWORK, Network};
use minirun_bridge::network_options::Reach;
use minirun_runtime::details::NetworkDetails;
use minirun_runtime::networking::nominal_network_id;
use serde_json::{Map, Value, json};

use super::moment::rfc3339;
use super::network_options::options;

/// The networks that are there without being made, each with its driver as Docker calls it.
pub(super) const BUILT_IN: [(&str, &str); 3] = [
    (DEFAULT_NETWORK, "bridge"),
    ("host", "host"),
    ("none", "null"),
];

/// The document of one network, with Docker's keys. `Containers` holds those that run.
pub fn inspect(details: &NetworkDetails) -> Value {
    let network = &details.network;
    let containers: Map<String, Value> = details
        .endpoints
        .iter()
        .map(|endpoint| (endpoint.container.to_string(), container(endpoint, network)))
        .collect();
    let addressings = [Some(&network.ipv4), network.ipv6.as_ref()]
        .into_iter()
        .flatten();
    json!({
        "Name": network.name,
        "Id": network.id,
        "Created": rfc3339(created(network)),
        "Scope": "local",
        "Driver": "bridge",
        "EnableIPv4": true,
        "EnableIPv6": network.ipv6.is_some(),
        "IPAM": {
            "Driver": "default",
            "Options": null,
            "Config": addressings.map(addresses).collect::<Vec<_>>(),
        },
        "Internal": network.reach == Reach::Internal,
        "Attachable": false,
        "Ingress": false,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": false,
        "Containers": containers,
        "Options": options(network),
        "Labels": network.labels,
    })
}

/// The document of `host` or `none`, which have no addresses.
pub fn inspect_built_in(name: &str) -> Value {
    let driver = BUILT_IN
        .iter()
        .find(|(built_in, _)| *built_in == name)
        .map_or("null", |(_, driver)| *driver);
    json!({
        "Name": name,
        "Id": nominal_network_id(name),
        "Scope": "local",
        "Driver": driver,
        "EnableIPv4": false,
        "EnableIPv6": false,
        "IPAM": { "Driver": "default", "Options": null, "Config": null },
        "Internal": false,
        "Attachable": false,
        "Ingress": false,
        "ConfigFrom": { "Network": "" },
        "ConfigOnly": false,
        "Containers": {},
        "Options": {},
        "Labels": {},
    })
}

fn container(endpoint: &Endpoint, network: &Network) -> Value {
    let ipv6 = match (&network.ipv6, endpoint.ipv6_address) {
        (Some(addressing), Some(address)) => {
            format!("{address}/{}", addressing.subnet.prefix_len())
        }
        _ => String::new(),
    };
    json!({
        "Name": endpoint.name,
        "EndpointID": endpoint.id,
        "MacAddress": endpoint.mac,
        "IPv4Address": format!("{}/{}", endpoint.address, network.ipv4.subnet.prefix_len()),
        "IPv6Address": ipv6,
    })
}

/// One family's addresses; as with Docker, what was not asked for is left out.
fn addresses(addressing: &Addressing) -> Value {
    let mut config = Map::new();
    config.insert("Subnet".into(), json!(addressing.subnet));
    if let Some(range) = addressing.range {
        config.insert("IPRange".into(), json!(range));
    }
    config.insert("Gateway".into(), json!(addressing.gateway));
    if !addressing.auxiliary.is_empty() {
        config.insert("AuxiliaryAddresses".into(), json!(addressing.auxiliary));
    }
    Value::Object(config)
}

/// When a network was made; none for a moment that no calendar has.
pub fn created(network: &Network) -> Option<Timestamp> {
    let seconds = i64::try_from(network.created_seconds).ok()?;
    Timestamp::from_second(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{addressing, lan, network, running};
    use super::super::place::endpoints;
    use super::*;

    #[test]
    fn a_network_is_inspected_as_docker_shows_it() {
        let details = NetworkDetails {
            network: network(),
            endpoints: endpoints(&running("web2")).cloned().collect(),
        };
        let expected = json!({
            "Name": "bridge",
            "Id": "b".repeat(64),
            "Created": "2026-11-21T09:00:00Z",
            "Scope": "local",
            "Driver": "bridge",
            "EnableIPv4": true,
            "EnableIPv6": false,
            "IPAM": {
                "Driver": "default",
                "Options": null,
                "Config": [{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}]
            },
            "Internal": false,
            "Attachable": false,
            "Ingress": false,
            "ConfigFrom": {"Network": ""},
            "ConfigOnly": false,
            "Containers": {
                "2".repeat(64): {
                    "Name": "web2",
                    "EndpointID": "e".repeat(64),
                    "MacAddress": "02:42:ac:11:00:03",
                    "IPv4Address": "172.17.0.3/16",
                    "IPv6Address": ""
                }
            },
            "Options": {
                "com.docker.network.bridge.default_bridge": "true",
                "com.docker.network.bridge.enable_icc": "false",
                "com.docker.network.bridge.enable_ip_masquerade": "true",
                "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
                "com.docker.network.bridge.name": "minirun0",
                "com.docker.network.driver.mtu": "1500"
            },
            "Labels": {}
        });
        assert_eq!(inspect(&details), expected);
    }

    #[test]
    fn a_network_without_containers_shows_an_empty_object() {
        let details = NetworkDetails {
            network: network(),
            endpoints: Vec::new(),
        };
        assert_eq!(inspect(&details)["Containers"], json!({}));
    }

    #[test]
    fn a_dual_stack_network_shows_both_families() {
        let mut network = lan();
        network.reach = Reach::Internal;
        network.ipv4 = Addressing {
            range: "10.5.0.128/25".parse().ok(),
            auxiliary: [("router".to_owned(), "10.5.0.9".parse().unwrap())].into(),
            ..addressing("10.5.0.0/24", "10.5.0.1")
        };
        let mut endpoints: Vec<Endpoint> = endpoints(&running("web2")).cloned().collect();
        endpoints[0].ipv6_address = "fd00:5::3".parse().ok();
        let document = inspect(&NetworkDetails { network, endpoints });
        assert_eq!(document["EnableIPv6"], true);
        assert_eq!(document["Internal"], true);
        assert_eq!(
            document["IPAM"]["Config"],
            json!([
                {
                    "Subnet": "10.5.0.0/24", "IPRange": "10.5.0.128/25", "Gateway": "10.5.0.1",
                    "AuxiliaryAddresses": {"router": "10.5.0.9"}
                },
                {"Subnet": "fd00:5::/64", "Gateway": "fd00:5::1"}
            ])
        );
        assert_eq!(
            document["Containers"]["2".repeat(64)]["IPv6Address"],
            "fd00:5::3/64"
        );
    }
}
