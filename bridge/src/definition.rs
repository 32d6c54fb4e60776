//! Finding a network's definition, and making the default network's on first use.

use crate::addressing::Addressing;
use crate::atomic_file;
use crate::directory::names_in;
use crate::error::NetworkError;
use crate::id::ContainerId;
use crate::name::NetworkName;
use crate::network::{
    DEFAULT_BRIDGE, DEFAULT_NETWORK, GatewayMode, Icc, Names, Network, Ownership, Reach,
    now_seconds,
};
use crate::pool::{Held, Holder, choose_subnet, choose_ula};
use crate::random::random_bytes;
use crate::state::{NetworkHost, NetworkLock};
use ipnet::{IpNet, Ipv4Net};
use minirun_netns::{Destination, MacAddress, Netlink, Route};
use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};

/// What Ethernet carries where nothing says otherwise.
const USUAL_MTU: u32 = 1500;

/// The default network's subnet, unless a route of the host is in the way.
const USUAL_BIP: (Ipv4Addr, u8) = (Ipv4Addr::new(172, 17, 0, 1), 16);

impl NetworkHost {
    /// The definition of a network, if it has been made.
    ///
    /// # Errors
    /// When the record exists and cannot be read.
    pub fn load(&self, name: &NetworkName) -> Result<Option<Network>, NetworkError> {
        let path = self.definition(name);
        Ok(atomic_file::read_json_if_present(&path)?)
    }

    /// All networks there are, by name.
    ///
    /// # Errors
    /// When a record exists and cannot be read.
    pub fn networks(&self) -> Result<Vec<Network>, NetworkError> {
        let mut networks = Vec::new();
        for file in names_in(&self.definitions())? {
            let name = file.strip_suffix(".json");
            if let Some(name) = name.and_then(|name| name.parse().ok()) {
                networks.extend(self.load(&name)?);
            }
        }
        networks.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(networks)
    }

    /// The definition of a network; the default one is made if it does not exist yet.
    ///
    /// # Errors
    /// [`NetworkError::UnknownNetwork`] for any other that does not exist.
    pub fn load_or_create(&self, name: &NetworkName) -> Result<Network, NetworkError> {
        if let Some(network) = self.load(name)? {
            return Ok(network);
        }
        let lock = self.network(name).lock_records()?;
        self.load_or_create_locked(name, &lock)
    }

    /// As [`NetworkHost::load_or_create`], for callers that hold the lock.
    pub(crate) fn load_or_create_locked(
        &self,
        name: &NetworkName,
        _lock: &NetworkLock,
    ) -> Result<Network, NetworkError> {
        if let Some(network) = self.load(name)? {
            return Ok(network);
        }
        if name.as_str() != DEFAULT_NETWORK {
            return Err(NetworkError::UnknownNetwork(name.to_string()));
        }
        let network = self.new_default(name)?;
        self.save(&network)?;
        Ok(network)
    }

    /// Writes a definition.
    pub(crate) fn save(&self, network: &Network) -> Result<(), NetworkError> {
        let path = self.definition(&network.name);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)
                .map_err(|error| NetworkError::file("create", directory, error))?;
        }
        Ok(atomic_file::write_json(&path, network)?)
    }

    fn new_default(&self, name: &NetworkName) -> Result<Network, NetworkError> {
        let icc = Icc::from(self.settings.icc);
        if !self.firewall.enforces(icc) {
            return Err(NetworkError::CannotEnforce {
                network: name.clone(),
            });
        }
        let mut netlink = Netlink::open()?;
        let held = held_by_routes(&netlink.host_routes()?, DEFAULT_BRIDGE);
        let (gateway, subnet) = self.default_subnet(&held)?;
        let ipv6 = match self.settings.ipv6 {
            true => {
                let random = random_bytes().map_err(NetworkError::Random)?;
                let subnet = IpNet::V6(choose_ula(random, &held)?);
                Some(Addressing::new(subnet, first_host(subnet)))
            }
            false => None,
        };
        Ok(Network {
            id: ContainerId::random()?,
            name: name.clone(),
            created_seconds: now_seconds(),
            bridge: DEFAULT_BRIDGE.into(),
            segments: 0,
            bridge_mac: MacAddress::random()?,
            ownership: Ownership::Own,
            ipv4: Addressing::new(subnet.into(), gateway.into()),
            ipv6,
            mtu: self.usual_mtu(&mut netlink)?,
            icc,
            masquerade: self.settings.ip_masquerade.into(),
            gateway_mode: GatewayMode::Nat,
            reach: Reach::External,
            names: Names::HostsFile,
            publish_address: self.settings.publish_address(),
            labels: BTreeMap::new(),
            options: BTreeMap::new(),
        })
    }

    /// The MTU of a network that does not say: as configured, or that of the host's default route.
    pub(crate) fn usual_mtu(&self, netlink: &mut Netlink) -> Result<u32, NetworkError> {
        match self.settings.mtu {
            Some(mtu) => Ok(mtu),
            None => Ok(netlink.default_route_mtu()?.unwrap_or(USUAL_MTU)),
        }
    }

    /// The bridge's address and subnet: as configured, or the usual one unless a route of the host overlaps it.
    fn default_subnet(&self, held: &[Held]) -> Result<(Ipv4Addr, Ipv4Net), NetworkError> {
        if let Some(bip) = self.settings.bip {
            return Ok((bip.addr(), bip.trunc()));
        }
        let (usual, prefix) = USUAL_BIP;
        let preferred = Ipv4Net::new_assert(usual, prefix);
        let subnet = choose_subnet(preferred.trunc(), &self.settings.address_pools, held)?;
        let gateway = subnet.hosts().next().unwrap_or(usual);
        Ok((gateway, subnet))
    }
}

/// What the host's routes hold, except those through one interface.
pub(crate) fn held_by_routes(routes: &[Route], except: &str) -> Vec<Held> {
    routes
        .iter()
        .filter(|route| route.interface.as_deref() != Some(except))
        .filter_map(|route| {
            let Destination {
                address,
                prefix_length,
            } = route.destination;
            Some(Held {
                net: IpNet::new(address, prefix_length).ok()?,
                by: match &route.interface {
                    Some(interface) => Holder::Interface(interface.clone()),
                    None => Holder::Table(route.table),
                },
            })
        })
        .collect()
}

fn first_host(subnet: IpNet) -> IpAddr {
    Addressing::new(subnet, subnet.network()).hosts().0
}
