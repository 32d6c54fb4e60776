//! Attaching a container to a network.
//!
//! Theory of operation
//!
//! 1. The network's lock is taken; everything below happens under it.
//! 2. Resolve: an address is leased, host ports are bound, and the records of the peers are read: those this container
//!    is linked to, and those that are linked to it. All of them may have changed while it was stopped.
//! 3. Plan: the record, the claims, one firewall transaction, the hosts files of this container and of those linked to
//!    it, and the devices, as a list of steps. This part is pure.
//! 4. Apply. A failure takes the steps back, then the lease and the ports.
//!
//! The container's process exists already, with its network namespace, and makes its root file system meanwhile.

use crate::device;
use crate::endpoint::{Endpoint, HostsRecord};
use crate::error::NetworkError;
use crate::id::ContainerId;
use crate::lazy_netlink::LazyNetlink;
use crate::link::Link;
use crate::name::{ContainerName, Hostname};
use crate::network::Network;
use crate::plan;
use crate::port::ExposedPort;
use crate::publication::Publication;
use crate::publish::PublishRequest;
use crate::reload::KnownRules;
use crate::reservation::Reservation;
use crate::resolve::Resolved;
use crate::state::NetworkHost;
use crate::step::{Action, Context, NetworkStep, RulesChange};
use minirun_netns::{
    EndpointAddress, LinkIndex, MacAddress, Namespace, Narrator, SetLinkDown, VethPair,
};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;

/// The name of a container's interface on its only network.
pub const CONTAINER_INTERFACE: &str = "eth0";

/// What a container wants of a network.
#[derive(Debug, Clone)]
pub struct EndpointRequest {
    /// The container.
    pub container: ContainerId,
    /// Its name.
    pub name: ContainerName,
    /// Its host name.
    pub hostname: Hostname,
    /// The IPv4 address the user insists on.
    pub static_address: Option<Ipv4Addr>,
    /// The address it had last time, taken again if it is free.
    pub last_address: Option<Ipv4Addr>,
    /// The MAC the user insists on.
    pub mac: Option<MacAddress>,
    /// The ports a link to it opens.
    pub exposed: BTreeSet<ExposedPort>,
    /// The ports of the host that shall lead to it.
    pub publish: Vec<PublishRequest>,
    /// The host ports it had last time; random ones are taken again if they are free.
    pub last_publications: Vec<Publication>,
    /// Whom it is linked to.
    pub links: Vec<Link>,
    /// Its hosts file.
    pub hosts: HostsRecord,
}

/// A namespace to attach, and how commands that are shown to people call it.
#[derive(Debug, Clone, Copy)]
pub struct NamespaceToAttach<'a> {
    /// The namespace.
    pub namespace: &'a Namespace,
    /// A path a person could type, such as `/proc/4242/ns/net`.
    pub label: &'a str,
}

/// A container that is attached. Whoever holds it keeps the host ports reserved.
#[derive(Debug)]
pub struct Attachment {
    /// The network as it was when the container was attached.
    pub network: Network,
    /// The container's place on it.
    pub endpoint: Endpoint,
    /// The bound sockets of its published ports.
    pub reservations: Vec<Reservation>,
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
        let netlink = LazyNetlink::default();
        let context = Context {
            host: self,
            netlink: &netlink,
        };
        let lock = self.network(&network.name).lock()?;
        // Another command may have changed the network since the caller looked.
        let network = self.load_or_create_locked(&network.name, &lock)?;
        let bridge = self.ensure_bridge(context, &network, narrator)?;
        let resolved = self.resolve(&network, request)?;
        let steps = resolved.plan(context, bridge, place);
        match plan::apply(steps, narrator) {
            Ok(applied) => applied.commit(),
            Err(error) => {
                self.release_lease(&network, &resolved.endpoint);
                return Err(error);
            }
        }
        Ok(Attachment {
            network,
            endpoint: resolved.endpoint,
            reservations: resolved.reservations,
        })
    }
}

