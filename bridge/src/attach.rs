//! Attaching a container to a network.
//!
//! Theory of operation
//!
//! 1. Whether the bridge is as it should be is asked first, because the kernel may let us wait for the answer. It counts if the
//!    network is still the same when the lock on its records is held; otherwise it is asked again.
//! 2. Under that lock, resolve: addresses are leased, and the records of the peers are read: those this container is linked to, and those
//!    that are linked to it. All of them may have changed while it was stopped.
//! 3. Plan: the record, the claims, one firewall transaction, and the hosts files of this container and of those linked to it;
//!    then the devices. Both are lists of steps, made by pure functions.
//! 4. Apply the first list. A failure takes the steps back, then the leases.
//! 5. The lock on the records is released before the devices are made, since the kernel makes them under a lock of its own and
//!    others could not even lease an address meanwhile. Whoever changes devices of a network by its records waits until those
//!    that were begun before are made ([`crate::state::NetworkState::lock`]), so none is made by what is no longer true. If one
//!    cannot be made, the container is detached like any other.
//!
//! The container's process exists already, with its network namespace; at its start it makes its root file system meanwhile.

use crate::closed_port::ClosedPort;
use crate::detach::hosts_of;
use crate::device;
use crate::egress::Egress;
use crate::endpoint::{DefaultRoute, Endpoint, HostsRecord};
use crate::error::NetworkError;
use crate::id::ContainerId;
use crate::lazy_netlink::LazyNetlink;
use crate::link::Link;
use crate::name::{Alias, ContainerName, Hostname, NetworkName};
use crate::network::Network;
use crate::plan;
use crate::port::ExposedPort;
use crate::publication::Publication;
use crate::reload::{KnownRules, RulesLock};
use crate::resolve::Resolved;
use crate::segment_devices;
use crate::state::{NetworkHost, NetworkLock};
use crate::step::{Action, Context, NetworkStep, RulesChange};
use minirun_netns::{
    EndpointAddress, InterfaceAddress, Ipv6, LinkIndex, MacAddress, Namespace, Narrator,
    SetLinkDown, VethPair,
};
use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsFd;

/// What a container wants of a network.
#[derive(Debug, Clone)]
pub struct EndpointRequest {
    /// The container.
    pub container: ContainerId,
    /// Its name.
    pub name: ContainerName,
    /// Its host name.
    pub hostname: Hostname,
    /// The name of its interface on this network.
    pub interface_name: String,
    /// The IPv4 address the user insists on.
    pub static_address: Option<Ipv4Addr>,
    /// The IPv6 address the user insists on.
    pub static_ipv6_address: Option<Ipv6Addr>,
    /// The IPv4 address it had last time, taken again if it is free.
    pub last_address: Option<Ipv4Addr>,
    /// The IPv6 address it had last time, taken again if it is free.
    pub last_ipv6_address: Option<Ipv6Addr>,
    /// The MAC the user insists on.
    pub mac: Option<MacAddress>,
    /// Other names on this network.
    pub aliases: Vec<Alias>,
    /// The ports a link to it opens.
    pub exposed: BTreeSet<ExposedPort>,
    /// The ports that were asked to be published.
    pub published: BTreeSet<ExposedPort>,
    /// The host ports that lead to it through this network; somebody holds them bound.
    pub publications: Vec<Publication>,
    /// Whether its way to everywhere else leads through this network.
    pub default_route: DefaultRoute,
    /// Whom it is linked to.
    pub links: Vec<Link>,
    /// Its hosts file.
    pub hosts: HostsRecord,
    /// What it may reach beyond the network; the word for names is resolved.
    pub egress: Egress,
}

/// A namespace to attach, and how commands that are shown to people call it.
#[derive(Debug, Clone, Copy)]
pub struct NamespaceToAttach<'a> {
    /// The namespace.
    pub namespace: &'a Namespace,
    /// A path a person could type, such as `/proc/4242/ns/net`.
    pub label: &'a str,
    /// What it gives interfaces that come into it.
    pub gives: Ipv6OfInterfaces<'a>,
}

/// Tells whether a namespace gives IPv6 to interfaces that come into it. It is asked right before one comes, because the answer
/// may have to be waited for.
#[derive(Clone, Copy)]
pub struct Ipv6OfInterfaces<'a>(pub &'a dyn Fn() -> Ipv6);

impl fmt::Debug for Ipv6OfInterfaces<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Ipv6OfInterfaces")
    }
}

impl Ipv6OfInterfaces<'_> {
    /// A namespace in which nobody has set anything.
    pub const USUAL: Ipv6OfInterfaces<'static> = Ipv6OfInterfaces(&|| Ipv6::Enabled);
}

/// A container that is attached.
#[derive(Debug)]
pub struct Attachment {
    /// The network as it was when the container was attached.
    pub network: Network,
    /// The container's place on it.
    pub endpoint: Endpoint,
    /// Ports of containers that have ended and had its addresses. They are down.
    pub replaced: Vec<ClosedPort>,
}

