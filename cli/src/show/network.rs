//! Networks: the document of `network inspect` and the listing of `network ls`.

use jiff::Timestamp;
use minirun_bridge::endpoint::Endpoint;
use minirun_bridge::network::{DEFAULT_NETWORK, Network};
use minirun_runtime::details::NetworkDetails;
use serde_json::{Map, Value, json};

use super::list::{ListFormat, Row, Truncation, labels, render};
use super::moment::{listed, rfc3339};

/// The networks that are there without being made, each with its driver as Docker calls it.
const BUILT_IN: [(&str, &str); 3] = [
    (DEFAULT_NETWORK, "bridge"),
    ("host", "host"),
    ("none", "null"),
];

/// How many hexadecimal digits an identifier has.
const ID_DIGITS: usize = 64;

/// How many of them a listing shows.
const SHORT_ID_DIGITS: usize = 12;

/// The document of one network, with Docker's keys. `Containers` holds those that run.
pub fn inspect(details: &NetworkDetails) -> Value {
    let network = &details.network;
    let containers: Map<String, Value> = details
        .endpoints
        .iter()
        .map(|endpoint| (endpoint.container.to_string(), container(endpoint, network)))
        .collect();
    json!({
        "Name": network.name,
        "Id": network.id,
        "Created": rfc3339(created(network)),
        "Scope": "local",
        "Driver": "bridge",
        "EnableIPv4": true,
        "EnableIPv6": false,
        "IPAM": {
            "Driver": "default",
            "Options": null,
            "Config": [{"Subnet": network.subnet, "Gateway": network.gateway}],
        },
        "Internal": false,
        "Attachable": false,
        "Ingress": false,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": false,
        "Containers": containers,
        "Options": options(network),
        "Labels": network.labels,
    })
}

/// Lists networks by name. `bridge`, `host` and `none` are always there, whether they have a record or not.
pub fn list(networks: &[Network], format: ListFormat, truncation: Truncation) -> String {
    let mut rows: Vec<NetworkRow> = networks
        .iter()
        .map(|network| NetworkRow::of(network, truncation))
        .collect();
    for (name, driver) in BUILT_IN {
        if !rows.iter().any(|row| row.name == name) {
            rows.push(NetworkRow::built_in(name, driver, truncation));
        }
    }
    rows.sort_by(|one, other| one.name.cmp(&other.name));
    render(&rows, format)
}

/// The document of `host` or `none`, which have no addresses.
pub fn inspect_built_in(name: &str) -> Value {
    let driver = BUILT_IN
        .iter()
        .find(|(built_in, _)| *built_in == name)
        .map_or("null", |(_, driver)| *driver);
    json!({
        "Name": name,
        "Id": nominal_id(name),
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

/// The identifier of a network without a record: its name in hexadecimal, so that it is the same on every host.
pub(super) fn nominal_id(name: &str) -> String {
    let digits: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("{digits:0<ID_DIGITS$}")
}

fn container(endpoint: &Endpoint, network: &Network) -> Value {
    json!({
        "Name": endpoint.name,
        "EndpointID": endpoint.id,
        "MacAddress": endpoint.mac,
        "IPv4Address": format!("{}/{}", endpoint.address, network.subnet.prefix_len()),
        "IPv6Address": "",
    })
}

/// The options under the names that Docker's users look for, all of them text.
fn options(network: &Network) -> Value {
    let is_default = network.name.as_str() == DEFAULT_NETWORK;
    json!({
        "com.docker.network.bridge.default_bridge": is_default.to_string(),
        "com.docker.network.bridge.enable_icc": network.icc.to_string(),
        "com.docker.network.bridge.enable_ip_masquerade": network.masquerade.to_string(),
        "com.docker.network.bridge.host_binding_ipv4": network.publish_address,
        "com.docker.network.bridge.name": network.bridge,
        "com.docker.network.driver.mtu": network.mtu.to_string(),
    })
}

/// When the network was made; none for a moment that no calendar has.
fn created(network: &Network) -> Option<Timestamp> {
    let seconds = i64::try_from(network.created_seconds).ok()?;
    Timestamp::from_second(seconds).ok()
}

/// What `network ls` says of one network.
struct NetworkRow {
    id: String,
    name: String,
    driver: &'static str,
    created: Option<Timestamp>,
    labels: String,
}

impl NetworkRow {
    fn of(network: &Network, truncation: Truncation) -> Self {
        Self {
            id: shown_id(network.id.to_string(), truncation),
            name: network.name.to_string(),
            driver: "bridge",
            created: created(network),
            labels: labels(&network.labels),
        }
    }

    fn built_in(name: &str, driver: &'static str, truncation: Truncation) -> Self {
        Self {
            id: shown_id(nominal_id(name), truncation),
            name: name.to_owned(),
            driver,
            created: None,
            labels: String::new(),
        }
    }
}

fn shown_id(mut id: String, truncation: Truncation) -> String {
    if truncation == Truncation::Short {
        id.truncate(SHORT_ID_DIGITS);
    }
    id
}

impl Row for NetworkRow {
    const HEADINGS: &'static [&'static str] = &["NETWORK ID", "NAME", "DRIVER", "SCOPE"];

    fn cells(&self) -> Vec<String> {
        let words: [&str; 4] = [&self.id, &self.name, self.driver, "local"];
        words.map(str::to_owned).to_vec()
    }

    fn identifier(&self) -> &str {
        &self.id
    }

    fn json(&self) -> Value {
        json!({
            "CreatedAt": self.created.map_or_else(|| rfc3339(None), listed),
            "Driver": self.driver,
            "ID": self.id,
            "IPv4": "true",
            "IPv6": "false",
            "Internal": "false",
            "Labels": self.labels,
            "Name": self.name,
            "Scope": "local",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{network, running};
    use super::*;

    fn shown(networks: &[Network], format: ListFormat, truncation: Truncation) -> String {
        list(networks, format, truncation)
    }

    #[test]
    fn a_network_is_inspected_as_docker_shows_it() {
        let details = NetworkDetails {
            network: network(),
            endpoints: running("web2").endpoint.into_iter().collect(),
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
    fn the_three_built_in_networks_are_always_listed() {
        assert_eq!(
            shown(&[network()], ListFormat::Table, Truncation::Short),
            "\
NETWORK ID     NAME      DRIVER    SCOPE
bbbbbbbbbbbb   bridge    bridge    local
686f73740000   host      host      local
6e6f6e650000   none      null      local
"
        );
        assert_eq!(
            shown(&[], ListFormat::Quiet, Truncation::Short),
            "627269646765\n686f73740000\n6e6f6e650000\n"
        );
    }

    #[test]
    fn json_rows_have_dockers_keys() {
        let text = shown(&[network()], ListFormat::Json, Truncation::Full);
        let id = "b".repeat(64);
        assert_eq!(
            text.lines().next().unwrap(),
            format!(
                "{{\"CreatedAt\":\"2026-11-21 09:00:00 +0000 UTC\",\"Driver\":\"bridge\",\"ID\":\"{id}\",\"IPv4\":\"true\",\
                 \"IPv6\":\"false\",\"Internal\":\"false\",\"Labels\":\"\",\"Name\":\"bridge\",\"Scope\":\"local\"}}"
            )
        );
    }
}
