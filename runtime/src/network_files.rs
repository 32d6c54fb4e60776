//! The files of a container that say who it is and whom it can ask: `hosts`, `hostname`, `resolv.conf`.
//!
//! They stand in the container's directory and are mounted over the image's. The hosts file of a container on a bridge
//! network is written again when it is attached and whenever a link target comes or goes, always in place, since a mount
//! sees the file and not its name.

use crate::config::{ContainerConfig, NetworkMode};
use crate::container_state::ContainerPaths;
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use minirun_bridge::extra_host::ExtraHost;
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
    let hostname = format!("{}\n", config.hostname);
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
    let gateway = match config.network.mode {
        NetworkMode::Bridge => runtime.default_network()?.gateway,
        NetworkMode::None | NetworkMode::Host => Ipv4Addr::LOCALHOST,
    };
    let extra: Vec<ExtraHost> = config
        .network
        .extra_hosts
        .iter()
        .map(|request| request.resolve(IpAddr::V4(gateway)))
        .collect();
    if config.network.mode != NetworkMode::Host {
        let file = HostsFile {
            extra,
            ..HostsFile::default()
        };
        return Ok(file.render());
    }
    // The host's own file, as with Docker, and the user's lines behind it.
    let mut text = read("/etc/hosts");
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for host in extra {
        text.push_str(&format!("{}\t{}\n", host.address, host.name.as_str()));
    }
    Ok(text)
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
