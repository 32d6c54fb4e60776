//! Finding a network's definition, and making the default network's on first use.

use crate::atomic_file;
use crate::error::NetworkError;
use crate::id::ContainerId;
use crate::name::NetworkName;
use crate::network::{DEFAULT_BRIDGE, DEFAULT_NETWORK, Icc, Network, now_seconds};
use crate::pool::{Held, choose_subnet};
use crate::state::{NetworkHost, NetworkLock};
use ipnet::Ipv4Net;
use minirun_netns::{MacAddress, Netlink, Route};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::net::Ipv4Addr;

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
        let directory = self.root.join("networks");
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(NetworkError::file("list", &directory, error)),
        };
        let mut networks = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| NetworkError::file("list", &directory, error))?;
            let file = entry.file_name();
            let name = file.to_str().and_then(|file| file.strip_suffix(".json"));
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
        let lock = self.network(name).lock()?;
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
        if name.to_string() != DEFAULT_NETWORK {
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
        let (gateway, subnet) = self.default_subnet(&netlink.host_routes()?)?;
        let mtu = match self.settings.mtu {
            Some(mtu) => mtu,
            None => netlink.default_route_mtu()?.unwrap_or(USUAL_MTU),
        };
        Ok(Network {
            id: ContainerId::random()?,
            name: name.clone(),
            created_seconds: now_seconds(),
            bridge: DEFAULT_BRIDGE.into(),
            bridge_mac: MacAddress::random()?,
            subnet,
            gateway,
            mtu,
            icc,
            masquerade: self.settings.ip_masquerade.into(),
            publish_address: self.settings.publish_address,
            labels: BTreeMap::new(),
        })
    }

    /// The bridge's address and subnet: as configured, or the usual one unless a route of the host overlaps it.
    fn default_subnet(&self, routes: &[Route]) -> Result<(Ipv4Addr, Ipv4Net), NetworkError> {
        if let Some(bip) = self.settings.bip {
            return Ok((bip.addr(), bip.trunc()));
        }
        let held: Vec<Held> = routes
            .iter()
            .filter(|route| route.interface.as_deref() != Some(DEFAULT_BRIDGE))
            .filter_map(|route| {
                Some(Held {
                    net: Ipv4Net::new(route.destination.address, route.destination.prefix_length)
                        .ok()?,
                    by: match &route.interface {
                        Some(interface) => format!("a route through `{interface}`"),
                        None => format!("a route in table {}", route.table),
                    },
                })
            })
            .collect();
        let (usual, prefix) = USUAL_BIP;
        let preferred = Ipv4Net::new_assert(usual, prefix);
        let subnet = choose_subnet(preferred.trunc(), &self.settings.address_pools, &held)?;
        let gateway = subnet.hosts().next().unwrap_or(usual);
        Ok((gateway, subnet))
    }
}
