//! Making and removing networks.
//!
//! Theory of operation
//!
//! 1. One lock is held by whoever makes or removes a network, so that what is decided (addresses nobody has, a name nobody
//!    bears) still holds when it is written.
//! 2. What the request makes is decided by a pure function. Then the definition is written, and the device and the rules are
//!    made from it. If that fails, the definition goes again.
//! 3. To remove a network, its definition is renamed first, so that nobody finds it any more; then the rules are made without
//!    it, the device goes, and the renamed definition last: where one is found, the next command finishes the work.

use crate::atomic_file;
use crate::closed_port::ClosedPort;
use crate::definition::held_by_routes;
use crate::device;
use crate::directory::names_in;
use crate::error::NetworkError;
use crate::firewall::Firewall;
use crate::id::ContainerId;
use crate::lazy_netlink::LazyNetlink;
use crate::name::NetworkName;
use crate::network::{GatewayMode, Icc, Names, Network, Ownership, now_seconds};
use crate::network_options::{BridgeName, NetworkOptions};
use crate::network_request::{Decision, NetworkRequest, Surroundings, decide};
use crate::plan::Step;
use crate::random::random_bytes;
use crate::reload;
use crate::segment_devices;
use crate::state::NetworkHost;
use crate::step::{Action, Context, NetworkStep};
use ipnet::IpNet;
use minirun_netns::{
    InterfaceAddress, LinkKind, MacAddress, Narrator, Netlink, RemoveAddress, Silent, Sysctl,
    SysctlChange,
};
use std::fs;
use std::io::ErrorKind;

/// How a bridge is called that the user did not name: this and twelve digits of the network's id.
const BRIDGE_PREFIX: &str = "mr-";

impl NetworkHost {
    /// Makes a network, with its device and its rules.
    ///
    /// # Errors
    /// [`NetworkError::Problems`] with everything that is wrong with the request; else that of the step that failed, and
    /// nothing of the network remains.
    pub fn create(
        &self,
        request: &NetworkRequest,
        narrator: &mut dyn Narrator,
    ) -> Result<Network, NetworkError> {
        let _definitions = self.lock_definitions()?;
        let mut netlink = Netlink::open()?;
        let adopted = adopted_bridge(request, &mut netlink)?;
        let request = match &adopted {
            Some(adopted) => adopted.complete(request),
            None => request.clone(),
        };
        let decision = self.decide(&request, (adopted.as_ref(), &mut netlink))?;
        let network = self.define(decision, (adopted, &mut netlink))?;
        if !self.firewall.enforces(network.icc) || !self.firewall.encloses(network.reach) {
            return Err(NetworkError::CannotEnforce {
                network: network.name,
            });
        }
        self.save(&network)?;
        if let Err(error) = self.make(&network, narrator) {
            // The error that is told is the first one.
            let _ = self.begin_removal(&network);
            let _ = self.finish_removal(&network, &mut Silent);
            return Err(error);
        }
        Ok(network)
    }

    /// Removes a network that no running container is on.
    ///
    /// # Errors
    /// [`NetworkError::BuiltIn`], [`NetworkError::InUse`]; else that of the step that failed, and the next command goes on
    /// from there.
    pub fn remove(
        &self,
        name: &NetworkName,
        narrator: &mut dyn Narrator,
    ) -> Result<(), NetworkError> {
        let _definitions = self.lock_definitions()?;
        let Some(network) = self.load(name)? else {
            return Err(NetworkError::UnknownNetwork(name.to_string()));
        };
        if network.is_default() {
            return Err(NetworkError::BuiltIn(network.name));
        }
        let _lock = self.network(name).lock()?;
        let endpoints = self.network(name).all()?;
        if !endpoints.is_empty() {
            return Err(NetworkError::InUse {
                network: network.name,
                containers: endpoints
                    .into_iter()
                    .map(|endpoint| endpoint.name)
                    .collect(),
            });
        }
        self.begin_removal(&network)?;
        self.finish_removal(&network, narrator)
    }

