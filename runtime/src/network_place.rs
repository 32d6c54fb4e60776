//! Where a container is to be: from the words after `--network` to networks that exist.

use crate::config::{Membership, NetworkMode};
use crate::create::CreateRequest;
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use minirun_bridge::egress::{Allowed, Denied};
use minirun_bridge::extra_host::ExtraHostAddress;
use minirun_bridge::name::{Alias, Hostname, NetworkName};
use minirun_bridge::network::Names;
use minirun_netns::MacAddress;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What was asked for with `--network`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkWanted {
    /// These networks; none means the default one.
    Networks(Vec<MembershipRequest>),
    /// A namespace of its own with nothing in it.
    None,
    /// The host's namespace.
    Host,
    /// The namespace of a container, by name or id.
    Container(String),
}

impl Default for NetworkWanted {
    fn default() -> NetworkWanted {
        NetworkWanted::Networks(Vec::new())
    }
}

/// One network as it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MembershipRequest {
    /// Its name or id, as typed.
    pub network: String,
    /// Other names for the container there.
    pub aliases: Vec<Alias>,
    /// The IPv4 address.
    pub address: Option<Ipv4Addr>,
    /// The IPv6 address.
    pub ipv6_address: Option<Ipv6Addr>,
    /// The hardware address.
    pub mac_address: Option<MacAddress>,
    /// The higher, the rather is this network the way to everywhere else.
    pub gateway_priority: i32,
}

/// Where a container is going to be.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) mode: NetworkMode,
    pub(crate) memberships: Vec<Membership>,
    /// The host name that comes with the place.
    pub(crate) hostname: Option<Hostname>,
}

impl Runtime {
    /// Finds the networks, and checks what is asked of them, before anything is made.
    pub(crate) fn resolve_place(&self, wanted: &NetworkWanted) -> Result<Place, RuntimeError> {
        let place = |mode, hostname| Place {
            mode,
            memberships: Vec::new(),
            hostname,
        };
        match wanted {
            NetworkWanted::None => Ok(place(NetworkMode::None, None)),
            NetworkWanted::Host => Ok(place(NetworkMode::Host, host_name())),
            NetworkWanted::Container(reference) => {
                let owner = self.resolve(reference)?;
                if let NetworkMode::Container(_) = owner.network.mode {
                    return Err(RuntimeError::SharesAlready(owner.name));
                }
                Ok(place(
                    NetworkMode::Container(owner.id),
                    Some(owner.hostname),
                ))
            }
            NetworkWanted::Networks(wanted) => Ok(Place {
                memberships: self.resolve_memberships(wanted)?,
                ..place(NetworkMode::Networks, None)
            }),
        }
    }

    fn resolve_memberships(
        &self,
        wanted: &[MembershipRequest],
    ) -> Result<Vec<Membership>, RuntimeError> {
        if wanted.is_empty() {
            return Ok(vec![Membership::of(NetworkName::default())]);
        }
        let mut memberships: Vec<Membership> = Vec::new();
        for request in wanted {
            let membership = self.resolve_membership(request)?;
            let network = &membership.network;
            if memberships.iter().any(|other| other.network == *network) {
                return Err(RuntimeError::NetworkTwice(network.clone()));
            }
            memberships.push(membership);
        }
        Ok(memberships)
    }

    /// Finds a network, and checks what is asked of it.
    ///
    /// # Errors
    /// When there is no such network, or it cannot give what is asked for.
    pub fn resolve_membership(
        &self,
        request: &MembershipRequest,
    ) -> Result<Membership, RuntimeError> {
        let name = self.resolve_network(&request.network)?;
        let network = self.networks.load_or_create(&name)?;
        let addresses = [
            request.address.map(IpAddr::V4),
            request.ipv6_address.map(IpAddr::V6),
        ];
        for address in addresses.into_iter().flatten() {
            network.check_address(address)?;
        }
        if network.names == Names::HostsFile
            && let Some(alias) = request.aliases.first()
        {
            return Err(RuntimeError::AliasWithoutDns {
                alias: alias.clone(),
                network: name,
            });
        }
        Ok(Membership {
            network: name,
            aliases: request.aliases.clone(),
            address: request.address,
            ipv6_address: request.ipv6_address,
            mac_address: request.mac_address,
            gateway_priority: request.gateway_priority,
        })
    }
}

/// Options that contradict the network mode.
pub(crate) fn check_network_options(request: &CreateRequest) -> Result<(), RuntimeError> {
    let network = match &request.network {
        NetworkWanted::Networks(_) => return Ok(()),
        NetworkWanted::None => "none".to_string(),
        NetworkWanted::Host => "host".to_string(),
        NetworkWanted::Container(owner) => format!("container:{owner}"),
    };
    let shares = matches!(request.network, NetworkWanted::Container(_));
    let is_none = request.network == NetworkWanted::None;
    let wants_gateway = request
        .extra_hosts
        .iter()
        .any(|extra| extra.address == ExtraHostAddress::HostGateway);
    let given = [
        ("--link", !request.links.is_empty()),
        ("--add-host NAME:host-gateway", is_none && wants_gateway),
        (
            "--egress",
            !is_none && request.egress.allowed != Allowed::Everything,
        ),
        (
            "--egress-deny",
            !is_none && request.egress.denied != Denied::default(),
        ),
        ("--publish", shares && !request.publish.is_empty()),
        ("--publish-all", shares && request.publish_all),
        ("--expose", shares && !request.expose.is_empty()),
        ("--hostname", shares && request.hostname.is_some()),
        ("--add-host", shares && !request.extra_hosts.is_empty()),
        ("--dns", shares && !request.nameservers.is_empty()),
        ("--dns-search", shares && !request.dns_search.is_empty()),
        ("--dns-option", shares && !request.dns_options.is_empty()),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(RuntimeError::NeedsBridge { option, network }),
        None => Ok(()),
    }
}

/// The host's own name, if it is one.
fn host_name() -> Option<Hostname> {
    nix::unistd::gethostname().ok()?.to_str()?.parse().ok()
}
