//! What has to be true of a packet before one of its fields means anything.
//!
//! `ip saddr` in a table that sees IPv4 and IPv6 is four bytes at a place, of any packet. So a comparison with the family stands
//! before it, which `nft` adds itself and does not print again; and so it is here, at the same place, so that a rule is what its
//! text says. Where a field of the Ethernet header has been looked at already, what is in the frame is asked there, which is
//! never true of a frame with a tag of a virtual LAN.

use super::TableFamily;
use super::rule::{Operator, Refusal, Statement, Transport};
use super::selector::Selector;
use super::value::{PacketFamily, Value};

/// `ETH_P_IP`, `ETH_P_ARP` and `ETH_P_IPV6` of `linux/if_ether.h`.
const IPV4_FRAME: u16 = 0x0800;
const ARP_FRAME: u16 = 0x0806;
const IPV6_FRAME: u16 = 0x86dd;
/// `IPPROTO_ICMPV6` of `linux/in.h`.
const ICMPV6: u8 = 58;

/// Which protocol the network header is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NetworkProtocol {
    Ipv4,
    Ipv6,
    Arp,
}

/// What is known of a packet that has come so far in a rule.
#[derive(Debug, Clone, Default)]
pub(super) struct Knowledge {
    /// The protocol of the network header.
    pub(super) network: Option<NetworkProtocol>,
    /// The protocol of the transport header.
    pub(super) transport: Option<u8>,
    /// Whether a field of the Ethernet header was looked at, so that what is in the frame is told from there.
    ethernet: bool,
}

/// A comparison that has to come first: its selector and value.
pub(super) type Dependency = (Selector, Value);

impl Knowledge {
    /// What is known of packets of a table.
    pub(super) fn of(family: TableFamily) -> Knowledge {
        Knowledge {
            network: match family {
                TableFamily::Ipv4 => Some(NetworkProtocol::Ipv4),
                TableFamily::Ipv6 => Some(NetworkProtocol::Ipv6),
                TableFamily::Inet | TableFamily::Bridge => None,
            },
            transport: None,
            ethernet: false,
        }
    }

    /// The comparisons that have to come before a statement and are not made yet. They are known from now on.
    pub(super) fn before(&mut self, statement: &Statement, family: TableFamily) -> Vec<Dependency> {
        let mut missing = Vec::new();
        for selector in selectors(statement) {
            if let Some(needed) = network_of(*selector)
                && self.network != Some(needed)
            {
                self.network = Some(needed);
                missing.extend(self.comparison(needed, family));
            }
            self.ethernet |= *selector == Selector::EthernetSource;
            if *selector == Selector::Icmpv6Type {
                missing.extend(self.transport_is(ICMPV6));
            }
        }
        if *statement == Statement::Reject(Refusal::TcpReset) {
            missing.extend(self.transport_is(Transport::Tcp.number()));
        }
        missing
    }

    /// Learns from a statement that a packet has passed.
    pub(super) fn learn(&mut self, statement: &Statement) {
        if let Statement::Compare(selector, Operator::Equal, value) = statement {
            match (selector, value) {
                (Selector::Protocol, Value::Protocol(number)) => self.transport = Some(*number),
                (Selector::Family, Value::Family(PacketFamily::Ipv4)) => {
                    self.network = Some(NetworkProtocol::Ipv4);
                }
                (Selector::Family, Value::Family(PacketFamily::Ipv6)) => {
                    self.network = Some(NetworkProtocol::Ipv6);
                }
                (Selector::FrameType | Selector::EthernetType, Value::Bytes(bytes)) => {
                    self.network = protocol_of(bytes);
                }
                _ => {}
            }
        }
    }

    fn comparison(&self, needed: NetworkProtocol, family: TableFamily) -> Option<Dependency> {
        let selector = match self.ethernet {
            true => Selector::EthernetType,
            false => Selector::FrameType,
        };
        let frame = |number: u16| {
            let bytes = number.to_be_bytes().into();
            Some((selector, Value::Bytes(bytes)))
        };
        let packet = |family| Some((Selector::Family, Value::Family(family)));
        match (family, needed) {
            (TableFamily::Ipv4 | TableFamily::Ipv6, _) => None,
            (TableFamily::Inet, NetworkProtocol::Ipv4) => packet(PacketFamily::Ipv4),
            (TableFamily::Inet, NetworkProtocol::Ipv6) => packet(PacketFamily::Ipv6),
            (_, NetworkProtocol::Ipv4) => frame(IPV4_FRAME),
            (_, NetworkProtocol::Ipv6) => frame(IPV6_FRAME),
            (_, NetworkProtocol::Arp) => frame(ARP_FRAME),
        }
    }

    fn transport_is(&mut self, protocol: u8) -> Option<Dependency> {
        (self.transport.replace(protocol) != Some(protocol))
            .then_some((Selector::Protocol, Value::Protocol(protocol)))
    }
}

/// The fields that a statement looks at, in order.
pub(super) fn selectors(statement: &Statement) -> &[Selector] {
    match statement {
        Statement::Compare(selector, ..)
        | Statement::InNetwork(selector, ..)
        | Statement::InRange(selector, ..) => std::slice::from_ref(selector),
        Statement::Member(selectors, ..)
        | Statement::VerdictMap(selectors, _)
        | Statement::TranslateDestination(_, selectors, _) => selectors,
        Statement::State(_)
        | Statement::Translated
        | Statement::Masquerade
        | Statement::Reject(_)
        | Statement::WritePort(..)
        | Statement::Untracked
        | Statement::Verdict(_) => &[],
    }
}

/// The network protocol that a field belongs to.
pub(super) fn network_of(selector: Selector) -> Option<NetworkProtocol> {
    match selector {
        Selector::Ipv4Source | Selector::Ipv4Destination => Some(NetworkProtocol::Ipv4),
        Selector::Ipv6Source
        | Selector::Ipv6Destination
        | Selector::HopLimit
        | Selector::Icmpv6Type => Some(NetworkProtocol::Ipv6),
        Selector::ArpSenderIpv4 | Selector::ArpSenderEthernet => Some(NetworkProtocol::Arp),
        _ => None,
    }
}

fn protocol_of(frame_type: &[u8]) -> Option<NetworkProtocol> {
    match u16::from_be_bytes(frame_type.try_into().ok()?) {
        IPV4_FRAME => Some(NetworkProtocol::Ipv4),
        IPV6_FRAME => Some(NetworkProtocol::Ipv6),
        ARP_FRAME => Some(NetworkProtocol::Arp),
        _ => None,
    }
}
