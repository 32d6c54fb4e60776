//! An endpoint: a running container's place on a network, as the network's state directory records it.
//!
//! The record is written before the first rule or device exists and removed after the last is gone, so whoever finds it
//! knows everything that may have to be taken down.

use crate::extra_host::ExtraHost;
use crate::hosts::{HostsFile, LinkedHost};
use crate::id::ContainerId;
use crate::link::Link;
use crate::name::{ContainerName, Hostname};
use crate::port::ExposedPort;
use crate::publication::Publication;
use minirun_netns::MacAddress;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::PathBuf;

/// A running container's place on a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Sixty-four hexadecimal digits of its own, new at every start.
    pub id: ContainerId,
    /// The container it belongs to.
    pub container: ContainerId,
    /// The container's name, by which links find it.
    pub name: ContainerName,
    /// The container's host name.
    pub hostname: Hostname,
    /// The leased IPv4 address.
    pub address: Ipv4Addr,
    /// The MAC of `eth0`.
    pub mac: MacAddress,
    /// The host end of the veth pair.
    pub interface: String,
    /// The ports a link to this endpoint opens.
    pub exposed: BTreeSet<ExposedPort>,
    /// The host ports that lead here.
    pub publications: Vec<Publication>,
    /// The links this endpoint has to others.
    pub links: Vec<Link>,
    /// The hosts file that the network keeps up to date for it.
    pub hosts: HostsRecord,
}

/// Where an endpoint's hosts file is and what the user added to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostsRecord {
    /// The file on the host that is mounted on the container's `/etc/hosts`.
    pub path: PathBuf,
    /// Lines asked for with `--add-host`.
    pub extra: Vec<ExtraHost>,
}

impl Endpoint {
    /// The hosts file of this endpoint, given those of its link targets that run.
    pub fn hosts_file(&self, targets: &[Endpoint]) -> HostsFile {
        let links = self
            .links
            .iter()
            .filter_map(|link| {
                let target = targets.iter().find(|target| target.name == link.target)?;
                Some(LinkedHost {
                    address: target.address,
                    alias: link.alias.clone(),
                    hostname: target.hostname.clone(),
                    name: target.name.clone(),
                })
            })
            .collect();
        HostsFile {
            own: Some((self.address, self.hostname.clone())),
            extra: self.hosts.extra.clone(),
            links,
        }
    }
}
