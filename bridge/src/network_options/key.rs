//! The keys of network options, Docker's and ours.

use super::OptionProblem;

/// What an option is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    BridgeName,
    Icc,
    Masquerade,
    PublishAddress,
    Mtu,
    GatewayMode,
    Names,
    Ipv6,
}

/// Every spelling of every key, the recommended one first.
const KEYS: [(&str, Key); 21] = [
    ("bridge_name", Key::BridgeName),
    ("com.docker.network.bridge.name", Key::BridgeName),
    ("icc", Key::Icc),
    ("enable_icc", Key::Icc),
    ("com.docker.network.bridge.enable_icc", Key::Icc),
    ("masquerade", Key::Masquerade),
    ("enable_ip_masquerade", Key::Masquerade),
    (
        "com.docker.network.bridge.enable_ip_masquerade",
        Key::Masquerade,
    ),
    ("host_binding", Key::PublishAddress),
    ("host_binding_ipv4", Key::PublishAddress),
    (
        "com.docker.network.bridge.host_binding_ipv4",
        Key::PublishAddress,
    ),
    ("mtu", Key::Mtu),
    ("com.docker.network.driver.mtu", Key::Mtu),
    ("gateway_mode", Key::GatewayMode),
    ("gateway_mode_ipv4", Key::GatewayMode),
    ("gateway_mode_ipv6", Key::GatewayMode),
    (
        "com.docker.network.bridge.gateway_mode_ipv4",
        Key::GatewayMode,
    ),
    (
        "com.docker.network.bridge.gateway_mode_ipv6",
        Key::GatewayMode,
    ),
    ("dns", Key::Names),
    ("ipv6", Key::Ipv6),
    ("com.docker.network.enable_ipv6", Key::Ipv6),
];

/// Finds what a key is about, in whichever spelling.
pub(super) fn find_key(text: &str) -> Result<Key, OptionProblem> {
    KEYS.iter()
        .find(|(spelling, _)| *spelling == text)
        .map(|(_, key)| *key)
        .ok_or_else(|| OptionProblem::UnknownKey(text.to_owned()))
}

/// The recommended spelling of every key, for an error message.
pub(super) fn known_keys() -> String {
    let mut seen = Vec::new();
    let mut words = Vec::new();
    for (spelling, key) in KEYS {
        if !seen.contains(&key) {
            seen.push(key);
            words.push(format!("`{spelling}`"));
        }
    }
    words.join(", ")
}