    /// Finishes removals that were interrupted.
    ///
    /// # Errors
    /// That of the step that failed.
    pub fn finish_removals(&self) -> Result<(), NetworkError> {
        for name in self.half_removed()? {
            let _definitions = self.lock_definitions()?;
            let path = self.removed_definition(&name);
            let removed: Option<Network> = atomic_file::read_json_if_present(&path)?;
            if let Some(network) = removed {
                self.finish_removal(&network, &mut Silent)?;
            }
        }
        Ok(())
    }

    fn half_removed(&self) -> Result<Vec<NetworkName>, NetworkError> {
        let files = names_in(&self.definitions())?;
        let names = files
            .iter()
            .filter_map(|file| file.strip_suffix(".removing"));
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    }

    fn decide(
        &self,
        request: &NetworkRequest,
        (adopted, netlink): (Option<&AdoptedBridge>, &mut Netlink),
    ) -> Result<Decision, NetworkError> {
        let existing = self.networks()?;
        let networks: Vec<(NetworkName, Vec<IpNet>)> = existing
            .iter()
            .map(|network| {
                let subnets = network.families().map(|(_, addressing)| addressing.subnet);
                (network.name.clone(), subnets.collect())
            })
            .collect();
        let bridges: Vec<(BridgeName, NetworkName)> = existing
            .iter()
            .filter_map(|network| Some((network.bridge.parse().ok()?, network.name.clone())))
            .collect();
        // Routes through the bridges of networks are told by the networks' names.
        let mut routes = netlink.host_routes()?;
        routes.retain(|route| {
            let through = |network: &Network| route.interface.as_ref() == Some(&network.bridge);
            !existing.iter().any(through)
        });
        let bridge = adopted.map_or("", |adopted| adopted.name.as_str());
        Ok(decide(
            request,
            &Surroundings {
                held: &held_by_routes(&routes, bridge),
                networks: &networks,
                bridges: &bridges,
                pools: &self.settings.address_pools,
                random: random_bytes().map_err(NetworkError::Random)?,
            },
        )?)
    }

    fn define(
        &self,
        decision: Decision,
        (adopted, netlink): (Option<AdoptedBridge>, &mut Netlink),
    ) -> Result<Network, NetworkError> {
        let id = ContainerId::random()?;
        let options = decision.options;
        let bridge = match &options.bridge_name {
            Some(name) => name.to_string(),
            None => format!("{BRIDGE_PREFIX}{}", id.short()),
        };
        let mtu = match (options.mtu, &adopted) {
            (Some(mtu), _) => mtu,
            (None, Some(adopted)) => adopted.mtu,
            (None, None) => self.usual_mtu(netlink)?,
        };
        Ok(Network {
            id,
            name: decision.name,
            created_seconds: now_seconds(),
            bridge,
            segments: 0,
            bridge_mac: MacAddress::random()?,
            ownership: match adopted {
                Some(adopted) => adopted.ownership(),
                None => Ownership::Own,
            },
            ipv4: decision.ipv4,
            ipv6: decision.ipv6,
            mtu,
            icc: options.icc.unwrap_or(Icc::from(self.settings.icc)),
            masquerade: options
                .masquerade
                .unwrap_or(self.settings.ip_masquerade.into()),
            gateway_mode: options.gateway_mode.unwrap_or(GatewayMode::Nat),
            reach: decision.reach,
            names: options.names.unwrap_or(Names::Dns),
            publish_address: options
                .publish_address
                .or_else(|| self.settings.publish_address()),
            labels: decision.labels,
            options: decision.typed_options,
        })
    }

    fn make(&self, network: &Network, narrator: &mut dyn Narrator) -> Result<(), NetworkError> {
        let _lock = self.network(&network.name).lock()?;
        let netlink = LazyNetlink::default();
        let context = Context {
            host: self,
            netlink: &netlink,
        };
        // Rules of a network that is new are never in place, and neither are the settings of a bridge that was there before.
        self.complete_bridge(context, network, narrator)?;
        match self.firewall {
            Firewall::Iptables | Firewall::Nftables => reload::reload(self),
            Firewall::None => Ok(()),
        }
    }

    fn begin_removal(&self, network: &Network) -> Result<(), NetworkError> {
        let path = self.definition(&network.name);
        fs::rename(&path, self.removed_definition(&network.name))
            .map_err(|error| NetworkError::file("rename", &path, error))
    }