impl Resolved {
    fn plan<'a>(
        &self,
        context: Context<'a>,
        bridge: LinkIndex,
        place: NamespaceToAttach<'a>,
    ) -> Vec<NetworkStep<'a>> {
        let mut actions = vec![Action::Register(
            self.network.clone(),
            Box::new(self.endpoint.clone()),
        )];
        for publication in &self.endpoint.publications {
            actions.push(Action::ClaimPort(
                *publication,
                Box::new(self.endpoint.clone()),
            ));
        }
        actions.extend(self.rules());
        actions.extend(self.hosts());
        // A namespace may outlive its container, and would go on answering for the address.
        let previous = self.previous_interface.clone();
        actions.extend(previous.map(|name| Action::SetDown(SetLinkDown { name })));
        actions.extend(self.devices(bridge, place));
        actions
            .into_iter()
            .map(|action| NetworkStep { context, action })
            .collect()
    }

    fn rules<'a>(&self) -> Option<Action<'a>> {
        let sentence = match self.known {
            KnownRules::Match if self.rules.0.is_empty() => return None,
            KnownRules::Unknown => "make all rules from what is recorded".to_string(),
            KnownRules::Match => format!(
                "let the firewall pass what `{}` publishes and is linked to",
                self.endpoint.name
            ),
        };
        Some(Action::ChangeRules(RulesChange::new(
            sentence,
            self.known,
            self.rules.clone(),
        )))
    }

    /// The hosts files of this container and of the running ones that are linked to it.
    fn hosts<'a>(&self) -> Vec<Action<'a>> {
        let mut actions = vec![Action::WriteHosts {
            owner: self.endpoint.name.to_string(),
            path: self.endpoint.hosts.path.clone(),
            text: self.endpoint.hosts_file(&self.targets).render(),
            before: String::new(),
        }];
        actions.extend(self.sources.iter().map(|source| {
            let mut with_this = source.other_targets.clone();
            with_this.push(self.endpoint.clone());
            Action::WriteHosts {
                owner: source.endpoint.name.to_string(),
                path: source.endpoint.hosts.path.clone(),
                text: source.endpoint.hosts_file(&with_this).render(),
                before: source.endpoint.hosts_file(&source.other_targets).render(),
            }
        }));
        actions
    }

    fn devices<'a>(&self, bridge: LinkIndex, place: NamespaceToAttach<'a>) -> [Action<'a>; 3] {
        [
            Action::CreateVeth(VethPair {
                host_name: self.endpoint.interface.clone(),
                container_name: CONTAINER_INTERFACE.into(),
                container_mac: self.endpoint.mac,
                mtu: self.network.mtu,
                bridge,
                bridge_name: self.network.bridge.clone(),
                namespace: place.namespace.as_fd(),
                namespace_label: place.label.into(),
            }),
            Action::SetPort(device::bridge_port(&self.endpoint, self.network.icc)),
            Action::ConfigureEndpoint(
                place.namespace,
                EndpointAddress {
                    interface: CONTAINER_INTERFACE.into(),
                    address: self.endpoint.address,
                    prefix_length: self.network.subnet.prefix_len(),
                    gateway: Some(self.network.gateway),
                    namespace_label: place.label.into(),
                },
            ),
        ]
    }
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

    /// Makes the bridge if it is not there, and finishes what a killed command has begun on it.
    pub(crate) fn ensure_bridge(
        &self,
        context: Context<'_>,
        network: &Network,
        narrator: &mut dyn Narrator,
    ) -> Result<LinkIndex, NetworkError> {
        let found = device::find(context, network)?;
        if let Some(index) = found
            && device::is_complete(context, network, index)?
        {
            return Ok(index);
        }
        // Whatever was interrupted may have been so before its rules were changed.
        self.begin_rules_change();
        let mut steps = device::completion(context, network);
        if found.is_none() {
            steps.insert(0, device::creation(context, network));
        }
        let endpoints = self.network(&network.name).all()?;
        let icc = device::icc_actions(network, &endpoints);
        steps.extend(
            icc.into_iter()
                .map(|action| NetworkStep { context, action }),
        );
        plan::apply(steps, narrator)?.commit();
        device::find(context, network)?.ok_or_else(|| NetworkError::LinkVanished {
            link: network.bridge.clone(),
        })
    }
}
