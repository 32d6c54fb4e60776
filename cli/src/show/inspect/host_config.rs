//! `HostConfig`: what was asked of the host when the container was created.

use minirun_bridge::publish::{HostPort, PublishRequest};
use minirun_runtime::config::ContainerConfig;
use minirun_runtime::restart_policy::RestartPolicy;
use minirun_runtime::security::user_namespace::UserNamespaceChoice;
use minirun_runtime::time_limit::TimeLimit;
use serde_json::{Map, Value, json};

use super::super::place::network_mode;
use super::devices::devices;
use super::resources::resources;
use super::security::security;
use super::storage::add_to_host_config;

/// The requests, whatever became of them; what is really bound stands in `NetworkSettings`.
pub(super) fn host_config(config: &ContainerConfig) -> Value {
    let network = &config.network;
    let links = network
        .links
        .iter()
        .map(|link| link.inspect_form(&config.name));
    let extra_hosts = network
        .extra_hosts
        .iter()
        .map(|host| format!("{}:{}", host.name, host.address));
    let mut document = json!({
        "LogConfig": {"Type": config.log.driver(), "Config": config.log.words()},
        "NetworkMode": network_mode(network),
        "PortBindings": port_bindings(&network.publish),
        "RestartPolicy": restart_policy(config.restart),
        "AutoRemove": config.auto_remove,
        "Dns": network.nameservers,
        "DnsOptions": texts(&network.dns_options),
        "DnsSearch": texts(&network.dns_search),
        "Egress": network.egress.allowed,
        "EgressDeny": network.egress.denied,
        "ExtraHosts": present(extra_hosts.collect()),
        "Init": config.process.init.then_some(true),
        "Links": present(links.collect()),
        "PublishAllPorts": network.publish_all,
        "ReadonlyRootfs": config.read_only,
        // Docker has none of these. Times are in nanoseconds, as those of its health checks are.
        "Timeout": nanoseconds(config.time_limit),
        "Profiles": present(config.profiles.clone()),
    });
    document["UsernsMode"] = json!(match config.security.user_namespace {
        UserNamespaceChoice::Host => String::new(),
        choice => choice.to_string(),
    });
    let mappings = config.security.id_range.map(|users| {
        let mapping = users.mapping().replace(' ', ":");
        json!({"UidMap": [mapping], "GidMap": [mapping]})
    });
    document["IDMappings"] = json!(mappings);
    if let Value::Object(document) = &mut document {
        document.extend(security(config));
        document.extend(resources(&config.resources));
        document.extend(devices(&config.devices));
    }
    add_to_host_config(&mut document, config);
    document
}

/// As Docker shows it: no limit is 0.
fn restart_policy(policy: RestartPolicy) -> Value {
    let most = match policy {
        RestartPolicy::OnFailure(Some(most)) => most.get(),
        _ => 0,
    };
    json!({"Name": policy.name(), "MaximumRetryCount": most})
}

fn nanoseconds(limit: TimeLimit) -> u64 {
    let duration = limit.duration().unwrap_or_default();
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn texts(values: &[impl ToString]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

/// Docker shows an absent list as null.
fn present(list: Vec<String>) -> Option<Vec<String>> {
    (!list.is_empty()).then_some(list)
}

/// For every container port the host addresses and ports asked for; empty text where the choice was left to minirun.
fn port_bindings(requests: &[PublishRequest]) -> Map<String, Value> {
    let mut bindings: Map<String, Value> = Map::new();
    for request in requests {
        let binding = json!({
            "HostIp": request.host_address.map(|address| address.to_string()).unwrap_or_default(),
            "HostPort": host_port(request.host_port),
        });
        let list = bindings
            .entry(request.container.to_string())
            .or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(binding);
        }
    }
    bindings
}

fn host_port(port: HostPort) -> String {
    match port {
        HostPort::Any => String::new(),
        HostPort::One(port) => port.to_string(),
        HostPort::Within(first, last) => format!("{first}-{last}"),
    }
}
