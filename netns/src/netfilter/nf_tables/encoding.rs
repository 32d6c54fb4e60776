//! How the kernel writes types and values.
//!
//! The numbers of types are known to `nft` alone (`enum datatypes` of its `datatype.h`): the kernel keeps them for whoever lists
//! a set. Lengths are those of the fields that the kernel loads.

use super::value::{DataType, PacketFamily, Value};

/// `IFNAMSIZ` of `linux/if.h`: names of interfaces are compared whole.
const INTERFACE_LENGTH: usize = 16;
/// Registers and the parts of concatenated keys are of four bytes.
const REGISTER_LENGTH: usize = 4;
/// `TYPE_BITS` of `nft`: the types of a concatenation follow each other in one number.
const TYPE_BITS: u32 = 6;
/// `RTN_LOCAL` of `linux/rtnetlink.h`.
const LOCAL: u32 = 2;

/// The order of the bytes of a value, as `nft` counts it and notes it beside a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    /// Each part has its own.
    Concatenation = 0,
    /// That of the processor.
    Host = 1,
    /// That of packets.
    Network = 2,
}

impl DataType {
    /// Its length in bytes, without padding.
    pub(super) fn length(self) -> usize {
        match self {
            DataType::Protocol | DataType::Family => 1,
            DataType::Port => 2,
            DataType::Ipv4Address | DataType::AddressType => 4,
            DataType::EthernetAddress => 6,
            DataType::Ipv6Address | DataType::AdvertisedTarget => 16,
            DataType::Interface => INTERFACE_LENGTH,
        }
    }

    /// Its number.
    pub(super) fn number(self) -> u32 {
        match self {
            DataType::Family => 2,
            DataType::AdvertisedTarget => 4,
            DataType::Ipv4Address => 7,
            DataType::Ipv6Address => 8,
            DataType::EthernetAddress => 9,
            DataType::Protocol => 12,
            DataType::Port => 13,
            DataType::AddressType => 38,
            DataType::Interface => 41,
        }
    }

    fn byte_order(self) -> ByteOrder {
        match self {
            DataType::Family | DataType::AddressType | DataType::Interface => ByteOrder::Host,
            _ => ByteOrder::Network,
        }
    }
}

/// The number of a row of types.
pub(super) fn number_of(types: &[DataType]) -> u32 {
    types
        .iter()
        .fold(0, |number, part| number << TYPE_BITS | part.number())
}

/// The length of a row of types: a single one is not padded.
pub(super) fn length_of(types: &[DataType]) -> usize {
    match types {
        [one] => one.length(),
        parts => parts.iter().map(|part| padded(part.length())).sum(),
    }
}

/// The byte order of a row of types.
pub(super) fn byte_order_of(types: &[DataType]) -> ByteOrder {
    match types {
        [one] => one.byte_order(),
        _ => ByteOrder::Concatenation,
    }
}

/// How many registers something of this length takes.
pub(super) fn registers(length: usize) -> u32 {
    // No field is longer than sixteen bytes.
    u32::try_from(padded(length) / REGISTER_LENGTH).unwrap_or(u32::MAX)
}

/// The values of a key or of a map's data.
pub(super) fn concatenated<'a>(values: impl ExactSizeIterator<Item = &'a Value>) -> Vec<u8> {
    let single = values.len() == 1;
    let mut bytes = Vec::new();
    for value in values {
        bytes.extend(value.bytes());
        if !single {
            bytes.resize(padded(bytes.len()), 0);
        }
    }
    bytes
}

impl Value {
    /// It, in the order that the kernel compares it in.
    pub(in crate::netfilter) fn bytes(&self) -> Vec<u8> {
        match self {
            Value::Ipv4(address) => address.octets().into(),
            Value::Ipv6(address) => address.octets().into(),
            Value::Protocol(number) => vec![*number],
            Value::Port(port) => port.to_be_bytes().into(),
            Value::Interface(name) => {
                let mut bytes = name.as_bytes().to_vec();
                bytes.resize(INTERFACE_LENGTH, 0);
                bytes
            }
            Value::Ethernet(address) => address.octets().into(),
            Value::Family(family) => vec![family.number()],
            Value::Local => LOCAL.to_ne_bytes().into(),
            Value::Bytes(bytes) => bytes.clone(),
        }
    }
}

impl PacketFamily {
    /// Its number: `NFPROTO_IPV4` or `NFPROTO_IPV6` of `linux/netfilter.h`.
    pub(super) fn number(self) -> u8 {
        match self {
            PacketFamily::Ipv4 => 2,
            PacketFamily::Ipv6 => 10,
        }
    }
}

fn padded(length: usize) -> usize {
    length.next_multiple_of(REGISTER_LENGTH)
}
