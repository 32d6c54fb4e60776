//! The conntrack messages that list and delete UDP flows. Pure.
//!
//! The numbers are those of `linux/netfilter/nfnetlink_conntrack.h`.

use std::net::{IpAddr, SocketAddr};

use netlink_packet_core::{DefaultNla, Emitable, NLA_F_NESTED, Nla};
use netlink_packet_netfilter::conntrack::{
    ConntrackAttribute, ConntrackMessage, ConntrackMessageType, IPTuple, ProtoTuple, Protocol,
    Tuple,
};
use netlink_packet_netfilter::{
    NetfilterHeader, NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily,
};

use super::flow::{Family, UdpPort};
use super::outgoing_flow::OutgoingFlow;

/// `CTA_TUPLE_ORIG`: the addresses and ports of the first datagram.
const ORIGINAL_TUPLE: u16 = 1;
/// `CTA_ID`: tells a flow from a later one with the same addresses and ports.
const ID: u16 = 12;
/// `CTA_ZONE`: which of the namespace's tables it is in.
const ZONE: u16 = 18;
/// `CTA_FILTER`: which parts of the tuple a listed flow must agree with.
const FILTER: u16 = 25;
/// `CTA_FILTER_ORIG_FLAGS`, within `CTA_FILTER`.
const FILTER_ORIGINAL_FLAGS: u16 = 1;
/// The flag for `CTA_PROTO_NUM`; the flags are in `net/netfilter/nf_internals.h`.
const FILTER_PROTOCOL: u32 = 1 << 3;
/// The flag for `CTA_PROTO_DST_PORT`.
const FILTER_DESTINATION_PORT: u32 = 1 << 5;

/// A tracked UDP flow.
pub(super) struct Flow {
    /// Where its first datagram was sent, before any translation.
    pub(super) destination: SocketAddr,
    /// What identifies it to the kernel, as the kernel gave it.
    identity: Vec<ConntrackAttribute>,
}

impl Flow {
    /// Reads one entry of a list; `None` for what is no UDP flow.
    pub(super) fn from_reply(reply: NetfilterMessage) -> Option<Flow> {
        let NetfilterMessageInner::Conntrack(ConntrackMessage::New(attributes)) = reply.inner
        else {
            return None;
        };
        let destination = attributes.iter().find_map(|attribute| match attribute {
            ConntrackAttribute::CtaTupleOrig(tuple) => udp_destination(tuple),
            _ => None,
        })?;
        let identity = attributes.into_iter().filter(is_identity).collect();
        Some(Flow {
            destination,
            identity,
        })
    }

    /// Reads one entry of a list of flows of all protocols.
    pub(super) fn outgoing(reply: NetfilterMessage) -> Option<(OutgoingFlow, Flow)> {
        let NetfilterMessageInner::Conntrack(ConntrackMessage::New(attributes)) = reply.inner
        else {
            return None;
        };
        let outgoing = attributes.iter().find_map(|attribute| match attribute {
            ConntrackAttribute::CtaTupleOrig(tuple) => outgoing_flow(tuple),
            _ => None,
        })?;
        let identity = attributes.into_iter().filter(is_identity).collect();
        let port = outgoing.port.unwrap_or_default();
        let flow = Flow {
            destination: SocketAddr::new(outgoing.destination, port),
            identity,
        };
        Some((outgoing, flow))
    }
}

/// Asks for the UDP flows of a family, and if only one port is wanted, for those to this port. The kernel looks through its
/// whole table either way; the filter spares it from telling about all of it. Addresses are not filtered by: kernels that list
/// exactly those IPv6 flows which do not have the address are in use.
pub(super) fn list_question(family: Family, wanted: &[UdpPort]) -> NetfilterMessage {
    let mut protocol = vec![ProtoTuple::Protocol(Protocol::Udp)];
    let mut flags = FILTER_PROTOCOL;
    if let [first, rest @ ..] = wanted
        && rest.iter().all(|other| other.port == first.port)
    {
        protocol.push(ProtoTuple::DestinationPort(first.port));
        flags |= FILTER_DESTINATION_PORT;
    }
    let filter = DefaultNla::new(FILTER_ORIGINAL_FLAGS, flags.to_ne_bytes().to_vec());
    // The crate has no filter, and drops the mark of nested attributes, which the kernel insists on here, from those that it
    // does not know. It leaves a message alone whose attributes are all of that kind.
    let question = ConntrackMessage::Other {
        message_type: ConntrackMessageType::Get.into(),
        attributes: vec![
            nested(ORIGINAL_TUPLE, &[Tuple::Proto(protocol)]),
            nested(FILTER, &[filter]),
        ],
    };
    message(family, question)
}

fn nested<T: Nla>(kind: u16, attributes: &[T]) -> DefaultNla {
    let mut bytes = vec![0; attributes.buffer_len()];
    attributes.emit(&mut bytes);
    DefaultNla::new(kind | NLA_F_NESTED, bytes)
}

/// Asks for all flows of a family.
pub(super) fn plain_list_question(family: Family) -> NetfilterMessage {
    message(family, ConntrackMessage::Get(Vec::new()))
}

/// Asks to delete a flow. It always names one: without a tuple, the kernel would delete all.
pub(super) fn delete_question(family: Family, flow: &Flow) -> NetfilterMessage {
    message(family, ConntrackMessage::Delete(flow.identity.clone()))
}

fn message(family: Family, message: ConntrackMessage) -> NetfilterMessage {
    let family = match family {
        Family::V4 => NetfilterProtoFamily::IPv4,
        Family::V6 => NetfilterProtoFamily::IPv6,
    };
    NetfilterMessage::new(NetfilterHeader::new(family, 0, 0), message)
}

fn is_identity(attribute: &ConntrackAttribute) -> bool {
    match attribute {
        ConntrackAttribute::CtaTupleOrig(_) => true,
        ConntrackAttribute::Other(other) => matches!(other.kind(), ID | ZONE),
        _ => false,
    }
}

fn outgoing_flow(tuple: &[Tuple]) -> Option<OutgoingFlow> {
    let (mut source, mut destination, mut protocol, mut port) = (None, None, None, None);
    for part in tuple {
        match part {
            Tuple::Ip(addresses) => {
                for address in addresses {
                    match address {
                        IPTuple::SourceAddress(address) => source = Some(*address),
                        IPTuple::DestinationAddress(address) => destination = Some(*address),
                        _ => {}
                    }
                }
            }
            Tuple::Proto(parts) => {
                for part in parts {
                    match part {
                        ProtoTuple::Protocol(number) => protocol = Some(u8::from(*number)),
                        ProtoTuple::DestinationPort(number) => port = Some(*number),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Some(OutgoingFlow {
        source: source?,
        destination: destination?,
        protocol: protocol?,
        port,
    })
}

fn udp_destination(tuple: &[Tuple]) -> Option<SocketAddr> {
    let mut address: Option<IpAddr> = None;
    let mut port = None;
    let mut is_udp = false;
    for part in tuple {
        match part {
            Tuple::Ip(addresses) => {
                address = addresses.iter().find_map(|part| match part {
                    IPTuple::DestinationAddress(address) => Some(*address),
                    _ => None,
                });
            }
            Tuple::Proto(parts) => {
                is_udp = parts.contains(&ProtoTuple::Protocol(Protocol::Udp));
                port = parts.iter().find_map(|part| match part {
                    ProtoTuple::DestinationPort(port) => Some(*port),
                    _ => None,
                });
            }
            _ => {}
        }
    }
    match is_udp {
        true => Some(SocketAddr::new(address?, port?)),
        false => None,
    }
}