impl NetworkHost {
    /// Attaches a container's network namespace to a network.
    ///
    /// # Errors
    /// [`NetworkError`] of the step that failed; nothing of the attachment remains.
    pub fn attach(
        &self,
        network: &Network,
        request: &EndpointRequest,
        place: NamespaceToAttach<'_>,
        narrator: &mut dyn Narrator,
    ) -> Result<Attachment, NetworkError> {
        match self.attach_once(network, request, place, narrator) {
            Err(error) if error.says_bridge_is_full() => {
                self.count_ports_next_time(network)?;
                self.attach_once(network, request, place, narrator)
            }
            outcome => outcome,
        }
    }

    fn attach_once(
        &self,
        network: &Network,
        request: &EndpointRequest,
        place: NamespaceToAttach<'_>,
        narrator: &mut dyn Narrator,
    ) -> Result<Attachment, NetworkError> {
        let netlink = LazyNetlink::default();
        let context = Context {
            host: self,
            netlink: &netlink,
        };
        let seen = self.find_complete_bridge(context, network)?;
        let lock = self.network(&network.name).lock_records()?;
        // Another command may have changed the network since the caller looked.
        let current = self.load_or_create_locked(&network.name, &lock)?;
        if !self.firewall.enforces(current.icc) || !self.firewall.encloses(current.reach) {
            return Err(NetworkError::CannotEnforce {
                network: current.name,
            });
        }
        self.check_egress(&request.egress)?;
        let bridge = match seen {
            Some(bridge) if current == *network => bridge,
            _ => self.ensure_bridge_for_port(context, (&current, &lock), narrator)?,
        };
        if self
            .network(&current.name)
            .find(&request.container)?
            .is_some()
        {
            // A command that was to connect it was killed when it had done so, and before it had noted it.
            self.disconnect_locked(&current, &request.container)?;
        }
        self.note_change_without_rules()?;
        self.attach_locked(context, (current, bridge, lock), (request, place), narrator)
    }

    /// Attaches a container to a network, on whatever segment has a port, and releases the network's lock as soon as it can. The
    /// network's main bridge is `main`.
    fn attach_locked(
        &self,
        context: Context<'_>,
        (network, main, lock): (Network, LinkIndex, NetworkLock),
        (request, place): (&EndpointRequest, NamespaceToAttach<'_>),
        narrator: &mut dyn Narrator,
    ) -> Result<Attachment, NetworkError> {
        let (network, segment) = self.take_port(context, network, narrator)?;
        let bridge = match segment.is_main() {
            true => main,
            false => device::index_of(context, &network.bridge_of(segment))?,
        };
        let making = self.network(&network.name).share_devices(&lock)?;
        let resolved = self.resolve((&network, segment), request)?;
        match plan::apply(resolved.records(context), narrator) {
            Ok(applied) => applied.commit(),
            Err(error) => {
                self.release_leases(&network, &resolved.endpoint);
                return Err(error);
            }
        }
        let previous = resolved.previous_interfaces.clone();
        let place_on_bridge = resolved.into_place(bridge);
        drop(lock);
        let devices = place_on_bridge.devices(context, &network, place);
        match plan::apply(devices, narrator) {
            Ok(applied) => applied.commit(),
            Err(error) => {
                drop(making);
                self.withdraw(&network.name, &place_on_bridge.endpoint);
                return Err(error);
            }
        }
        if segment.is_main() {
            self.note_port(&network, context.netlink.port_number());
        }
        Ok(Attachment {
            network,
            endpoint: place_on_bridge.endpoint,
            replaced: previous
                .into_iter()
                .map(|interface| ClosedPort { interface })
                .collect(),
        })
    }

    /// Takes a container off a network again whose devices could not be made. Their error is the one to tell, so others do not count.
    fn withdraw(&self, name: &NetworkName, endpoint: &Endpoint) {
        let Ok(_lock) = self.network(name).lock_records() else {
            return;
        };
        if let Ok(Some(network)) = self.load(name) {
            let _ = self.disconnect_locked(&network, &endpoint.container);
            self.release_leases(&network, endpoint);
        }
    }
}

/// Where a recorded endpoint's devices are to be made. Nothing here holds a lock.
struct PlaceOnBridge {
    endpoint: Endpoint,
    bridge: LinkIndex,
}

impl Resolved {
    /// Everything that happens under the network's lock.
    fn records<'a>(&'a self, context: Context<'a>) -> Vec<NetworkStep<'a>> {
        let endpoint = &self.endpoint;
        let sources = self.sources.iter().map(|source| source.container).collect();
        // A namespace may outlive its container, and would go on speaking from the address, now with the rights of another.
        let previous = self.previous_interfaces.iter().cloned();
        let mut actions: Vec<Action<'a>> = previous
            .map(|name| Action::SetDown(SetLinkDown { name }))
            .collect();
        actions.push(Action::Register {
            network: Box::new(self.network.clone()),
            endpoint: Box::new(endpoint.clone()),
            sources,
        });
        actions.extend(
            endpoint
                .publications
                .iter()
                .map(|publication| Action::ClaimPort(*publication, Box::new(endpoint.clone()))),
        );
        actions.extend(self.rules());
        actions.extend(Action::forget_flows(&endpoint.publications));
        let own = hosts_of(endpoint).knowing(&self.network, endpoint);
        actions.push(Action::RefreshHosts(own));
        let sources = self.sources.iter().map(hosts_of);
        actions.extend(sources.map(Action::RefreshHosts));
        // Before the first frame.
        let lock = self.rules_lock();
        let guard = self.guard.clone().zip(lock);
        actions.extend(guard.map(|(guard, lock)| Action::Guard(guard, lock)));
        in_context(context, actions)
    }

