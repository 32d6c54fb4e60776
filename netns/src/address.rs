//! IPv4 addresses of links.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::error::NetnsError;
use crate::explain::{Explain, Explanation};
use crate::link::LinkIndex;
use crate::netlink::{Netlink, Request};

/// An IPv4 address of a link and the length of its network prefix. Written as `172.17.0.1/16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceAddress {
    /// The address itself.
    pub address: Ipv4Addr,
    /// How many leading bits the network shares, 0 to 32.
    pub prefix_length: u8,
}

/// Giving a link an address, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddAddress {
    /// The link's name.
    pub name: String,
    /// The address it gets.
    pub address: InterfaceAddress,
}

impl InterfaceAddress {
    /// The address that all hosts of the network listen to: the last one. None where the network is too small to have one
    /// (RFC 3021).
    pub fn broadcast(&self) -> Option<Ipv4Addr> {
        let host_bits = u32::MAX.checked_shr(self.prefix_length.into())?;
        match self.prefix_length {
            0..=30 => Some(Ipv4Addr::from_bits(self.address.to_bits() | host_bits)),
            _ => None,
        }
    }
}

impl fmt::Display for InterfaceAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix_length)
    }
}

impl Netlink {
    /// Gives a link an address, with the broadcast address of its network.
    ///
    /// # Errors
    ///
    /// Fails when the link has it already (`EEXIST`), there is no such link or the kernel refuses.
    pub fn add_address(
        &mut self,
        index: LinkIndex,
        address: InterfaceAddress,
    ) -> Result<(), NetnsError> {
        self.request(add(index, address))
            .map(drop)
            .map_err(|cause| NetnsError::AddAddress {
                address,
                name: self.name_of(index),
                cause,
            })
    }

    /// The IPv4 addresses of a link, in the order the kernel keeps them.
    ///
    /// # Errors
    ///
    /// Fails when the kernel refuses to list addresses.
    pub fn list_addresses(
        &mut self,
        index: LinkIndex,
    ) -> Result<Vec<InterfaceAddress>, NetnsError> {
        let mut question = AddressMessage::default();
        question.header.family = AddressFamily::Inet;
        question.header.index = index.0;
        let replies = self
            .dump(RouteNetlinkMessage::GetAddress(question))
            .map_err(|cause| NetnsError::ListAddresses {
                name: self.name_of(index),
                cause,
            })?;
        Ok(replies
            .iter()
            .filter_map(|reply| match reply {
                RouteNetlinkMessage::NewAddress(message) if message.header.index == index.0 => {
                    read(message)
                }
                _ => None,
            })
            .collect())
    }
}

impl Explain for AddAddress {
    fn explain(&self) -> Explanation {
        Explanation {
            sentence: format!(
                "give the interface `{}` the address {}",
                self.name, self.address
            ),
            command: add_command(&self.name, self.address),
        }
    }
}

/// The request to give a link an address.
pub(crate) fn add(index: LinkIndex, address: InterfaceAddress) -> Request {
    let mut message = AddressMessage::default();
    message.header.family = AddressFamily::Inet;
    message.header.prefix_len = address.prefix_length;
    message.header.index = index.0;
    message.attributes = vec![
        AddressAttribute::Local(IpAddr::V4(address.address)),
        AddressAttribute::Address(IpAddr::V4(address.address)),
    ];
    let broadcast = address.broadcast().map(AddressAttribute::Broadcast);
    message.attributes.extend(broadcast);
    Request::create(RouteNetlinkMessage::NewAddress(message))
}

/// The command that does the same.
pub(crate) fn add_command(name: &str, address: InterfaceAddress) -> String {
    match address.broadcast() {
        Some(broadcast) => format!("ip address add {address} broadcast {broadcast} dev {name}"),
        None => format!("ip address add {address} dev {name}"),
    }
}

fn read(message: &AddressMessage) -> Option<InterfaceAddress> {
    let own = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            AddressAttribute::Local(IpAddr::V4(address)) => Some(*address),
            _ => None,
        });
    Some(InterfaceAddress {
        address: own?,
        prefix_length: message.header.prefix_len,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge_device::BridgeDevice;
    use crate::scratch::in_fresh_namespace;

    const GATEWAY: InterfaceAddress = InterfaceAddress {
        address: Ipv4Addr::new(172, 17, 0, 1),
        prefix_length: 16,
    };

    #[test]
    fn an_address_is_added_once_and_listed() {
        in_fresh_namespace(|| {
            let mut netlink = Netlink::open().unwrap();
            let index = netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
            netlink.add_address(index, GATEWAY).unwrap();
            assert_eq!(netlink.list_addresses(index).unwrap(), [GATEWAY]);
            assert_eq!(netlink.list_addresses(LinkIndex::LOOPBACK).unwrap(), []);

            let error = netlink.add_address(index, GATEWAY).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EEXIST));
            let text = error.to_string();
            assert!(
                text.contains("`172.17.0.1/16`") && text.contains("`minirun0`"),
                "{text}"
            );
        });
    }

    #[test]
    fn an_impossible_prefix_is_refused_by_the_kernel() {
        in_fresh_namespace(|| {
            let mut netlink = Netlink::open().unwrap();
            let index = netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
            let address = InterfaceAddress {
                prefix_length: 33,
                ..GATEWAY
            };
            let error = netlink.add_address(index, address).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
        });
    }

    #[test]
    fn the_broadcast_address_is_the_last_of_the_network() {
        let broadcast = |prefix_length| {
            InterfaceAddress {
                prefix_length,
                ..GATEWAY
            }
            .broadcast()
        };
        assert_eq!(broadcast(0), Some(Ipv4Addr::BROADCAST));
        assert_eq!(broadcast(16), Some(Ipv4Addr::new(172, 17, 255, 255)));
        assert_eq!(broadcast(30), Some(Ipv4Addr::new(172, 17, 0, 3)));
        assert_eq!([broadcast(31), broadcast(32), broadcast(33)], [None; 3]);
    }

    #[test]
    fn the_step_prints_its_command() {
        let step = AddAddress {
            name: "minirun0".to_string(),
            address: GATEWAY,
        };
        assert_eq!(
            step.explain().command,
            "ip address add 172.17.0.1/16 broadcast 172.17.255.255 dev minirun0"
        );
    }
}
