//! Reading a query: what is asked, and how long the reply may be.

use simple_dns::{CLASS, Packet, Question, TYPE};

use super::message::{HEADER, LONGEST, is_response, number, question_end};

/// The longest reply over UDP to a client that says nothing about it, in bytes (RFC 1035 section 2.3.4).
const PLAIN_DATAGRAM: u16 = 512;

/// The type of the pseudo-record by which EDNS announces itself (RFC 6891 section 6.1.1), after the empty name.
const OPT_BEGIN: [u8; 3] = [0, 0, 41];

/// The length of an EDNS record without options, in bytes.
const OPT_HEAD: usize = 11;

/// How a query came, and the reply goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Udp,
    Tcp,
}

/// What a client says by EDNS (RFC 6891).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edns {
    /// The longest datagram it takes, in bytes.
    pub(super) size: u16,
    pub(super) version: u8,
}

/// A query with one question.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) id: u16,
    pub(super) recursion_desired: bool,
    /// The name asked for, letters as they came. Its type and class are always `A` and `IN`: the real ones follow, because
    /// the library has no value for those it does not know.
    pub(super) question: Question<'static>,
    /// The type asked for, as numbered by IANA.
    pub(super) kind: u16,
    /// The class asked for, as numbered by IANA.
    pub(super) class: u16,
    /// Where the question ends in the message, in bytes.
    pub(super) question_end: usize,
    pub(super) edns: Option<Edns>,
}

/// Why a message is no query that can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It must not be answered: an answer to a response could go back and forth for ever.
    NotAQuery,
    /// It asks for something else than a name.
    OtherOperation,
    /// It is not made as RFC 1035 says, or has more than one question, or none.
    Malformed,
}

impl Query {
    /// Reads a message. Only the question and an EDNS record right behind it are looked at.
    pub(super) fn read(message: &[u8]) -> Result<Query, Unreadable> {
        if message.len() < HEADER || is_response(message) {
            return Err(Unreadable::NotAQuery);
        }
        if message[2] & 0x78 != 0 {
            return Err(Unreadable::OtherOperation);
        }
        Query::read_question(message).ok_or(Unreadable::Malformed)
    }

    fn read_question(message: &[u8]) -> Option<Query> {
        if number(message, 4)? != 1 {
            return None;
        }
        let end = question_end(message)?;
        let edns = read_edns(message, end).ok()?;
        let plain = plain_copy(&message[..end]);
        let mut packet = Packet::parse(&plain).ok()?;
        Some(Query {
            id: number(message, 0)?,
            recursion_desired: message[2] & 1 != 0,
            question: packet.questions.pop()?.into_owned(),
            kind: number(message, end - 4)?,
            class: number(message, end - 2)?,
            question_end: end,
            edns,
        })
    }

    /// The name asked for in lower case and without the final dot; none for a name that no container can have.
    pub(super) fn folded_name(&self) -> Option<String> {
        let mut name = String::new();
        for label in self.question.qname.get_labels() {
            if !name.is_empty() {
                name.push('.');
            }
            for byte in label.as_ref() {
                if !byte.is_ascii_graphic() || *byte == b'.' {
                    return None;
                }
                name.push(char::from(byte.to_ascii_lowercase()));
            }
        }
        (!name.is_empty()).then_some(name)
    }

    /// How long the reply may be, in bytes. `ours` is what we send at most as one datagram.
    pub(super) fn longest_reply(&self, transport: Transport, ours: u16) -> usize {
        match (transport, self.edns) {
            (Transport::Tcp, _) => LONGEST,
            (Transport::Udp, None) => usize::from(PLAIN_DATAGRAM),
            (Transport::Udp, Some(edns)) => usize::from(edns.size.min(ours).max(PLAIN_DATAGRAM)),
        }
    }
}

/// Reads the EDNS record right behind the question, where all resolver libraries put it; none if there is no such record.
/// The library is not asked, because it takes the wish for DNSSEC to be a part of the version.
fn read_edns(message: &[u8], question_end: usize) -> Result<Option<Edns>, Unreadable> {
    let count = |at| number(message, at).unwrap_or_default();
    let announced = count(6) == 0 && count(8) == 0 && count(10) > 0;
    let record = &message[question_end..];
    if !announced || !record.starts_with(&OPT_BEGIN) {
        return Ok(None);
    }
    let options = number(record, OPT_HEAD - 2).ok_or(Unreadable::Malformed)?;
    if record.len() < OPT_HEAD + usize::from(options) {
        return Err(Unreadable::Malformed);
    }
    let size = u16::from_be_bytes([record[3], record[4]]);
    let version = record[6];
    Ok(Some(Edns { size, version }))
}

/// A header and a question for the eyes of the library: without the bits, type and class that it would refuse.
fn plain_copy(message: &[u8]) -> Vec<u8> {
    let mut plain = message.to_vec();
    plain[2..HEADER].copy_from_slice(&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    let ([_, kind], [_, class]) = (
        u16::from(TYPE::A).to_be_bytes(),
        u16::from(CLASS::IN).to_be_bytes(),
    );
    let place = plain.len() - 4;
    plain[place..].copy_from_slice(&[0, kind, 0, class]);
    plain
}
