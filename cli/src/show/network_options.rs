//! The options of a network under the names that Docker's users look for.

use std::collections::BTreeMap;
use std::net::IpAddr;

use minirun_bridge::network::{DEFAULT_NETWORK, Network};
use minirun_bridge::network_options::{GatewayMode, Names};

/// What precedes the options of the bridge driver.
const BRIDGE: &str = "com.docker.network.bridge";

/// What users typed, and what holds now. Where both have the same name, what holds is shown.
pub(super) fn options(network: &Network) -> BTreeMap<String, String> {
    let mut options = network.options.clone();
    let bridge = |name: &str| format!("{BRIDGE}.{name}");
    let is_default = network.name.as_str() == DEFAULT_NETWORK;
    options.extend([
        (bridge("default_bridge"), is_default.to_string()),
        (bridge("enable_icc"), network.icc.to_string()),
        (
            bridge("enable_ip_masquerade"),
            network.masquerade.to_string(),
        ),
        (bridge("name"), network.bridge.clone()),
        (
            "com.docker.network.driver.mtu".into(),
            network.mtu.to_string(),
        ),
    ]);
    let (binding, address) = match network.publish_address {
        None => ("host_binding_ipv4", "0.0.0.0".into()),
        Some(address @ IpAddr::V4(_)) => ("host_binding_ipv4", address.to_string()),
        Some(address @ IpAddr::V6(_)) => ("host_binding_ipv6", address.to_string()),
    };
    options.insert(bridge(binding), address);
    if network.gateway_mode != GatewayMode::Nat {
        let mode = network.gateway_mode.to_string();
        options.insert(bridge("gateway_mode_ipv4"), mode.clone());
        if network.ipv6.is_some() {
            options.insert(bridge("gateway_mode_ipv6"), mode);
        }
    }
    // As with the mode: what everybody expects is not said.
    let usual = Names::from(!is_default);
    if network.names != usual {
        options.insert("dns".into(), (network.names == Names::Dns).to_string());
    }
    options
}

#[cfg(test)]
mod tests {
    use super::super::fixture::lan;
    use super::*;
    use minirun_bridge::network::Icc;

    #[test]
    fn what_was_typed_is_shown_beside_what_holds() {
        let mut network = lan();
        let typed = [
            ("icc", "false"),
            ("com.docker.network.bridge.enable_icc", "false"),
        ];
        network.options = typed.map(|(key, value)| (key.into(), value.into())).into();
        network.icc = Icc::Enabled;
        network.gateway_mode = GatewayMode::Routed;
        network.publish_address = "::1".parse().ok();
        let options = options(&network);
        for (key, value) in [
            ("icc", "false"),
            ("com.docker.network.bridge.default_bridge", "false"),
            ("com.docker.network.bridge.enable_icc", "true"),
            ("com.docker.network.bridge.gateway_mode_ipv4", "routed"),
            ("com.docker.network.bridge.gateway_mode_ipv6", "routed"),
            ("com.docker.network.bridge.host_binding_ipv6", "::1"),
            ("com.docker.network.bridge.name", "mr-lan"),
        ] {
            assert_eq!(options.get(key).map(String::as_str), Some(value), "{key}");
        }
    }
}
