//! `minirun info`.

use minirun_bridge::network::Icc;
use minirun_runtime::facts::Facts;

/// The facts, one a line.
pub fn lines(facts: &Facts) -> String {
    let mut lines = vec![
        ("Version", env!("CARGO_PKG_VERSION").to_string()),
        ("Kernel", facts.kernel.clone()),
        (
            "Root directory",
            facts.directories.root.display().to_string(),
        ),
        (
            "State directory",
            facts.directories.state.display().to_string(),
        ),
        (
            "Configuration file",
            facts.directories.configuration.display().to_string(),
        ),
        ("Running containers", facts.running.to_string()),
        ("Stopped containers", facts.stopped.to_string()),
        ("Images", facts.images.to_string()),
        ("Firewall driver", facts.firewall.to_string()),
        ("IPv4 forwarding", on_or_off(facts.forwarding)),
        (
            "Bridge filtering (br_netfilter)",
            on_or_off(facts.bridge_filtering),
        ),
    ];
    match &facts.network {
        Some(network) => lines.extend([
            (
                "Default bridge",
                format!("{} {}", network.bridge, network.gateway_with_prefix()),
            ),
            ("MTU", network.mtu.to_string()),
            ("Inter-container communication", network.icc.to_string()),
            ("Masquerade", network.masquerade.to_string()),
            ("Publish address", network.publish_address.to_string()),
        ]),
        None => lines.push(("Default bridge", "not made yet".into())),
    }
    lines
        .into_iter()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect()
}

/// What may surprise on this host.
pub fn warnings(facts: &Facts) -> Vec<String> {
    let mut warnings = Vec::new();
    if facts.forwarding == Some(false) {
        warnings.push(
            "IPv4 forwarding is off: containers reach each other only where the bridge switches, and nothing outside; \
             it is switched on with the first container unless `ip_forward = false`"
                .into(),
        );
    }
    let closed = facts
        .network
        .as_ref()
        .is_some_and(|network| network.icc == Icc::Disabled);
    if closed && facts.bridge_filtering == Some(true) {
        warnings.push(
            "br_netfilter is on: with ICC off a container cannot reach its own published port through the host's address"
                .into(),
        );
    }
    warnings
}

fn on_or_off(switch: Option<bool>) -> String {
    match switch {
        Some(true) => "on".into(),
        Some(false) => "off".into(),
        None => "not available".into(),
    }
}
