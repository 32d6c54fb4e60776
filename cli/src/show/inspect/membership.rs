//! One entry of `NetworkSettings.Networks`: what the container is and has on one network.

use minirun_bridge::endpoint::Endpoint;
use minirun_bridge::network::{DEFAULT_NETWORK, Network};
use minirun_bridge::network_options::{Names, Reach};
use minirun_runtime::config::{ContainerConfig, Membership};
use minirun_runtime::details::{DefaultRoute, Place};
use serde_json::{Map, Value, json};

use minirun_runtime::networking::nominal_network_id;

/// What a container has on a network while it runs; empty otherwise, but for a MAC address that was asked for.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) endpoint_id: String,
    pub(super) gateway: String,
    pub(super) address: String,
    pub(super) prefix_length: u8,
    pub(super) ipv6_gateway: String,
    pub(super) ipv6_address: String,
    pub(super) ipv6_prefix_length: u8,
    pub(super) mac: String,
}

impl Values {
    /// The values of a place, if there is one.
    pub(super) fn of(place: Option<&Place>) -> Self {
        let Some(place) = place else {
            return Self::default();
        };
        match (&place.endpoint, &place.network) {
            (Some(endpoint), Some(network)) => Self::of_endpoint(endpoint, network),
            _ => Self {
                mac: place
                    .membership
                    .mac_address
                    .map(|mac| mac.to_string())
                    .unwrap_or_default(),
                ..Self::default()
            },
        }
    }

    /// An internal network has a gateway that leads nowhere, so none is shown, as with Docker.
    fn of_endpoint(endpoint: &Endpoint, network: &Network) -> Self {
        let leads_out = network.reach == Reach::External;
        let ipv4 = Self {
            endpoint_id: endpoint.id.to_string(),
            gateway: shown(leads_out.then_some(network.ipv4.gateway)),
            address: endpoint.address.to_string(),
            prefix_length: network.ipv4.subnet.prefix_len(),
            mac: endpoint.mac.to_string(),
            ..Self::default()
        };
        match (&network.ipv6, endpoint.ipv6_address) {
            (Some(addressing), Some(address)) => Self {
                ipv6_gateway: shown(leads_out.then_some(addressing.gateway)),
                ipv6_address: address.to_string(),
                ipv6_prefix_length: addressing.subnet.prefix_len(),
                ..ipv4
            },
            _ => ipv4,
        }
    }
}

/// The entry of one network. A network that was removed has no id any more.
pub(super) fn entry(place: &Place, container: &ContainerConfig) -> Value {
    let membership = &place.membership;
    let details = Entry {
        values: Values::of(Some(place)),
        network_id: shown(place.network.as_ref().map(|network| network.id)),
        default_route: place.default_route,
        addresses: asked_addresses(membership),
        links: links(place),
        aliases: list(membership.aliases.iter().map(ToString::to_string)),
        dns_names: dns_names(place, container),
        gateway_priority: membership.gateway_priority,
    };
    details.json()
}

/// The entry of `host` or `none`, which has an id and nothing else.
pub(super) fn nominal_entry(word: &str) -> Value {
    let nothing = Entry {
        network_id: nominal_network_id(word),
        ..Entry::default()
    };
    nothing.json()
}

#[derive(Debug, Default)]
struct Entry {
    values: Values,
    network_id: String,
    default_route: DefaultRoute,
    addresses: Option<Value>,
    links: Option<Vec<String>>,
    aliases: Option<Vec<String>>,
    dns_names: Option<Vec<String>>,
    gateway_priority: i32,
}

impl Entry {
    fn json(self) -> Value {
        let values = self.values;
        json!({
            "IPAMConfig": self.addresses,
            "Links": self.links,
            "Aliases": self.aliases,
            "MacAddress": values.mac,
            "DriverOpts": null,
            "GwPriority": self.gateway_priority,
            "NetworkID": self.network_id,
            "EndpointID": values.endpoint_id,
            "Gateway": values.gateway,
            "IPAddress": values.address,
            "IPPrefixLen": values.prefix_length,
            "IPv6Gateway": values.ipv6_gateway,
            "GlobalIPv6Address": values.ipv6_address,
            "GlobalIPv6PrefixLen": values.ipv6_prefix_length,
            "DNSNames": self.dns_names,
            "DefaultRoute": {
                "IPv4": self.default_route.ipv4,
                "IPv6": self.default_route.ipv6,
            },
        })
    }
}

/// The addresses that were asked for; null if none was.
fn asked_addresses(membership: &Membership) -> Option<Value> {
    let asked = [
        ("IPv4Address", membership.address.map(|one| one.to_string())),
        (
            "IPv6Address",
            membership.ipv6_address.map(|one| one.to_string()),
        ),
    ];
    let asked: Map<String, Value> = asked
        .into_iter()
        .filter_map(|(key, address)| Some((key.to_owned(), address?.into())))
        .collect();
    (!asked.is_empty()).then_some(Value::Object(asked))
}

/// As with Docker, links on the default network stand in `HostConfig` alone.
fn links(place: &Place) -> Option<Vec<String>> {
    match place.membership.network.as_str() {
        DEFAULT_NETWORK => None,
        _ => list(place.linked.iter().map(|linked| linked.link.to_string())),
    }
}

/// The names under which others on the network find the container; null where nobody answers for names.
fn dns_names(place: &Place, container: &ContainerConfig) -> Option<Vec<String>> {
    if place.network.as_ref()?.names != Names::Dns {
        return None;
    }
    let mut all = vec![container.name.to_string()];
    all.extend(place.membership.aliases.iter().map(ToString::to_string));
    all.extend([container.id.short(), container.hostname.to_string()]);
    let mut names: Vec<String> = Vec::new();
    for name in all {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Some(names)
}

/// Docker shows an absent list as null.
fn list(values: impl Iterator<Item = String>) -> Option<Vec<String>> {
    let values: Vec<String> = values.collect();
    (!values.is_empty()).then_some(values)
}

/// Docker shows an absent text as an empty one.
fn shown(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
