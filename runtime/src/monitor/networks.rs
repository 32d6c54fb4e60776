//! Giving a container the networks it asked for, at its start.

use super::resolver::serve_names;
use crate::config::{ContainerConfig, NetworkMode};
use crate::connections::Connections;
use crate::container_state::ContainerPaths;
use crate::error::RuntimeError;
use crate::last_place::{LastAddresses, LastPlace};
use crate::process::{HeldProcess, NewInterfaces};
use crate::runtime::Runtime;
use minirun_bridge::atomic_file;
use minirun_bridge::attach::{Ipv6OfInterfaces, NamespaceToAttach};
use minirun_bridge::closed_port::{ClosedPort, LastConnections};
use minirun_bridge::dns::Server;
use minirun_bridge::endpoint::Endpoint;
use minirun_bridge::id::ContainerId;
use minirun_bridge::reservation::Reservation;
use minirun_netns::{Ipv6, Namespace, Narrator, Netlink, Silent, bring_up_loopback};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// What a container has of networks that its monitor keeps.
#[derive(Default)]
pub(super) struct ContainerNetwork {
    /// The bound sockets of its published ports. Whoever holds them keeps the host ports reserved.
    pub(super) _reservations: Vec<Reservation>,
    /// Its own network namespace, if it is on a network: what is left in it is looked at when the container has ended.
    namespace: Option<Namespace>,
    /// Ports of containers that have ended and had its addresses.
    replaced: Vec<ClosedPort>,
    /// Its DNS server, if it has one.
    pub(super) resolver: Option<Server>,
    /// What it takes up again at its next start.
    place: Option<LastPlace>,
}

impl ContainerNetwork {
    /// Notes the addresses and the host ports, for the next start and for who connects the container to other networks. The
    /// program can do without, so a failure does not count.
    pub(super) fn remember(&mut self, paths: &ContainerPaths) {
        if let Some(place) = self.place.take() {
            let _ = atomic_file::write_json(&paths.last_place(), &place);
        }
    }

    /// Lets the connections end that the container had open, and lets go of its namespace.
    pub(super) fn settle(
        &mut self,
        (runtime, id): (&Runtime, &ContainerId),
    ) -> Result<LastConnections, RuntimeError> {
        // Its sockets are in the namespace as well.
        self.resolver = None;
        match self.namespace.take() {
            Some(namespace) => Ok(runtime.networks.settle(id, &namespace)?),
            None => Ok(LastConnections::Settled),
        }
    }

    /// Deletes ports whose addresses it has now, if they are still there. They are down, so a failure does not count.
    pub(super) fn delete_replaced(&mut self, runtime: &Runtime) {
        for port in self.replaced.drain(..) {
            let _ = port.delete(&runtime.networks, &mut Silent);
        }
    }
}

/// What the interfaces are to have of IPv6 that the networks will give the container.
pub(super) fn new_interfaces(connections: &Connections) -> NewInterfaces {
    let mut networks = connections.joined.iter().map(|joined| &joined.network);
    match networks.any(|network| network.ipv6.is_none()) {
        true => NewInterfaces::WithoutIpv6,
        false => NewInterfaces::AsUsual,
    }
}

/// The network namespace of the container whose network is shared.
pub(super) fn shared_namespace(
    runtime: &Runtime,
    config: &ContainerConfig,
) -> Result<Option<Namespace>, RuntimeError> {
    let NetworkMode::Container(owner) = &config.network.mode else {
        return Ok(None);
    };
    match runtime.network_namespace(owner) {
        Some(namespace) => Ok(Some(namespace)),
        None => {
            let name = runtime.read(owner)?.map(|owner| owner.name.to_string());
            Err(RuntimeError::SharedNotRunning(
                name.unwrap_or_else(|| owner.short()),
            ))
        }
    }
}

/// Gives the container the networks it asked for, one interface each. If its process was born into a network namespace that was there
/// before, it is that.
pub(super) fn connect(
    (runtime, config): (&Runtime, &ContainerConfig),
    connections: &Connections,
    (held, born_into): (&mut HeldProcess, Option<Namespace>),
    narrator: &mut dyn Narrator,
) -> Result<ContainerNetwork, RuntimeError> {
    if !config.network.mode.is_private() {
        return Ok(ContainerNetwork::default());
    }
    let label = format!("/proc/{}/ns/net", held.pid());
    let namespace = match born_into {
        Some(namespace) => namespace.known_as(&label),
        None => Namespace::open(&label)?,
    };
    if connections.joined.is_empty() {
        bring_up_loopback(&mut Netlink::open_in(&namespace)?)?;
    }
    if config.network.mode == NetworkMode::None {
        return Ok(ContainerNetwork::default());
    }
    let paths = runtime.paths(&config.id);
    let mut last = paths.read_last_place()?;
    let request = connections.ports_request((runtime, config), &last);
    let reservations = runtime.reserve_waiting(&request)?;
    last.publications = reservations
        .iter()
        .map(|reservation| reservation.publication)
        .collect();
    let held = RefCell::new(held);
    let gives = || match held.borrow_mut().gives_interfaces_no_ipv6() {
        true => Ipv6::Disabled,
        false => Ipv6::Enabled,
    };
    let place = NamespaceToAttach {
        namespace: &namespace,
        label: &label,
        gives: Ipv6OfInterfaces(&gives),
    };
    let mut addresses = BTreeMap::new();
    let mut replaced = Vec::new();
    for (number, joined) in connections.joined.iter().enumerate() {
        let interface = format!("eth{number}");
        let request = connections.endpoint_request((config, &paths), joined, (interface, &last));
        let attached = runtime.attach_waiting(&joined.network, &request, place, narrator)?;
        addresses.insert(
            joined.network.name.clone(),
            last_addresses(&attached.endpoint),
        );
        replaced.extend(attached.replaced);
    }
    last.addresses = addresses;
    Ok(ContainerNetwork {
        place: Some(last),
        _reservations: reservations,
        resolver: serve_names((runtime, config), connections, (&namespace, narrator))?,
        namespace: Some(namespace),
        replaced,
    })
}

/// The addresses that an endpoint has.
pub(crate) fn last_addresses(endpoint: &Endpoint) -> LastAddresses {
    LastAddresses {
        ipv4: Some(endpoint.address),
        ipv6: endpoint.ipv6_address,
    }
}