    /// Gives up the right to change rules.
    fn into_place(self, bridge: LinkIndex) -> PlaceOnBridge {
        PlaceOnBridge {
            endpoint: self.endpoint,
            bridge,
        }
    }

    fn rules<'a>(&'a self) -> Option<Action<'a>> {
        let rules = self.rules.as_ref()?;
        let sentence = match rules.known {
            KnownRules::Unknown => "make all rules from what is recorded".to_string(),
            KnownRules::Match(_) if !rules.change.0.changes_anything() => format!(
                "see that the rules of network `{}` are in place",
                self.network.name
            ),
            KnownRules::Match(_) => {
                let checks = match self.guard {
                    Some(_) => "",
                    None => ", and nothing that is not from its own addresses",
                };
                format!(
                    "let the firewall pass what `{}` publishes and is linked to{checks}",
                    self.endpoint.name
                )
            }
        };
        Some(Action::ChangeRules(RulesChange::new(
            sentence,
            (&rules.lock, rules.known),
            rules.change.clone(),
        )))
    }

    /// The right to change rules, which whoever attaches a container has, unless nobody here makes any.
    fn rules_lock(&self) -> Option<&RulesLock> {
        let of_rules = self.rules.as_ref().map(|rules| &rules.lock);
        of_rules.or(self.guard_lock.as_ref())
    }
}

impl PlaceOnBridge {
    fn devices<'a>(
        &'a self,
        context: Context<'a>,
        network: &Network,
        place: NamespaceToAttach<'a>,
    ) -> Vec<NetworkStep<'a>> {
        let endpoint = &self.endpoint;
        let mut actions = vec![Action::CreateVeth(VethPair {
            host_name: endpoint.interface.clone(),
            container_name: endpoint.interface_name.clone(),
            container_mac: endpoint.mac,
            mtu: network.mtu,
            bridge: self.bridge,
            port: device::bridge_port(endpoint, network.icc).port,
            bridge_name: network.bridge_of(endpoint.segment),
            namespace: place.namespace.as_fd(),
            namespace_label: place.label.into(),
        })];
        actions.extend(segment_devices::far_station(network, endpoint).map(Action::Pin));
        actions.extend(device::proxy_neighbour(network, endpoint));
        let wanted = device::ipv6(network);
        let has_none = wanted == Ipv6::Disabled && (place.gives.0)() == Ipv6::Disabled;
        actions.push(Action::ConfigureEndpoint {
            namespace: place.namespace,
            ipv6: (!has_none).then_some(wanted),
            address: endpoint_address(network, endpoint, place.label),
        });
        in_context(context, actions)
    }
}

fn in_context<'a>(context: Context<'a>, actions: Vec<Action<'a>>) -> Vec<NetworkStep<'a>> {
    actions
        .into_iter()
        .map(|action| NetworkStep { context, action })
        .collect()
}

/// What the inside of the namespace shall look like.
fn endpoint_address(network: &Network, endpoint: &Endpoint, label: &str) -> EndpointAddress {
    let addresses = network.families().filter_map(|(family, addressing)| {
        Some(InterfaceAddress {
            address: endpoint.address_of(family)?,
            prefix_length: addressing.subnet.prefix_len(),
        })
    });
    EndpointAddress {
        interface: endpoint.interface_name.clone(),
        addresses: addresses.collect(),
        gateways: default_gateways(network, endpoint),
        namespace_label: label.into(),
    }
}

/// The routers of the default routes that an endpoint has.
fn default_gateways(network: &Network, endpoint: &Endpoint) -> Vec<IpAddr> {
    network
        .families()
        .filter(|(family, _)| endpoint.default_route.is_of(*family))
        .map(|(_, addressing)| addressing.gateway)
        .collect()
}

impl NetworkHost {
    /// The running containers that `source` is linked to.
    pub(crate) fn running_targets(&self, network: &Network, source: &Endpoint) -> Vec<Endpoint> {
        let state = self.network(&network.name);
        source
            .links
            .iter()
            .filter_map(|link| state.find_by_name(&link.target).ok().flatten())
            .collect()
    }
}
