//! `minirun info`.

use minirun_bridge::firewall::foreign::{ForeignChain, Standing};
use minirun_bridge::network::{DEFAULT_BRIDGE, Icc, Masquerade, Network};
use minirun_runtime::app_armor::AppArmorSupport;
use minirun_runtime::facts::Facts;
use minirun_runtime::security::app_armor::OUR_PROFILE;
use minirun_runtime::warning::Warning;
use serde_json::{Value, json};

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
        ("Paused containers", facts.paused.to_string()),
        ("Stopped containers", facts.stopped.to_string()),
        ("Images", facts.images.to_string()),
        ("Volumes", facts.volumes.to_string()),
        ("Firewall driver", facts.firewall.to_string()),
    ];
    lines.extend(foreign_firewalls(facts));
    lines.extend([
        ("IPv4 forwarding", on_or_off(facts.forwarding)),
        ("AppArmor", app_armor(facts.app_armor)),
        (
            "Bridge filtering (br_netfilter)",
            on_or_off(facts.bridge_filtering),
        ),
    ]);
    match &facts.network {
        Some(network) => lines.extend([
            ("Default bridge", default_bridge(network)),
            ("MTU", network.mtu.to_string()),
            ("Inter-container communication", network.icc.to_string()),
            ("Masquerade", network.masquerade.to_string()),
            ("Publish address", publish_address(network)),
        ]),
        None => lines.push(("Default bridge", "not made yet".into())),
    }
    lines
        .into_iter()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect()
}

/// The facts as data; what is not known is null.
pub fn value(facts: &Facts) -> Value {
    let network = facts.network.as_ref().map(|network| {
        json!({
            "Bridge": network.bridge,
            "Addresses": addresses(network),
            "Mtu": network.mtu,
            "Icc": network.icc == Icc::Enabled,
            "Masquerade": network.masquerade == Masquerade::Enabled,
            "PublishAddress": network.publish_address,
        })
    });
    json!({
        "Version": env!("CARGO_PKG_VERSION"),
        "KernelVersion": facts.kernel,
        "RootDirectory": facts.directories.root,
        "StateDirectory": facts.directories.state,
        "ConfigurationFile": facts.directories.configuration,
        "Containers": facts.running + facts.stopped,
        "ContainersRunning": facts.running,
        "ContainersPaused": facts.paused,
        "ContainersStopped": facts.stopped,
        "Images": facts.images,
        "Volumes": facts.volumes,
        "FirewallBackend": { "Driver": facts.firewall.to_string() },
        "ForeignFirewalls": facts.foreign_chains,
        "IPv4Forwarding": facts.forwarding,
        "AppArmor": app_armor(facts.app_armor),
        "BridgeNfIptables": facts.bridge_filtering,
        "DefaultNetwork": network,
        "Warnings": warnings(facts),
    })
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
    warnings.extend(refusals(facts));
    let missing = match facts.app_armor {
        AppArmorSupport::WithoutParser => Some("`apparmor_parser` is not installed"),
        AppArmorSupport::Hidden => Some("`securityfs` is not mounted at /sys/kernel/security"),
        AppArmorSupport::Absent | AppArmorSupport::Present => None,
    };
    warnings.extend(missing.map(|missing| {
        format!("containers are not confined by AppArmor: the kernel has it, but {missing}")
    }));
    warnings
}

/// One line for each chain of another that refuses what it does not know.
fn foreign_firewalls(facts: &Facts) -> Vec<(&'static str, String)> {
    let words = match &facts.foreign_chains {
        None => vec!["not available".into()],
        Some(chains) if chains.is_empty() => vec!["none".into()],
        Some(chains) => chains.iter().map(foreign_firewall).collect(),
    };
    let lines = words.into_iter();
    lines.map(|words| ("Foreign firewall", words)).collect()
}

fn foreign_firewall(chain: &ForeignChain) -> String {
    let standing = match chain.standing {
        Standing::OwnRules => "minirun's own rules come before that",
        Standing::Passage => "minirun's bridges are let through by its chain `minirun` there",
        Standing::Unneeded => "there is nothing to let through yet",
        Standing::Left => "left alone, so containers are refused",
        Standing::Blocked => "containers are refused",
    };
    format!("{}, {chain}: {standing}", chain.owner_words())
}

/// What of others refuses containers.
fn refusals(facts: &Facts) -> Vec<String> {
    let bridge = facts.network.as_ref().map(|network| &network.bridge);
    let bridge = bridge.map_or(DEFAULT_BRIDGE, |bridge| bridge);
    let chains = facts.foreign_chains.iter().flatten();
    let refusing = chains.filter(|chain| chain.standing.refuses());
    refusing
        .map(|chain| {
            let warning = Warning::ForeignFirewall {
                chain: chain.clone(),
                bridge: bridge.to_string(),
            };
            warning.to_string()
        })
        .collect()
}

fn app_armor(support: AppArmorSupport) -> String {
    match support {
        AppArmorSupport::Absent => "not available".into(),
        AppArmorSupport::WithoutParser | AppArmorSupport::Hidden => "not used".into(),
        AppArmorSupport::Present => OUR_PROFILE.into(),
    }
}

/// The device and its addresses with their prefixes: `minirun0 172.17.0.1/16`.
fn default_bridge(network: &Network) -> String {
    let mut words = vec![network.bridge.clone()];
    words.extend(addresses(network));
    words.join(" ")
}

/// The bridge's addresses with their prefixes.
fn addresses(network: &Network) -> Vec<String> {
    let addressings = [Some(&network.ipv4), network.ipv6.as_ref()];
    let addressings = addressings.into_iter().flatten();
    addressings
        .map(|addressing| {
            let prefix = addressing.subnet.prefix_len();
            format!("{}/{prefix}", addressing.gateway)
        })
        .collect()
}

fn publish_address(network: &Network) -> String {
    match network.publish_address {
        Some(address) => address.to_string(),
        None => "every address of the host".into(),
    }
}

fn on_or_off(switch: Option<bool>) -> String {
    match switch {
        Some(true) => "on".into(),
        Some(false) => "off".into(),
        None => "not available".into(),
    }
}
