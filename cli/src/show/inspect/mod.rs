//! The documents of `inspect`: what is known of a container or an image, under the keys that Docker gives it.

mod config;
mod devices;
mod host_config;
mod membership;
mod network_settings;
mod resources;
mod security;
mod state;
mod storage;
#[cfg(test)]
mod tests;

use std::path::Path;

use minirun_runtime::details::ContainerDetails;
use minirun_runtime::image::Image;
use minirun_runtime::log_options::LogOptions;
use serde_json::{Value, json};

use super::command_line::program_and_arguments;
use super::moment::rfc3339;

/// The document of one container.
pub fn container(details: &ContainerDetails) -> Value {
    let config = &details.config;
    let paths = &details.paths;
    let (program, arguments) = program_and_arguments(&config.process);
    json!({
        "Id": config.id,
        "Created": rfc3339(Some(config.created)),
        "Path": program,
        "Args": arguments,
        "State": state::state(details),
        "Image": config.image_id,
        "ResolvConfPath": text(&paths.root.join("resolv.conf")),
        "HostnamePath": text(&paths.root.join("hostname")),
        "HostsPath": text(&paths.root.join("hosts")),
        "LogPath": log_path(details),
        "Name": format!("/{}", config.name),
        "RestartCount": details.condition.state.restart_count(),
        "Driver": "overlay",
        "Platform": "linux",
        "AppArmorProfile": security::app_armor_profile(config),
        "HostConfig": host_config::host_config(config),
        "Mounts": storage::mounts(config, &paths.volumes()),
        "Config": config::of_container(config),
        "NetworkSettings": network_settings::network_settings(details),
    })
}

/// The document of one image. As with Docker, the lowest layer is named first.
pub fn image(image: &Image) -> Value {
    let names: Vec<String> = image.names.iter().map(ToString::to_string).collect();
    let layers: Vec<String> = image.layers.iter().rev().map(|path| layer(path)).collect();
    json!({
        "Id": image.id,
        "RepoTags": names,
        "RepoDigests": [],
        "Parent": image.parent.map(|parent| parent.to_string()).unwrap_or_default(),
        "Comment": image.comment.as_deref().unwrap_or_default(),
        "Created": rfc3339(Some(image.created)),
        "Author": image.author.as_deref().unwrap_or_default(),
        "Os": "linux",
        "Size": image.size_bytes,
        "Config": config::of_image(&image.config),
        "RootFS": {"Type": "layers", "Layers": layers},
    })
}

/// Where the newest file of the log is; empty text if there is no log.
fn log_path(details: &ContainerDetails) -> String {
    match details.config.log {
        LogOptions::JsonFile(_) => text(&details.paths.log()),
        LogOptions::None => String::new(),
    }
}

/// JSON is UTF-8, which the path of the state need not be.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A layer by the name of its directory. A name that is nothing but digits is a SHA-256 digest of the layer's content.
fn layer(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        format!("sha256:{name}")
    } else {
        name.into_owned()
    }
}
