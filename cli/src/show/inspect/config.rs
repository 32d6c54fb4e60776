//! `Config`: the process of a container or an image, and what is written on it.

use std::collections::BTreeSet;

use minirun_bridge::port::ExposedPort;
use minirun_runtime::config::ContainerConfig;
use minirun_runtime::health::HealthCheck;
use minirun_runtime::image::ImageConfig;
use minirun_runtime::storage::Destination;
use serde_json::{Map, Value, json};

use super::storage::anonymous_volumes;

/// A container's process as it was asked for.
pub(super) fn of_container(config: &ContainerConfig) -> Value {
    let process = &config.process;
    let document = json!({
        "Hostname": config.hostname,
        "Domainname": "",
        "User": process.user,
        "AttachStdin": false,
        "AttachStdout": false,
        "AttachStderr": false,
        "ExposedPorts": exposed(&config.network.expose),
        "Tty": process.terminal,
        "OpenStdin": process.open_stdin,
        "StdinOnce": false,
        "Env": process.environment,
        "Cmd": words(&process.command),
        "Image": config.image,
        "Volumes": anonymous_volumes(config),
        "WorkingDir": process.working_directory,
        "Entrypoint": words(&process.entrypoint),
        "Labels": config.labels,
        "StopSignal": config.stop_signal.to_string(),
        "StopTimeout": config.stop_timeout,
    });
    with_health(document, config.health.as_ref())
}

/// What an image gives to the containers made of it.
pub(super) fn of_image(config: &ImageConfig) -> Value {
    let document = json!({
        "User": config.user,
        "ExposedPorts": exposed(&config.exposed),
        "Env": config.environment,
        "Cmd": words(&config.command),
        "Volumes": volumes(&config.volumes),
        "WorkingDir": config.working_directory,
        "Entrypoint": words(&config.entrypoint),
        "Labels": config.labels,
        "StopSignal": config.stop_signal.unwrap_or_default().to_string(),
    });
    with_health(document, config.health.as_ref())
}

/// Docker leaves the key out where nothing is checked.
fn with_health(mut document: Value, health: Option<&HealthCheck>) -> Value {
    if let Some(health) = health {
        document["Healthcheck"] = json!(health);
    }
    document
}

/// The ports as keys of empty objects.
fn exposed(ports: &BTreeSet<ExposedPort>) -> Map<String, Value> {
    ports
        .iter()
        .map(|port| (port.to_string(), json!({})))
        .collect()
}

/// Docker shows the absence of volumes as null.
fn volumes(volumes: &BTreeSet<Destination>) -> Option<Map<String, Value>> {
    let paths = volumes.iter().map(|path| (path.to_string(), json!({})));
    (!volumes.is_empty()).then(|| paths.collect())
}

/// Docker shows the absence of words as null.
fn words(words: &[String]) -> Option<&[String]> {
    (!words.is_empty()).then_some(words)
}
