//! Deciding what becomes of a message: pure, from the bytes and the names to a reply or a question to others.

use std::net::IpAddr;

use simple_dns::rdata::{PTR, RData};
use simple_dns::{CLASS, Name, QTYPE, RCODE, TYPE};

use super::names::{Names, Pointer};
use super::query::{Query, Transport, Unreadable};
use super::reply::{address_record, answer, complaint, failure, other_version, record};
use super::reverse;

/// What becomes of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nothing at all.
    Silence,
    /// These bytes go back.
    Reply(Vec<u8>),
    /// Others are asked.
    Forward,
}

/// Decides about the message of a client. `turn` is any number, best a random one: it says which of several addresses
/// comes first, so that all of them get their share of the clients.
pub(super) fn decide(
    message: &[u8],
    transport: Transport,
    names: &dyn Names,
    turn: u32,
) -> Decision {
    let reply = match Query::read(message) {
        Err(Unreadable::NotAQuery) => None,
        Err(Unreadable::OtherOperation) => complaint(message, RCODE::NotImplemented),
        Err(Unreadable::Malformed) => complaint(message, RCODE::FormatError),
        // RFC 6891 section 6.1.3 has this done before anything else is looked at.
        Ok(query) if query.edns.is_some_and(|edns| edns.version != 0) => other_version(&query),
        Ok(query) => match known(&query, transport, names, turn) {
            Some(reply) => reply,
            None if is_transfer(query.kind) => failure(&query, RCODE::Refused),
            None => return Decision::Forward,
        },
    };
    reply.map_or(Decision::Silence, Decision::Reply)
}

/// The answer to a question about a name that is known here. The outer value is none when it is not.
fn known(
    query: &Query,
    transport: Transport,
    names: &dyn Names,
    turn: u32,
) -> Option<Option<Vec<u8>>> {
    let name = query.folded_name()?;
    if let Some(mut addresses) = names.addresses(&name) {
        addresses.retain(|address| is_asked_for(query, *address));
        if !addresses.is_empty() {
            let first = turn as usize % addresses.len();
            addresses.rotate_left(first);
        }
        let records = addresses
            .into_iter()
            .map(|address| address_record(query, address));
        return Some(answer(query, transport, records.collect()));
    }
    let Pointer::Known(owner) = names.pointer(reverse::address_of(&name)?) else {
        return None;
    };
    // A container's name can be longer than a label may be; then it has no name that DNS could tell.
    let owner = Name::new(&owner).ok().filter(|_| asks(query, TYPE::PTR));
    let records = owner.map(|owner| record(query, RData::PTR(PTR(owner))));
    Some(answer(query, transport, records.into_iter().collect()))
}

/// Whether a record with this address answers the question. One for all types (`ANY`) is answered by none, as RFC 8482
/// allows: nobody needs it, and it makes long replies.
fn is_asked_for(query: &Query, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => asks(query, TYPE::A),
        IpAddr::V6(_) => asks(query, TYPE::AAAA),
    }
}

fn asks(query: &Query, kind: TYPE) -> bool {
    query.kind == u16::from(kind) && query.class == CLASS::IN as u16
}

/// Whether a whole zone is asked for, which comes in any number of messages.
fn is_transfer(kind: u16) -> bool {
    [QTYPE::IXFR, QTYPE::AXFR].map(u16::from).contains(&kind)
}
