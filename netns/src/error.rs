//! Everything that can fail in this crate, by the step that failed.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use crate::address::InterfaceAddress;
use crate::mac::MacAddress;
use crate::netfilter::PortRedirect;
use crate::netfilter::nf_tables::CommitError;
use crate::request_error::RequestError;

/// A step that failed. The message is whole: it names the thing and says why, so there is no further source to print.
#[derive(Debug, thiserror::Error)]
pub enum NetnsError {
    /// A namespace's file could not be opened.
    #[error("cannot open the network namespace `{path}`: {cause}")]
    OpenNamespace {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A file is not a network namespace.
    #[error("`{path}` is not a network namespace: name a file such as `/proc/PID/ns/net`")]
    NotANetworkNamespace {
        /// The file.
        path: PathBuf,
    },
    /// A namespace could not be entered.
    #[error("cannot enter the network namespace `{path}`: {cause}")]
    EnterNamespace {
        /// The file it was opened by.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The thread could not go back to the namespace it came from.
    #[error("cannot return to the network namespace that the thread came from: {cause}")]
    LeaveNamespace {
        /// Why.
        cause: io::Error,
    },
    /// There is no connection to the kernel.
    #[error("cannot connect to the kernel's network configuration: {cause}")]
    OpenNetlink {
        /// Why.
        cause: io::Error,
    },
    /// A bridge was not made.
    #[error("cannot create the bridge `{name}`: {cause}")]
    CreateBridge {
        /// Its name.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// A veth pair was not made.
    #[error("cannot create the veth pair `{host}` and `{container}`: {cause}")]
    CreateVeth {
        /// The name of the host end.
        host: String,
        /// The name of the other end.
        container: String,
        /// Why.
        cause: RequestError,
    },
    /// A link could not be looked up.
    #[error("cannot look up the interface `{name}`: {cause}")]
    FindLink {
        /// Its name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// A link is not there, although it must be.
    #[error("there is no interface `{name}`")]
    NoSuchLink {
        /// Its name.
        name: String,
    },
    /// A link could not be set up.
    #[error("cannot set the interface `{name}` up: {cause}")]
    SetUp {
        /// Its name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// A link could not be set down.
    #[error("cannot set the interface `{name}` down: {cause}")]
    SetDown {
        /// Its name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// A link could not be deleted.
    #[error("cannot delete the interface `{name}`: {cause}")]
    DeleteLink {
        /// Its name.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// A link could not be made a port of a bridge.
    #[error("cannot make the interface `{name}` a bridge port: {cause}")]
    SetController {
        /// Its name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// A bridge port could not be set.
    #[error("cannot set the bridge port `{name}`: {cause}")]
    SetBridgePort {
        /// The name of its link, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// The ports of a bridge could not be listed.
    #[error("cannot list the ports of the bridge `{name}`: {cause}")]
    ListPorts {
        /// The bridge's name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// A link did not get its address.
    #[error("cannot give the interface `{name}` the address `{address}`: {cause}")]
    AddAddress {
        /// The address.
        address: InterfaceAddress,
        /// The link's name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// The addresses of a link could not be listed.
    #[error("cannot list the addresses of the interface `{name}`: {cause}")]
    ListAddresses {
        /// The link's name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// A link did not lose its address.
    #[error("cannot take the address `{address}` from the interface `{name}`: {cause}")]
    DeleteAddress {
        /// The address.
        address: InterfaceAddress,
        /// The link's name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// The addresses of all links could not be listed.
    #[error("cannot list the addresses of this host: {cause}")]
    ListLocalAddresses {
        /// Why.
        cause: RequestError,
    },
    /// A default route was not made.
    #[error("cannot add the default route by the gateway `{gateway}` through `{name}`: {cause}")]
    AddDefaultRoute {
        /// The router.
        gateway: IpAddr,
        /// The link's name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// A default route was not deleted.
    #[error("cannot delete the default route{}: {cause}", by(.gateway))]
    DeleteDefaultRoute {
        /// The router; none for a route that has none, or several.
        gateway: Option<IpAddr>,
        /// Why.
        cause: RequestError,
    },
    /// The routes could not be listed.
    #[error("cannot list the routes of this host: {cause}")]
    ListRoutes {
        /// Why.
        cause: RequestError,
    },
    /// The neighbours of a link could not be forgotten.
    #[error("cannot forget the neighbours of the interface `{name}`: {cause}")]
    FlushNeighbours {
        /// The link's name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// A link was not made to answer for an address.
    #[error("cannot let the interface `{name}` answer for the address `{address}`: {cause}")]
    AddProxyNeighbour {
        /// The address.
        address: Ipv6Addr,
        /// The link's name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// An Ethernet address was not kept at a bridge port.
    #[error("cannot keep the Ethernet address {mac} at the bridge port `{name}`: {cause}")]
    PinStation {
        /// The address.
        mac: MacAddress,
        /// The link's name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// An Ethernet address is still kept at a bridge port.
    #[error("cannot let go of the Ethernet address {mac} at the bridge port `{name}`: {cause}")]
    UnpinStation {
        /// The address.
        mac: MacAddress,
        /// The link's name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// A link still answers for an address.
    #[error(
        "cannot stop the interface `{name}` from answering for the address `{address}`: {cause}"
    )]
    DeleteProxyNeighbour {
        /// The address.
        address: Ipv6Addr,
        /// The link's name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// The addresses that a link answers for could not be listed.
    #[error("cannot list the addresses that the interface `{name}` answers for: {cause}")]
    ListProxyNeighbours {
        /// The link's name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// The kernel cannot speak IPv6.
    #[error("cannot enable IPv6 on the interface `{interface}`: the kernel has no IPv6")]
    KernelWithoutIpv6 {
        /// The interface that should speak it.
        interface: String,
    },
    /// The kernel speaks IPv6, but not on this interface.
    #[error("cannot enable IPv6 on the interface `{interface}`: the kernel offers none on it")]
    InterfaceWithoutIpv6 {
        /// The interface that should speak it.
        interface: String,
    },
    /// A name is no path below `/proc/sys`.
    #[error(
        "`{name}` is not the name of a kernel setting: write its path below `/proc/sys`, as in `net/ipv4/ip_forward`"
    )]
    SysctlName {
        /// The name as given.
        name: String,
    },
    /// A kernel setting could not be read.
    #[error("cannot read the kernel setting `{name}`: {cause}")]
    ReadSysctl {
        /// Its name.
        name: String,
        /// Why.
        cause: io::Error,
    },
    /// A kernel setting could not be written.
    #[error("cannot set the kernel setting `{name}` to `{value}`: {cause}")]
    WriteSysctl {
        /// Its name.
        name: String,
        /// The value it should get.
        value: String,
        /// Why.
        cause: io::Error,
    },
    /// There is no connection to the packet filter.
    #[error("cannot connect to the kernel's packet filter: {cause}")]
    OpenNetfilter {
        /// Why.
        cause: io::Error,
    },
    /// The generation of the packet filter's rules could not be read.
    #[error("cannot read the generation of the packet filter's rules: {cause}")]
    ReadGeneration {
        /// Why.
        cause: RequestError,
    },
    /// A port cannot be redirected by this kernel at all.
    #[error("cannot redirect {redirect}: the kernel has no nf_tables for IPv4")]
    NoNfTables {
        /// Which port, and where to.
        redirect: PortRedirect,
    },
    /// A port was not redirected.
    #[error("cannot redirect {redirect}: {cause}")]
    RedirectPort {
        /// Which port, and where to.
        redirect: PortRedirect,
        /// Why.
        cause: CommitError,
    },
    /// What comes by the ports of bridges cannot be checked by this kernel at all.
    #[error(
        "cannot keep containers to their own addresses: the kernel has no nf_tables for bridges"
    )]
    NoSourceChecks,
    /// The checks of ports of bridges could not be changed.
    #[error("cannot keep containers to their own addresses: {cause}")]
    CheckSources {
        /// Why.
        cause: CommitError,
    },
    /// The chains that judge forwarded packets could not be read.
    #[error("cannot read the rules of nf_tables for forwarded packets: {cause}")]
    ReadForwardFilter {
        /// Why.
        cause: RequestError,
    },
    /// A table of another did not take our rules.
    #[error("cannot let interfaces through the table `{table}`: {cause}")]
    OpenPassage {
        /// Its family and name.
        table: String,
        /// Why.
        cause: RequestError,
    },
    /// The tracked flows could not be listed.
    #[error("cannot list the tracked flows: {cause}")]
    ListFlows {
        /// Why.
        cause: RequestError,
    },
    /// A tracked flow could not be forgotten.
    #[error("cannot forget a tracked flow to `{destination}`: {cause}")]
    ForgetFlow {
        /// Where its first datagram was sent.
        destination: SocketAddr,
        /// Why.
        cause: RequestError,
    },
    /// The kernel gave no random bytes.
    #[error("cannot get random bytes for a MAC address: {cause}")]
    Random {
        /// Why.
        cause: io::Error,
    },
}

fn by(gateway: &Option<IpAddr>) -> String {
    match gateway {
        Some(gateway) => format!(" by the gateway `{gateway}`"),
        None => String::new(),
    }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
