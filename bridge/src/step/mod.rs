//! The changes that networking makes to the host, as values.

mod apply;
mod change;
mod devices;
mod explain;

pub use change::{DefinitionChange, HostsChange, RulesChange};

use crate::departed::RecordLeft;
use crate::endpoint::Endpoint;
use crate::firewall::Transaction;
use crate::id::ContainerId;
use crate::lazy_netlink::LazyNetlink;
use crate::network::Network;
use crate::port::Protocol;
use crate::publication::Publication;
use crate::reload::RulesLock;
use crate::source_check::Guard;
use crate::state::NetworkHost;
use minirun_netns::netfilter::UdpPort;
use minirun_netns::{
    AddAddress, BridgeCable, BridgeDevice, EndpointAddress, Ipv6, Namespace, PinStation,
    ProxyNeighbour, RemoveAddress, SetBridgePort, SetController, SetLinkDown, SetLinkUp,
    SysctlChange, UnpinStation, VethPair,
};

/// What steps act on besides themselves.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Where the state is, and the firewall driver.
    pub host: &'a NetworkHost,
    /// A connection to the host's network namespace.
    pub netlink: &'a LazyNetlink,
}

/// One change.
#[derive(Debug)]
pub struct NetworkStep<'a> {
    /// What it acts on.
    pub context: Context<'a>,
    /// What it does.
    pub action: Action<'a>,
}

/// What a step does.
#[derive(Debug)]
pub enum Action<'a> {
    /// Makes the bridge device.
    CreateBridge(BridgeDevice),
    /// Deletes the bridge device.
    DeleteBridge(String),
    /// Gives the bridge an address.
    AddBridgeAddress(AddAddress),
    /// Takes an address from a bridge that stays.
    RemoveBridgeAddress(RemoveAddress),
    /// Sets a sysctl of the host, if it is not set already. What is shared with others is not taken back.
    SetSysctl(SysctlChange),
    /// Lets an interface of the host have IPv6, or not.
    PrepareInterface(String, Ipv6),
    /// Lets the bridge answer for a container's IPv6 address.
    AnswerFor(ProxyNeighbour),
    /// Ends that.
    StopAnsweringFor(ProxyNeighbour),
    /// Writes the endpoint's record, before anything of it exists.
    Register {
        /// The network.
        network: Box<Network>,
        /// The endpoint.
        endpoint: Box<Endpoint>,
        /// The running containers that are linked to it.
        sources: Vec<ContainerId>,
    },
    /// Writes an endpoint's record anew.
    Replace {
        /// The network.
        network: Box<Network>,
        /// The endpoint as it was.
        before: Box<Endpoint>,
        /// The endpoint as it becomes.
        after: Box<Endpoint>,
    },
    /// Removes the endpoint's record and its claims; perhaps the record is kept elsewhere.
    Unregister(Box<Network>, Box<Endpoint>, RecordLeft),
    /// Notes whose a host port is.
    ClaimPort(Publication, Box<Endpoint>),
    /// Changes rules.
    ChangeRules(RulesChange<'a>),
    /// Takes rules away; fails if one of them is not there.
    RemoveRules {
        /// What is told about it.
        sentence: String,
        /// The removal.
        removal: Transaction,
    },
    /// Lets the kernel forget which datagrams belonged together, so that the next one meets the rules that hold now.
    ForgetFlows(Vec<UdpPort>),
    /// Lets nothing in by the host end of a veth pair that is not from the container's own addresses.
    Guard(Guard, &'a RulesLock),
    /// Ends that. The caller has noted that rules change.
    Unguard(Guard),
    /// Does nothing: what keeps the port of a container that has ended to its addresses goes when the port has gone.
    KeepGuard(String),
    /// Makes all guards afresh: what a container may speak from has changed.
    RenewGuards(&'a RulesLock),
    /// Writes the network's definition.
    SaveDefinition(Box<DefinitionChange>),
    /// Writes a hosts file in place.
    RefreshHosts(HostsChange),
    /// Makes the veth pair. It goes with the namespace, so there is nothing to take back at a start.
    CreateVeth(VethPair<'a>),
    /// Does nothing: the veth pair of a container that has ended goes with its namespace.
    LeaveVeth(String),
    /// Deletes a veth pair that does not go by itself: its container goes on running, or connections hold its namespace.
    DeleteVeth(String),
    /// Sets a device of the host up.
    SetUp(SetLinkUp),
    /// Lets no packet pass the host end of a veth pair any more: a namespace may outlive its container, and would answer for
    /// its address.
    SetDown(SetLinkDown),
    /// Makes the host end of a veth pair a port again, after somebody has deleted the bridge.
    Enslave(SetController),
    /// Sets how the bridge treats a port.
    SetPort(SetBridgePort),
    /// Keeps a container's Ethernet address at its port.
    Pin(PinStation),
    /// Ends that.
    Unpin(UnpinStation),
    /// Makes the cable that joins two bridges.
    CreateCable(BridgeCable),
    /// Brings up loopback and an interface inside the namespace.
    ConfigureEndpoint {
        /// The namespace.
        namespace: &'a Namespace,
        /// Whether the interface is to get IPv6, or to lose it; none if it came without.
        ipv6: Option<Ipv6>,
        /// Its addresses and routes.
        address: EndpointAddress,
    },
}

impl Action<'_> {
    /// What makes datagrams that are sent to published ports meet the rules that hold now; nothing for other protocols.
    pub(crate) fn forget_flows<'a>(publications: &[Publication]) -> Option<Action<'a>> {
        let ports: Vec<UdpPort> = publications
            .iter()
            .filter(|publication| publication.container.protocol == Protocol::Udp)
            .map(|publication| UdpPort {
                address: publication.host_address,
                port: publication.host_port.get(),
            })
            .collect();
        (!ports.is_empty()).then_some(Action::ForgetFlows(ports))
    }
}
