//! An endpoint: a running container's place on a network, as the network's state directory records it.
//!
//! The record is written before the first rule or device exists and removed after the last is gone, so whoever finds it
//! knows everything that may have to be taken down.

use crate::egress::Egress;
use crate::extra_host::ExtraHost;
use crate::hosts::{LinkedHost, OwnHost};
use crate::id::ContainerId;
use crate::link::Link;
use crate::name::{Alias, ContainerName, Hostname};
use crate::network::Family;
use crate::port::ExposedPort;
use crate::publication::Publication;
use crate::segment::Segment;
use minirun_netns::MacAddress;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
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
    /// The leased IPv6 address, if the network has IPv6.
    pub ipv6_address: Option<Ipv6Addr>,
    /// The MAC of the container's interface.
    pub mac: MacAddress,
    /// The container's interface, such as `eth0`.
    pub interface_name: String,
    /// The host end of the veth pair.
    pub interface: String,
    /// Which of the network's bridges that is a port of.
    #[serde(default, skip_serializing_if = "Segment::is_main")]
    pub segment: Segment,
    /// Other names that the container has on this network.
    pub aliases: Vec<Alias>,
    /// The ports a link to this endpoint opens.
    pub exposed: BTreeSet<ExposedPort>,
    /// The container's ports that were asked to be published, wherever they lead from.
    pub published: BTreeSet<ExposedPort>,
    /// The host ports that lead here.
    pub publications: Vec<Publication>,
    /// Whether the container's way to everywhere else leads through this network.
    pub default_route: DefaultRoute,
    /// The links this container has to others.
    pub links: Vec<Link>,
    /// The hosts file that the networks keep up to date for it.
    pub hosts: HostsRecord,
    /// What it may reach beyond this network; the word for names is resolved.
    #[serde(default)]
    pub egress: Egress,
}

/// What a listing shows of an endpoint; the rest of its record is skipped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct EndpointPorts {
    /// As [`Endpoint::exposed`].
    pub exposed: BTreeSet<ExposedPort>,
    /// As [`Endpoint::publications`].
    pub publications: Vec<Publication>,
}

/// For which families an endpoint has the container's default route.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultRoute {
    /// For IPv4.
    pub ipv4: bool,
    /// For IPv6.
    pub ipv6: bool,
}

impl DefaultRoute {
    /// Whether it has the default route of this family.
    pub fn is_of(self, family: Family) -> bool {
        match family {
            Family::Ipv4 => self.ipv4,
            Family::Ipv6 => self.ipv6,
        }
    }
}

/// Where a container's hosts file is and what the user added to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostsRecord {
    /// The file on the host that is mounted on the container's `/etc/hosts`.
    pub path: PathBuf,
    /// Lines asked for with `--add-host`.
    pub extra: Vec<ExtraHost>,
}

impl Endpoint {
    /// Its addresses, IPv4 first.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let ipv6 = self.ipv6_address.map(IpAddr::V6);
        [IpAddr::V4(self.address)].into_iter().chain(ipv6)
    }

    /// Its address of one family.
    pub fn address_of(&self, family: Family) -> Option<IpAddr> {
        match family {
            Family::Ipv4 => Some(self.address.into()),
            Family::Ipv6 => self.ipv6_address.map(IpAddr::V6),
        }
    }

    /// The names that the DNS knows it by, in lower case and each once; the first is the container's own. As with Docker, the
    /// short id and the host name are among them.
    pub fn dns_names(&self) -> Vec<String> {
        let aliases = self.aliases.iter().map(Alias::as_str);
        let mut names: Vec<String> = Vec::new();
        let short_id = self.container.short();
        let all = [self.name.as_str()]
            .into_iter()
            .chain(aliases)
            .chain([short_id.as_str(), self.hostname.as_str()]);
        for name in all.map(str::to_ascii_lowercase) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The lines of the hosts file that name this endpoint itself.
    pub(crate) fn own_hosts(&self) -> impl Iterator<Item = OwnHost> {
        self.addresses().map(|address| OwnHost {
            address,
            hostname: self.hostname.clone(),
        })
    }

    /// The lines of the hosts file that name the targets of its links, as far as these run.
    pub(crate) fn linked_hosts(&self, targets: &[Endpoint]) -> Vec<LinkedHost> {
        let mut lines = Vec::new();
        for link in &self.links {
            let Some(target) = targets.iter().find(|target| target.name == link.target) else {
                continue;
            };
            lines.extend(target.addresses().map(|address| LinkedHost {
                address,
                alias: link.alias.clone(),
                hostname: target.hostname.clone(),
                name: target.name.clone(),
            }));
        }
        lines
    }
}
