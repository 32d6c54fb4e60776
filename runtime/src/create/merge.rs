//! What was asked for, laid over what the image says.

use super::request::CreateRequest;
use crate::config::{ContainerConfig, NetworkConfig, ProcessConfig};
use crate::image::{ImageConfig, ImageId};
use crate::network_place::Place;
use jiff::Timestamp;
use minirun_bridge::environment::EnvironmentVariable;
use minirun_bridge::id::ContainerId;
use minirun_bridge::link::Link;
use minirun_bridge::name::{ContainerName, Hostname};
use minirun_bridge::port::ExposedPort;
use std::collections::BTreeSet;
use std::mem::take;

/// Lays what the user asked for over what the image says.
pub(super) fn merge(
    mut request: CreateRequest,
    mut from_image: ImageConfig,
    (id, name): (ContainerId, ContainerName),
    (image_id, place, links): (ImageId, Place, Vec<Link>),
) -> ContainerConfig {
    let process = process(&mut request, &mut from_image);
    let mut expose: BTreeSet<ExposedPort> = from_image.exposed;
    expose.extend(request.expose);
    expose.extend(request.publish.iter().map(|publish| publish.container));
    let mut labels = from_image.labels;
    labels.extend(request.labels);
    ContainerConfig {
        id,
        name,
        created: Timestamp::now(),
        image: request.image,
        image_id,
        process,
        hostname: request
            .hostname
            .or(place.hostname)
            .unwrap_or_else(|| Hostname::from(&id)),
        read_only: request.read_only,
        labels,
        stop_signal: request
            .stop_signal
            .or(from_image.stop_signal)
            .unwrap_or_default(),
        stop_timeout: request.stop_timeout.unwrap_or_default(),
        auto_remove: request.auto_remove,
        restart: request.restart,
        health: request.health.over(from_image.health.as_ref()),
        log: request.log,
        storage: request.storage.without_mounts(),
        resources: request.resources,
        security: request.security,
        devices: request.devices,
        time_limit: request.time_limit,
        profiles: request.profiles,
        network: NetworkConfig {
            mode: place.mode,
            memberships: place.memberships,
            expose,
            publish: request.publish,
            publish_all: request.publish_all,
            links,
            link_environment: request.link_environment,
            extra_hosts: request.extra_hosts,
            nameservers: request.nameservers,
            dns_search: request.dns_search,
            dns_options: request.dns_options,
            egress: request.egress,
        },
    }
}

/// The program, and how it runs: what was asked for and what the image says of it, taken out of both.
fn process(request: &mut CreateRequest, from_image: &mut ImageConfig) -> ProcessConfig {
    let (entrypoint, command) = words(
        request.entrypoint.take(),
        take(&mut request.command),
        (
            take(&mut from_image.entrypoint),
            take(&mut from_image.command),
        ),
    );
    ProcessConfig {
        entrypoint,
        command,
        environment: overlay_environment(
            take(&mut from_image.environment),
            take(&mut request.environment),
        ),
        working_directory: request
            .working_directory
            .take()
            .unwrap_or_else(|| take(&mut from_image.working_directory)),
        user: request
            .user
            .take()
            .unwrap_or_else(|| take(&mut from_image.user)),
        no_new_privileges: request.no_new_privileges,
        open_stdin: request.open_stdin,
        terminal: request.terminal,
        init: request.init,
    }
}

/// The words of the command line: entry point and command.
fn words(
    entrypoint: Option<String>,
    command: Vec<String>,
    (image_entrypoint, image_command): (Vec<String>, Vec<String>),
) -> (Vec<String>, Vec<String>) {
    match entrypoint {
        // Another entry point makes the image's command meaningless, as with Docker.
        Some(none) if none.is_empty() => (Vec::new(), command),
        Some(program) => (vec![program], command),
        None if command.is_empty() => (image_entrypoint, image_command),
        None => (image_entrypoint, command),
    }
}

/// The user's variables replace the image's of the same name, in place.
fn overlay_environment(
    mut below: Vec<EnvironmentVariable>,
    above: Vec<EnvironmentVariable>,
) -> Vec<EnvironmentVariable> {
    for variable in above {
        match below.iter_mut().find(|other| other.name == variable.name) {
            Some(other) => *other = variable,
            None => below.push(variable),
        }
    }
    below
}
