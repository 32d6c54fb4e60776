//! Addresses of links, of both families.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};

use crate::error::NetnsError;
use crate::explain::{Explain, Explanation};
use crate::family::{Family, is_link_local};
use crate::link::LinkIndex;
use crate::netlink::{Netlink, Request};
use crate::request_error::RequestError;

/// An address of a link and the length of its network prefix. Written as `172.17.0.1/16` or `fd00::1/64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceAddress {
    /// The address itself.
    pub address: IpAddr,
    /// How many leading bits the network shares: 0 to 32 for IPv4, 0 to 128 for IPv6.
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

/// Taking an address from a link, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveAddress {
    /// The link's name.
    pub name: String,
    /// The address it loses.
    pub address: InterfaceAddress,
}

impl InterfaceAddress {
    /// The address that all hosts of the network listen to: the last one. None where the network is too small to have one
    /// (RFC 3021), and for IPv6, which has no broadcast.
    pub fn broadcast(&self) -> Option<Ipv4Addr> {
        let IpAddr::V4(address) = self.address else {
            return None;
        };
        let host_bits = u32::MAX.checked_shr(self.prefix_length.into())?;
        match self.prefix_length {
            0..=30 => Some(Ipv4Addr::from_bits(address.to_bits() | host_bits)),
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
    /// Gives a link an address: for IPv4 with the broadcast address of its network, for IPv6 without looking for others that
    /// use it (duplicate address detection), which would keep it from being used for a second.
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

    /// Takes an address from a link; false if the link did not have it with this prefix length. With the first IPv4 address
    /// of a network the kernel takes the link's others of that network too, unless its `promote_secondaries` is set.
    ///
    /// # Errors
    ///
    /// Fails when there is no such link or the kernel refuses.
    pub fn delete_address(
        &mut self,
        index: LinkIndex,
        address: InterfaceAddress,
    ) -> Result<bool, NetnsError> {
        let message = RouteNetlinkMessage::DelAddress(message(index, address));
        match self.request(Request::existing(message)) {
            Ok(_) => Ok(true),
            Err(error) if error.raw_os_error() == Some(libc::EADDRNOTAVAIL) => Ok(false),
            Err(cause) => Err(NetnsError::DeleteAddress {
                address,
                name: self.name_of(index),
                cause,
            }),
        }
    }

    /// The addresses of a link, IPv4 before IPv6, each in the order the kernel keeps them; without link-local IPv6 addresses,
    /// which the kernel makes itself.
    ///
    /// # Errors
    ///
    /// Fails when the kernel refuses to list addresses.
    pub fn list_addresses(
        &mut self,
        index: LinkIndex,
    ) -> Result<Vec<InterfaceAddress>, NetnsError> {
        let messages =
            self.address_messages(Some(index))
                .map_err(|cause| NetnsError::ListAddresses {
                    name: self.name_of(index),
                    cause,
                })?;
        Ok(messages
            .iter()
            .filter(|message| message.header.index == index.0)
            .filter_map(read)
            .filter(|found| !is_link_local(found.address))
            .collect())
    }

    /// Every address of every link of the namespace, each once and in order, also those of loopback and link-local ones.
    ///
    /// # Errors
    ///
    /// Fails when the kernel refuses to list addresses.
    pub fn local_addresses(&mut self) -> Result<Vec<IpAddr>, NetnsError> {
        let messages = self
            .address_messages(None)
            .map_err(|cause| NetnsError::ListLocalAddresses { cause })?;
        let addresses: BTreeSet<IpAddr> = messages
            .iter()
            .filter_map(read)
            .map(|found| found.address)
            .collect();
        Ok(addresses.into_iter().collect())
    }

    /// The addresses of one link, or of all. Old kernels list those of all whoever is named.
    fn address_messages(
        &mut self,
        of: Option<LinkIndex>,
    ) -> Result<Vec<AddressMessage>, RequestError> {
        // No family is named, so the kernel lists all of them in one go.
        let mut question = AddressMessage::default();
        question.header.index = of.map_or(0, |index| index.0);
        let replies = self.dump(RouteNetlinkMessage::GetAddress(question))?;
        Ok(replies
            .into_iter()
            .filter_map(|reply| match reply {
                RouteNetlinkMessage::NewAddress(message) => Some(message),
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

impl Explain for RemoveAddress {
    fn explain(&self) -> Explanation {
        let RemoveAddress { name, address } = self;
        Explanation {
            sentence: format!("take the address {address} from the interface `{name}`"),
            command: format!("ip address delete {address} dev {name}"),
        }
    }
}

/// The request to give a link an address.
pub(crate) fn add(index: LinkIndex, address: InterfaceAddress) -> Request {
    let mut message = message(index, address);
    match Family::of(address.address) {
        Family::V4 => {
            let broadcast = address.broadcast().map(AddressAttribute::Broadcast);
            message.attributes.extend(broadcast);
        }
        Family::V6 => message.header.flags = AddressHeaderFlags::Nodad,
    }
    Request::create(RouteNetlinkMessage::NewAddress(message))
}

/// The command that does the same.
pub(crate) fn add_command(name: &str, address: InterfaceAddress) -> String {
    match (Family::of(address.address), address.broadcast()) {
        (Family::V6, _) => format!("ip address add {address} dev {name} nodad"),
        (Family::V4, Some(broadcast)) => {
            format!("ip address add {address} broadcast {broadcast} dev {name}")
        }
        (Family::V4, None) => format!("ip address add {address} dev {name}"),
    }
}

fn message(index: LinkIndex, address: InterfaceAddress) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = Family::of(address.address).code();
    message.header.prefix_len = address.prefix_length;
    message.header.index = index.0;
    message.attributes = vec![
        AddressAttribute::Local(address.address),
        AddressAttribute::Address(address.address),
    ];
    message
}

fn read(message: &AddressMessage) -> Option<InterfaceAddress> {
    // Where both are shown, the second is the other end of a point-to-point link. IPv6 shows the own one alone as the second.
    let local = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            AddressAttribute::Local(address) => Some(*address),
            _ => None,
        });
    let shown = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            AddressAttribute::Address(address) => Some(*address),
            _ => None,
        });
    Some(InterfaceAddress {
        address: local.or(shown)?,
        prefix_length: message.header.prefix_len,
    })
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
