//! The files of a container that say who it is and whom it can ask: `hosts`, `hostname`, `resolv.conf`.
//!
//! They stand in the container's directory and are mounted over the image's. The hosts file of a container on networks is
//! written again when it is attached, and kept up to date from then on.

use crate::config::{ContainerConfig, NetworkMode};
use crate::connections::Connections;
use crate::container_state::ContainerPaths;
use crate::error::RuntimeError;
use minirun_bridge::extra_host::ExtraHost;
use minirun_bridge::hosts::HostsFile;
use minirun_bridge::network::Names;
use minirun_bridge::resolv::{Ipv6, ResolvConf, ResolvOverrides};
use minirun_bridge::small_file;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

/// Where systemd keeps the servers behind its stub (systemd-resolved.service(8)).
const SYSTEMD_RESOLV: &str = "/run/systemd/resolve/resolv.conf";

/// Writes the three files as far as they are known before the container is attached.
pub(crate) fn write(
    config: &ContainerConfig,
    connections: &Connections,
    paths: &ContainerPaths,
) -> Result<(), RuntimeError> {
    if let NetworkMode::Container(_) = config.network.mode {
        // Those of the container whose network it is are mounted.
        return Ok(());
    }
    write_file(paths, "hosts", &hosts(config, connections))?;
    write_file(paths, "hostname", &format!("{}\n", config.hostname))?;
    write_resolv(config, connections, paths)
}

/// Writes `resolv.conf` as it has to be with these networks.
pub(crate) fn write_resolv(
    config: &ContainerConfig,
    connections: &Connections,
    paths: &ContainerPaths,
) -> Result<(), RuntimeError> {
    write_file(paths, "resolv.conf", &resolv(config, connections))
}

/// Whether a container with these networks has a DNS server of its own.
pub(crate) fn has_dns(connections: &Connections) -> bool {
    connections
        .joined
        .iter()
        .any(|joined| joined.network.names == Names::Dns)
}

/// The name servers that a container asks itself, without a DNS of its networks in between.
pub(crate) fn name_servers(config: &ContainerConfig, connections: &Connections) -> Vec<IpAddr> {
    let listed = &config.network.nameservers;
    if !listed.is_empty() {
        return listed.clone();
    }
    if has_dns(connections) {
        return Vec::new();
    }
    let text = resolv(config, connections);
    let servers = text
        .lines()
        .filter_map(|line| line.strip_prefix("nameserver"));
    servers
        .filter_map(|server| server.trim().parse().ok())
        .collect()
}

fn write_file(paths: &ContainerPaths, name: &str, text: &str) -> Result<(), RuntimeError> {
    let path = paths.root.join(name);
    minirun_bridge::hosts::write_in_place(&path, text)
        .map_err(|error| RuntimeError::file("write", &path, std::io::Error::other(error)))
}

fn hosts(config: &ContainerConfig, connections: &Connections) -> String {
    if config.network.mode != NetworkMode::Host {
        let file = HostsFile {
            extra: connections.extra_hosts(config),
            ..HostsFile::default()
        };
        return file.render();
    }
    // The host's own file, as with Docker, and the user's lines behind it.
    let mut text = read("/etc/hosts");
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    let local = [IpAddr::V4(Ipv4Addr::LOCALHOST)];
    let extra = config.network.extra_hosts.iter();
    for ExtraHost { name, address } in extra.flat_map(|extra| extra.resolve(&local)) {
        text.push_str(&format!("{address}\t{}\n", name.as_str()));
    }
    text
}

fn resolv(config: &ContainerConfig, connections: &Connections) -> String {
    let network = &config.network;
    let host = read("/etc/resolv.conf");
    let overrides = ResolvOverrides {
        nameservers: network.nameservers.clone(),
        search: network.dns_search.clone(),
        options: network.dns_options.clone(),
    };
    if network.mode == NetworkMode::Host && overrides == ResolvOverrides::default() {
        return host;
    }
    let behind_stub = small_file::read_text(Path::new(SYSTEMD_RESOLV)).ok();
    let behind_stub = behind_stub.as_deref();
    if has_dns(connections) {
        return ResolvConf::embedded(&host, behind_stub, &overrides).render();
    }
    let ipv6 = match connections.has_ipv6() {
        true => Ipv6::Available,
        false => Ipv6::Unavailable,
    };
    ResolvConf::from_host(&host, behind_stub, &overrides, ipv6).render()
}

/// A host without such a file has nothing to pass on.
fn read(path: impl AsRef<Path>) -> String {
    small_file::read_text(path.as_ref()).unwrap_or_default()
}