    fn finish_removal(
        &self,
        network: &Network,
        narrator: &mut dyn Narrator,
    ) -> Result<(), NetworkError> {
        self.distrust_rules()?;
        self.reload_if_unknown()?;
        let netlink = LazyNetlink::default();
        let context = Context {
            host: self,
            netlink: &netlink,
        };
        // Of an adopted bridge that somebody deleted, nothing is left to take away.
        if device::find(context, network)?.is_some() {
            for action in device_removal(network) {
                let step = NetworkStep { context, action };
                step.apply()?;
                narrator.tell(&step);
            }
        }
        for (_, devices) in network.segments() {
            for action in segment_devices::removal(&devices) {
                let step = NetworkStep { context, action };
                step.apply()?;
                narrator.tell(&step);
            }
        }
        // Nothing that holds them can end without the bridge, or on it without its addresses.
        for interface in self.departed_from(network)? {
            ClosedPort { interface }.delete(self, narrator)?;
        }
        let state = self.network(&network.name);
        match fs::remove_dir_all(state.directory()) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(NetworkError::file("remove", state.directory(), error));
            }
            _ => {}
        }
        let path = self.removed_definition(&network.name);
        fs::remove_file(&path).map_err(|error| NetworkError::file("remove", &path, error))
    }
}

/// What takes the device away, or what we gave to one that stays.
fn device_removal<'a>(network: &Network) -> Vec<Action<'a>> {
    let Ownership::Adopted {
        addresses: before,
        settings,
    } = &network.ownership
    else {
        return vec![Action::DeleteBridge(network.bridge.clone())];
    };
    let settings = settings.iter().map(|(path, value)| {
        Action::SetSysctl(SysctlChange {
            sysctl: Sysctl::new(path),
            value: value.clone(),
        })
    });
    let addresses = network
        .families()
        .filter(|(_, addressing)| !before.contains(&addressing.gateway))
        .map(|(_, addressing)| {
            Action::RemoveBridgeAddress(RemoveAddress {
                name: network.bridge.clone(),
                address: InterfaceAddress {
                    address: addressing.gateway,
                    prefix_length: addressing.subnet.prefix_len(),
                },
            })
        });
    settings.chain(addresses).collect()
}

/// A bridge that was there before the network.
struct AdoptedBridge {
    name: String,
    mtu: u32,
    addresses: Vec<InterfaceAddress>,
}

/// The bridge that a request names, if the host has it.
fn adopted_bridge(
    request: &NetworkRequest,
    netlink: &mut Netlink,
) -> Result<Option<AdoptedBridge>, NetworkError> {
    // Whatever is wrong with the options is told with everything else.
    let (options, _) = NetworkOptions::read(&request.options);
    let Some(name) = options.bridge_name else {
        return Ok(None);
    };
    let Some(link) = netlink.find_link(name.as_str())? else {
        return Ok(None);
    };
    if link.kind != LinkKind::Bridge {
        return Err(NetworkError::NotABridgeDevice(link.name));
    }
    Ok(Some(AdoptedBridge {
        addresses: netlink.list_addresses(link.index)?,
        name: link.name,
        mtu: link.mtu,
    }))
}

impl AdoptedBridge {
    /// What has to be left as it was. A setting that this kernel does not have needs no keeping.
    fn ownership(&self) -> Ownership {
        let addresses = self.addresses.iter().map(|address| address.address);
        let settings = device::changed_settings(&self.name);
        let settings = settings
            .iter()
            .filter_map(|sysctl| Some((sysctl.relative_path(), sysctl.read().ok()?)));
        Ownership::Adopted {
            addresses: addresses.collect(),
            settings: settings.collect(),
        }
    }

    /// The request with the subnet that the bridge has, unless it asks for one.
    fn complete(&self, request: &NetworkRequest) -> NetworkRequest {
        let mut request = request.clone();
        let ipv4 = self
            .addresses
            .iter()
            .find(|address| address.address.is_ipv4());
        if let (true, Some(address)) = (request.subnets.is_empty(), ipv4)
            && let Some(net) = device::as_subnet(*address)
        {
            request.subnets.push(net.trunc().to_string());
            request.gateways.push(address.address.to_string());
        }
        request
    }
}
