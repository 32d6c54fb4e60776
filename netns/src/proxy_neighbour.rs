//! Addresses that this host answers for on behalf of others.
//!
//! # Theory of operation
//!
//! The ports of a bridge may be isolated from each other, and then nobody behind one port hears who behind another asks for its
//! Ethernet address. With `proxy_ndp=1` and `forwarding=1` the bridge's own interface answers for each address that was listed
//! as a proxy neighbour, with the bridge's Ethernet address; so what is sent there comes to the host, which routes it. For IPv4
//! `proxy_arp_pvlan` does the same without a list.
//!
//! Three more things must hold. `proxy_delay` of the bridge's neighbours is 0, or answers come up to 0.8 seconds late. The
//! bridge has a link-local address and does not wait to use it (`accept_dad=0`), because the host asks for its members' Ethernet
//! addresses from there. And members refuse redirects (`accept_redirects=0`): what the kernel routes back to where it came from
//! it answers with a redirect now and then, beginning with the first packet, which names the Ethernet address of the other
//! member. A TCP connection that heeds it sends into an isolated port from then on.

use std::net::Ipv6Addr;

use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::error::NetnsError;
use crate::explain::{Explain, Explanation};
use crate::link::LinkIndex;
use crate::netlink::{Netlink, Request};

/// Letting a bridge answer for an address of one of its members, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyNeighbour {
    /// The bridge's name.
    pub bridge: String,
    /// The address it answers for.
    pub address: Ipv6Addr,
}

/// Letting a bridge answer for an address no longer, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveProxyNeighbour {
    /// The bridge's name.
    pub bridge: String,
    /// The address it answered for.
    pub address: Ipv6Addr,
}

impl Netlink {
    /// Lets a link answer for an address that is not its own. Doing so again changes nothing. It takes effect while the link's
    /// `proxy_ndp` and `forwarding` are 1.
    ///
    /// # Errors
    ///
    /// Fails when there is no such link, it has no IPv6, or the kernel refuses.
    pub fn add_proxy_neighbour(
        &mut self,
        index: LinkIndex,
        address: Ipv6Addr,
    ) -> Result<(), NetnsError> {
        let message = RouteNetlinkMessage::NewNeighbour(message(index, address));
        self.request(Request::replace(message))
            .map(drop)
            .map_err(|cause| NetnsError::AddProxyNeighbour {
                address,
                name: self.name_of(index),
                cause,
            })
    }

    /// Lets a link answer for an address no longer; false if it did not.
    ///
    /// # Errors
    ///
    /// Fails when there is no such link or the kernel refuses.
    pub fn delete_proxy_neighbour(
        &mut self,
        index: LinkIndex,
        address: Ipv6Addr,
    ) -> Result<bool, NetnsError> {
        let message = RouteNetlinkMessage::DelNeighbour(message(index, address));
        match self.request(Request::existing(message)) {
            Ok(_) => Ok(true),
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
            Err(cause) => Err(NetnsError::DeleteProxyNeighbour {
                address,
                name: self.name_of(index),
                cause,
            }),
        }
    }

    /// The IPv6 addresses that a link answers for on behalf of others, in the order the kernel lists them.
    ///
    /// # Errors
    ///
    /// Fails when the kernel refuses to list them.
    pub fn proxy_neighbours(&mut self, index: LinkIndex) -> Result<Vec<Ipv6Addr>, NetnsError> {
        let mut question = NeighbourMessage::default();
        question.header.family = AddressFamily::Inet6;
        question.header.flags = NeighbourFlags::Proxy;
        let replies = self
            .dump(RouteNetlinkMessage::GetNeighbour(question))
            .map_err(|cause| NetnsError::ListProxyNeighbours {
                name: self.name_of(index),
                cause,
            })?;
        Ok(replies
            .into_iter()
            .filter_map(|reply| match reply {
                RouteNetlinkMessage::NewNeighbour(entry) if entry.header.ifindex == index.0 => {
                    read(&entry)
                }
                _ => None,
            })
            .collect())
    }
}

impl Explain for ProxyNeighbour {
    fn explain(&self) -> Explanation {
        let ProxyNeighbour { bridge, address } = self;
        Explanation {
            sentence: format!("let the bridge `{bridge}` answer for its member {address}"),
            command: format!("ip -6 neighbour add proxy {address} dev {bridge}"),
        }
    }
}

impl Explain for RemoveProxyNeighbour {
    fn explain(&self) -> Explanation {
        let RemoveProxyNeighbour { bridge, address } = self;
        Explanation {
            sentence: format!("let the bridge `{bridge}` answer for {address} no longer"),
            command: format!("ip -6 neighbour delete proxy {address} dev {bridge}"),
        }
    }
}

fn message(index: LinkIndex, address: Ipv6Addr) -> NeighbourMessage {
    let mut message = NeighbourMessage::default();
    message.header.family = AddressFamily::Inet6;
    message.header.ifindex = index.0;
    message.header.flags = NeighbourFlags::Proxy;
    message.attributes = vec![NeighbourAttribute::Destination(NeighbourAddress::Inet6(
        address,
    ))];
    message
}

fn read(entry: &NeighbourMessage) -> Option<Ipv6Addr> {
    if !entry.header.flags.contains(NeighbourFlags::Proxy) {
        return None;
    }
    entry
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet6(address)) => Some(*address),
            _ => None,
        })
}

#[cfg(test)]
#[path = "proxy_neighbour_tests.rs"]
mod tests;
