//! The files of a container that say who it is and whom it can ask: `hosts`, `hostname`, `resolv.conf`.
//!
//! They stand in the container's directory and are mounted over the image's. The hosts file of a container on a bridge
//! network is written again when it is attached and whenever a link target comes or goes, always in place, since a mount
//! sees the file and not its name.

use crate::config::{ContainerConfig, NetworkMode};
use crate::container_state::ContainerPaths;
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use minirun_bridge::hosts::HostsFile;
use minirun_bridge::resolv::{Ipv6, ResolvConf, ResolvOverrides};
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

/// Where systemd keeps the servers behind its stub (systemd-resolved.service(8)).
const SYSTEMD_RESOLV: &str = "/run/systemd/resolve/resolv.conf";

/// Writes the three files as far as they are known before the container is attached.
pub(crate) fn write(
    runtime: &Runtime,
    config: &ContainerConfig,
    paths: &ContainerPaths,
) -> Result<(), RuntimeError> {
    let hosts = hosts(runtime, config)?;
    let hostname = match config.network.mode {
        NetworkMode::Host => read("/etc/hostname"),
        NetworkMode::Bridge | NetworkMode::None => format!("{}\n", config.hostname),
    };
    for (name, text) in [
        ("hosts", hosts),
        ("hostname", hostname),
        ("resolv.conf", resolv(config)),
    ] {
        let path = paths.root.join(name);
        minirun_bridge::hosts::write_in_place(&path, &text)
            .map_err(|error| RuntimeError::file("write", &path, std::io::Error::other(error)))?;
    }
    Ok(())
}

fn hosts(runtime: &Runtime, config: &ContainerConfig) -> Result<String, RuntimeError> {
    let requests = &config.network.extra_hosts;
    let gateway = match config.network.mode {
        NetworkMode::Bridge => runtime.default_network()?.gateway,
        NetworkMode::None | NetworkMode::Host => Ipv4Addr::LOCALHOST,
    };
    let extra = requests
        .iter()
        .map(|request| request.resolve(IpAddr::V4(gateway)))
        .collect();
    let file = HostsFile {
        own: None,
        extra,
        links: Vec::new(),
    };
    Ok(match config.network.mode {
        // The host's own file, as with Docker, unless the user wants lines of their own in it.
        NetworkMode::Host if requests.is_empty() => read("/etc/hosts"),
        _ => file.render(),
    })
}

fn resolv(config: &ContainerConfig) -> String {
    let host = read("/etc/resolv.conf");
    if config.network.mode == NetworkMode::Host && config.network.nameservers.is_empty() {
        return host;
    }
    let overrides = ResolvOverrides {
        nameservers: config.network.nameservers.clone(),
        ..ResolvOverrides::default()
    };
    let behind_stub = fs::read_to_string(SYSTEMD_RESOLV).ok();
    ResolvConf::from_host(&host, behind_stub.as_deref(), &overrides, Ipv6::Unavailable).render()
}

/// A host without such a file has nothing to pass on.
fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
