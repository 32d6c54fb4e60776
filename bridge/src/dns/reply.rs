//! Making replies: to a query that was read, and to a message that could not be.

use std::net::IpAddr;

use simple_dns::rdata::{A, AAAA, OPT, RData};
use simple_dns::{CLASS, Packet, PacketFlag, RCODE, ResourceRecord};

use super::message::HEADER;
use super::query::{Query, Transport};

/// The longest datagram that we send on our own account, in bytes, and announce by EDNS. Everything goes over the
/// loopback interface, but 1232 is what the rest of the world agreed on (DNS flag day 2020), and TCP is there for more.
pub(super) const OUR_DATAGRAM: u16 = 1232;

/// How long an answer of ours may be kept, in seconds. Not at all: an address can be somebody else's a moment later, and
/// asking again costs a few microseconds on the loopback interface.
const TIME_TO_LIVE: u32 = 0;

/// How much of an EDNS record without options follows the name, type and size, in bytes.
const OPT_REST: usize = 6;

/// Who vouches for what a reply says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// We do.
    Ourselves,
    /// Somebody else would have to.
    Others,
}

/// A record with an address of the name asked for.
pub(super) fn address_record(query: &Query, address: IpAddr) -> ResourceRecord<'_> {
    record(
        query,
        match address {
            IpAddr::V4(address) => RData::A(A::from(address)),
            IpAddr::V6(address) => RData::AAAA(AAAA::from(address)),
        },
    )
}

/// A record about the name asked for.
pub(super) fn record<'a>(query: &'a Query, data: RData<'a>) -> ResourceRecord<'a> {
    let name = query.question.qname.clone();
    ResourceRecord::new(name, CLASS::IN, TIME_TO_LIVE, data)
}

/// The reply with these records, or without any and marked as truncated when they do not fit.
pub(super) fn answer(
    query: &Query,
    transport: Transport,
    records: Vec<ResourceRecord<'_>>,
) -> Option<Vec<u8>> {
    let mut packet = packet(query, RCODE::NoError, Source::Ourselves);
    packet.answers = records;
    let reply = build(query, &packet)?;
    if reply.len() <= query.longest_reply(transport, OUR_DATAGRAM) {
        return Some(reply);
    }
    packet.answers.clear();
    packet.set_flags(PacketFlag::TRUNCATION);
    build(query, &packet)
}

/// The reply that somebody else's answer is too long for a datagram, so that the client asks again over TCP.
pub(super) fn truncated(query: &Query) -> Option<Vec<u8>> {
    let mut packet = packet(query, RCODE::NoError, Source::Others);
    packet.set_flags(PacketFlag::TRUNCATION);
    build(query, &packet)
}

/// The reply that there will be no answer.
pub(super) fn failure(query: &Query, code: RCODE) -> Option<Vec<u8>> {
    build(query, &packet(query, code, Source::Others))
}

/// The reply to EDNS of a version that is not ours. Its code has more than four bits; the others belong into the EDNS
/// record, which is the last one of a reply (RFC 6891 section 6.1.3). The library puts them into another byte.
pub(super) fn other_version(query: &Query) -> Option<Vec<u8>> {
    let mut reply = failure(query, RCODE::NoError)?;
    let place = reply.len().checked_sub(OPT_REST)?;
    reply[place] = (RCODE::BADVERS as u16 >> 4) as u8;
    Some(reply)
}

/// The reply to a message whose question cannot be told: its header alone. `message` must be as long as a header.
pub(super) fn complaint(message: &[u8], code: RCODE) -> Option<Vec<u8>> {
    let mut reply = message.get(..HEADER)?.to_vec();
    // The operation and the wish for recursion stay as they were.
    reply[2] = 0x80 | (reply[2] & 0x79);
    reply[3] = 0x80 | (code as u8 & 0x0f);
    reply[4..].fill(0);
    Some(reply)
}

fn packet<'a>(query: &'a Query, code: RCODE, source: Source) -> Packet<'a> {
    let mut packet = Packet::new_reply(query.id);
    packet.set_flags(PacketFlag::RECURSION_AVAILABLE);
    if query.recursion_desired {
        packet.set_flags(PacketFlag::RECURSION_DESIRED);
    }
    if source == Source::Ourselves {
        packet.set_flags(PacketFlag::AUTHORITATIVE_ANSWER);
    }
    *packet.rcode_mut() = code;
    packet.questions.push(query.question.clone());
    *packet.opt_mut() = query.edns.map(|_| OPT {
        opt_codes: Vec::new(),
        udp_packet_size: OUR_DATAGRAM,
        version: 0,
    });
    packet
}

/// The bytes, with the type and class of the question as they were asked. None only if the library cannot write what it
/// has read.
fn build(query: &Query, packet: &Packet<'_>) -> Option<Vec<u8>> {
    let mut bytes = packet.build_bytes_vec_compressed().ok()?;
    let (kind, class) = (query.kind.to_be_bytes(), query.class.to_be_bytes());
    let place = bytes.get_mut(query.question_end - 4..query.question_end)?;
    place.copy_from_slice(&[kind[0], kind[1], class[0], class[1]]);
    Some(bytes)
}
