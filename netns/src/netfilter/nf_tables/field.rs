//! Where the kernel finds what a selector names.
//!
//! The numbers are those of `linux/netfilter/nf_tables.h` and of the headers of Ethernet, ARP, IPv4, IPv6, ICMPv6, UDP and TCP.

use netlink_packet_core::DefaultNla;
use netlink_packet_netfilter::nftables::{Expressions, Meta, MetaKey, Payload, Register};

use super::selector::Selector;

/// The headers of a packet, as `enum nft_payload_bases` counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    Link = 0,
    Network = 1,
    Transport = 2,
}

/// What the kernel loads a field from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Something that it knows about the packet.
    Meta(MetaKey),
    /// Bytes of the packet, from the beginning of a header.
    Payload(Header, u32),
    /// Connection tracking: the key (`enum nft_ct_keys`), and whether that of the original direction.
    Connection(u32, Option<Direction>),
    /// What a look at the routing tables says of the destination (`NFT_FIB_RESULT_ADDRTYPE`).
    DestinationType,
}

/// `IP_CT_DIR_ORIGINAL` of `linux/netfilter/nf_conntrack_tuple_common.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Original = 0,
}

/// Keys of connection tracking.
pub(super) const STATE: u32 = 0;
pub(super) const STATUS: u32 = 2;
const DIRECTION: u32 = 1;
const DESTINATION_PORT: u32 = 12;
const DESTINATION_IPV4: u32 = 20;
const DESTINATION_IPV6: u32 = 22;

/// A field: where it is and how many bytes it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) source: Source,
    pub(super) length: usize,
}

/// The registers of four bytes, in order; the first that rules use has this number (`NFT_REG32_00`).
const FIRST_REGISTER: u32 = 8;

/// The register that comes so many after the first.
pub(super) fn register(index: u32) -> Register {
    Register::from(FIRST_REGISTER + index)
}

impl Selector {
    /// Where the field is.
    pub(super) fn field(self) -> Field {
        use Header::{Link, Network, Transport};
        let original = Some(Direction::Original);
        let (source, length) = match self {
            Selector::Family => (Source::Meta(MetaKey::Nfproto), 1),
            Selector::Protocol => (Source::Meta(MetaKey::L4Proto), 1),
            Selector::FrameType => (Source::Meta(MetaKey::EtherTypeProtocol), 2),
            Selector::InputInterface => (Source::Meta(MetaKey::Iifname), 16),
            Selector::OutputInterface => (Source::Meta(MetaKey::Oifname), 16),
            Selector::Ipv4Source => (Source::Payload(Network, 12), 4),
            Selector::Ipv4Destination => (Source::Payload(Network, 16), 4),
            Selector::Ipv6Source => (Source::Payload(Network, 8), 16),
            Selector::Ipv6Destination => (Source::Payload(Network, 24), 16),
            Selector::HopLimit => (Source::Payload(Network, 7), 1),
            Selector::Icmpv6Type => (Source::Payload(Transport, 0), 1),
            Selector::SourcePort => (Source::Payload(Transport, 0), 2),
            Selector::DestinationPort => (Source::Payload(Transport, 2), 2),
            Selector::EthernetSource => (Source::Payload(Link, 6), 6),
            Selector::EthernetType => (Source::Payload(Link, 12), 2),
            Selector::ArpSenderIpv4 => (Source::Payload(Network, 14), 4),
            Selector::ArpSenderEthernet => (Source::Payload(Network, 8), 6),
            Selector::AdvertisedTarget => (Source::Payload(Transport, 8), 16),
            Selector::Direction => (Source::Connection(DIRECTION, None), 1),
            Selector::OriginalIpv4Destination => {
                (Source::Connection(DESTINATION_IPV4, original), 4)
            }
            Selector::OriginalIpv6Destination => {
                (Source::Connection(DESTINATION_IPV6, original), 16)
            }
            Selector::OriginalDestinationPort => {
                (Source::Connection(DESTINATION_PORT, original), 2)
            }
            Selector::DestinationType => (Source::DestinationType, 4),
        };
        Field { source, length }
    }
}

impl Field {
    /// Loads it.
    pub(super) fn load(self, destination: Register) -> Expressions {
        match self.source {
            Source::Meta(key) => {
                Expressions::Meta(vec![Meta::Key(key), Meta::DestinationRegister(destination)])
            }
            Source::Payload(header, offset) => Expressions::Payload(vec![
                Payload::DestinationRegister(destination),
                Payload::Base(header as u32),
                Payload::Offset(offset),
                // No field is longer than sixteen bytes.
                Payload::Len(u32::try_from(self.length).unwrap_or(u32::MAX)),
            ]),
            Source::Connection(key, direction) => {
                let mut attributes =
                    vec![number(CT_KEY, key), number(CT_REGISTER, destination.into())];
                attributes.extend(
                    direction.map(|direction| DefaultNla::new(CT_DIRECTION, vec![direction as u8])),
                );
                other("ct", attributes)
            }
            Source::DestinationType => other(
                "fib",
                vec![
                    number(FIB_FLAGS, FIB_OF_DESTINATION),
                    number(FIB_RESULT, FIB_ADDRESS_TYPE),
                    number(FIB_REGISTER, destination.into()),
                ],
            ),
        }
    }
}

/// `enum nft_ct_attributes`
const CT_REGISTER: u16 = 1;
const CT_KEY: u16 = 2;
const CT_DIRECTION: u16 = 3;
/// `enum nft_fib_attributes`, `enum nft_fib_flags` and `enum nft_fib_result`
const FIB_REGISTER: u16 = 1;
const FIB_RESULT: u16 = 2;
const FIB_FLAGS: u16 = 3;
const FIB_OF_DESTINATION: u32 = 2;
const FIB_ADDRESS_TYPE: u32 = 3;

/// An expression that the crate of messages has no type for.
pub(super) fn other(name: &str, attributes: Vec<DefaultNla>) -> Expressions {
    Expressions::Other {
        expression_type: name.into(),
        attributes,
    }
}

/// An attribute that holds a number.
pub(super) fn number(kind: u16, value: u32) -> DefaultNla {
    DefaultNla::new(kind, value.to_be_bytes().into())
}
