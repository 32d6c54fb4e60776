//! Values, fields and types in the words of `nft`.

use super::rule::{CtState, Verdict};
use super::selector::Selector;
use super::value::{DataType, PacketFamily, Value};

/// Protocols by name, as `/etc/protocols` has them.
const PROTOCOLS: &[(u8, &str)] = &[
    (1, "icmp"),
    (2, "igmp"),
    (6, "tcp"),
    (17, "udp"),
    (33, "dccp"),
    (50, "esp"),
    (51, "ah"),
    (58, "ipv6-icmp"),
    (132, "sctp"),
    (136, "udplite"),
];

/// Types of ICMPv6 by name.
const ICMPV6_TYPES: &[(u8, &str)] = &[
    (1, "destination-unreachable"),
    (2, "packet-too-big"),
    (3, "time-exceeded"),
    (4, "parameter-problem"),
    (128, "echo-request"),
    (129, "echo-reply"),
    (130, "mld-listener-query"),
    (131, "mld-listener-report"),
    (132, "mld-listener-done"),
    (133, "nd-router-solicit"),
    (134, "nd-router-advert"),
    (135, "nd-neighbor-solicit"),
    (136, "nd-neighbor-advert"),
    (137, "nd-redirect"),
    (138, "router-renumbering"),
    (141, "ind-neighbor-solicit"),
    (142, "ind-neighbor-advert"),
    (143, "mld2-listener-report"),
];

/// Protocols whose ports have a name of their own.
const WITH_PORTS: &[u8] = &[6, 17, 33, 132, 136];

/// The word before `sport` and `dport`, where the protocol is known to be this.
pub(super) fn header_of_ports(transport: Option<u8>) -> &'static str {
    match transport {
        Some(number) if WITH_PORTS.contains(&number) => named(PROTOCOLS, number).unwrap_or("th"),
        _ => "th",
    }
}

fn named(names: &[(u8, &'static str)], number: u8) -> Option<&'static str> {
    let entry = names.iter().find(|(candidate, _)| *candidate == number);
    entry.map(|(_, name)| *name)
}

impl DataType {
    /// The name of the type, or for `typeof` the field.
    pub(super) fn text(self) -> &'static str {
        match self {
            DataType::Ipv4Address => "ipv4_addr",
            DataType::Ipv6Address => "ipv6_addr",
            DataType::Protocol => "inet_proto",
            DataType::Port => "inet_service",
            DataType::Interface => "ifname",
            DataType::EthernetAddress => "ether_addr",
            DataType::Family => "nf_proto",
            DataType::AddressType => "fib_addrtype",
            DataType::AdvertisedTarget => "@th,64,128",
        }
    }
}

impl Selector {
    /// The field, of a packet whose transport protocol may be known.
    pub(super) fn text(self, transport: Option<u8>) -> String {
        let ports = header_of_ports(transport);
        match self {
            Selector::Family => "meta nfproto",
            Selector::Protocol => "meta l4proto",
            Selector::FrameType => "meta protocol",
            Selector::InputInterface => "iifname",
            Selector::OutputInterface => "oifname",
            Selector::Ipv4Source => "ip saddr",
            Selector::Ipv4Destination => "ip daddr",
            Selector::Ipv6Source => "ip6 saddr",
            Selector::Ipv6Destination => "ip6 daddr",
            Selector::HopLimit => "ip6 hoplimit",
            Selector::Icmpv6Type => "icmpv6 type",
            Selector::SourcePort => return format!("{ports} sport"),
            Selector::DestinationPort => return format!("{ports} dport"),
            Selector::EthernetType => "ether type",
            Selector::EthernetSource => "ether saddr",
            Selector::ArpSenderIpv4 => "arp saddr ip",
            Selector::ArpSenderEthernet => "arp saddr ether",
            Selector::AdvertisedTarget => "@th,64,128",
            Selector::Direction => "ct direction",
            Selector::OriginalIpv4Destination => "ct original ip daddr",
            Selector::OriginalIpv6Destination => "ct original ip6 daddr",
            Selector::OriginalDestinationPort => "ct original proto-dst",
            Selector::DestinationType => "fib daddr type",
        }
        .into()
    }
}

impl Value {
    /// It, as the value of a field.
    pub(super) fn text_for(&self, selector: Selector) -> String {
        let name = match (selector, self) {
            (Selector::Icmpv6Type, Value::Bytes(bytes)) => match bytes.as_slice() {
                [kind] => named(ICMPV6_TYPES, *kind),
                _ => None,
            },
            (Selector::FrameType | Selector::EthernetType, Value::Bytes(bytes)) => {
                match bytes.as_slice() {
                    [0x08, 0x00] => Some("ip"),
                    [0x08, 0x06] => Some("arp"),
                    [0x86, 0xdd] => Some("ip6"),
                    _ => None,
                }
            }
            (Selector::Direction, Value::Bytes(bytes)) => match bytes.as_slice() {
                [0] => Some("original"),
                [1] => Some("reply"),
                _ => None,
            },
            (Selector::AdvertisedTarget, Value::Ipv6(address)) => {
                return format!("{:#x}", u128::from(*address));
            }
            _ => None,
        };
        name.map_or_else(|| self.text(), String::from)
    }

    /// It, in an element.
    pub(super) fn text(&self) -> String {
        match self {
            Value::Ipv4(address) => address.to_string(),
            Value::Ipv6(address) => address.to_string(),
            Value::Protocol(number) => {
                named(PROTOCOLS, *number).map_or_else(|| number.to_string(), String::from)
            }
            Value::Port(port) => port.to_string(),
            Value::Interface(name) => format!("\"{name}\""),
            Value::Ethernet(address) => address.to_string(),
            Value::Family(PacketFamily::Ipv4) => "ipv4".into(),
            Value::Family(PacketFamily::Ipv6) => "ipv6".into(),
            Value::Local => "local".into(),
            Value::Bytes(bytes) => number_text(bytes),
        }
    }
}

/// A number of any length: short ones in decimal, others in hexadecimal.
fn number_text(bytes: &[u8]) -> String {
    let number = bytes
        .iter()
        .fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    if bytes.len() <= 2 {
        number.to_string()
    } else {
        format!("{number:#x}")
    }
}

impl CtState {
    pub(super) fn text(self) -> &'static str {
        match self {
            CtState::Invalid => "invalid",
            CtState::Established => "established",
            CtState::Related => "related",
            CtState::Untracked => "untracked",
        }
    }
}

impl Verdict {
    pub(super) fn text(&self) -> String {
        match self {
            Verdict::Accept => "accept".into(),
            Verdict::Drop => "drop".into(),
            Verdict::Jump(chain) => format!("jump {chain}"),
            Verdict::Goto(chain) => format!("goto {chain}"),
            Verdict::Return => "return".into(),
        }
    }
}
