//! What fields of packets are compared with.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::mac::MacAddress;

/// The type of a field, of a part of a key, or of a part of a map's data, with the name that `nft` has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataType {
    /// `ipv4_addr`
    Ipv4Address,
    /// `ipv6_addr`
    Ipv6Address,
    /// `inet_proto`: TCP, UDP, SCTP …
    Protocol,
    /// `inet_service`: a port
    Port,
    /// `ifname`
    Interface,
    /// `ether_addr`
    EthernetAddress,
    /// `nf_proto`: IPv4 or IPv6
    Family,
    /// `fib_addrtype`
    AddressType,
    /// The target of a neighbour advertisement: an IPv6 address in a place that `nft` has no name for (`typeof @th,64,128`),
    /// as [`Value::Bytes`]. Beside it a key may have interfaces only.
    AdvertisedTarget,
}

/// A value of a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// An IPv6 address.
    Ipv6(Ipv6Addr),
    /// The number of a protocol (`IPPROTO_TCP`).
    Protocol(u8),
    /// A port.
    Port(u16),
    /// The name of an interface.
    Interface(String),
    /// An Ethernet address.
    Ethernet(MacAddress),
    /// `NFPROTO_IPV4` or `NFPROTO_IPV6`.
    Family(PacketFamily),
    /// An address of the host itself (`RTN_LOCAL`).
    Local,
    /// Anything else: the bytes in network order.
    Bytes(Vec<u8>),
}

/// Whether a packet is one of IPv4 or of IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PacketFamily {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}
