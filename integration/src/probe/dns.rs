//! Asking a name server, as a resolver would.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, Question, RCODE, ResourceRecord, TYPE};

/// How a question is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// One datagram.
    Udp,
    /// A connection, each message behind its length (RFC 1035, section 4.2.2).
    Tcp,
}

/// A question of class IN with the wish for recursion, and without EDNS.
#[derive(Debug, Clone)]
pub struct DnsQuestion<'a> {
    /// The name asked for.
    pub name: &'a str,
    /// The type of record.
    pub kind: TYPE,
}

/// What a name server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsAnswer {
    /// Its verdict.
    pub code: RCODE,
    /// The records in its answer, each as text (an address, or the name that a PTR record holds), sorted.
    pub values: Vec<String>,
    /// The longest time, in seconds, that a record may be remembered; 0 without records.
    pub time_to_live: u32,
    /// The name in the question that it repeats, in its own spelling.
    pub question: String,
    /// What else it says of itself.
    pub flags: PacketFlag,
}

impl DnsAnswer {
    /// Expects exactly these values, in whatever order, and no error.
    #[track_caller]
    pub fn is(&self, values: &[&str]) -> &Self {
        let mut expected = values.to_vec();
        expected.sort_unstable();
        assert_eq!(
            (self.code, &self.values),
            (
                RCODE::NoError,
                &expected.iter().map(ToString::to_string).collect()
            ),
            "{self:?}"
        );
        self
    }

    /// Expects that the name is known, by the server itself, and has no record of this type.
    #[track_caller]
    pub fn is_known_but_empty(&self) -> &Self {
        self.is(&[]);
        assert!(self.has(PacketFlag::AUTHORITATIVE_ANSWER), "{self:?}");
        self
    }

    /// Expects this verdict, and no record.
    #[track_caller]
    pub fn fails_with(&self, code: RCODE) -> &Self {
        assert_eq!((self.code, self.values.len()), (code, 0), "{self:?}");
        self
    }

    /// Whether a flag is set.
    pub fn has(&self, flag: PacketFlag) -> bool {
        self.flags.contains(flag)
    }
}

/// Asks `server` from the calling thread's network. `None` if no answer comes within `patience`, or somebody says that no server is
/// there.
///
/// # Panics
///
/// If the answer is none to this question.
#[track_caller]
pub fn dns_ask(
    server: impl Into<SocketAddr>,
    question: &DnsQuestion<'_>,
    transport: Transport,
    patience: Duration,
) -> Option<DnsAnswer> {
    let server = server.into();
    match transport {
        Transport::Udp => over_udp(server, question, patience).ok(),
        Transport::Tcp => dns_ask_several(server, std::slice::from_ref(question), patience)
            .ok()?
            .pop(),
    }
}

/// Asks several questions on one TCP connection, all before the first answer is read; the answers are in the order of the questions.
///
/// # Errors
///
/// If no connection is made, or it ends before all answers have come.
///
/// # Panics
///
/// If an answer fits no question.
#[track_caller]
pub fn dns_ask_several(
    server: impl Into<SocketAddr>,
    questions: &[DnsQuestion<'_>],
    patience: Duration,
) -> io::Result<Vec<DnsAnswer>> {
    let mut stream = TcpStream::connect_timeout(&server.into(), patience)?;
    stream.set_read_timeout(Some(patience))?;
    for (number, question) in (1..).zip(questions) {
        let message = written(number, question);
        let length = u16::try_from(message.len()).expect("questions are short");
        stream.write_all(&[&length.to_be_bytes()[..], &message].concat())?;
    }
    let mut answers = vec![None; questions.len()];
    for _ in questions {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut message)?;
        let (number, answer) = parsed(&message);
        let place = answers.get_mut(usize::from(number).wrapping_sub(1));
        *place.expect("an answer to one of the questions") = Some(answer);
    }
    Ok(answers.into_iter().flatten().collect())
}

#[track_caller]
fn over_udp(
    server: SocketAddr,
    question: &DnsQuestion<'_>,
    patience: Duration,
) -> io::Result<DnsAnswer> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    // Connected, so that an answer from another address or port than was asked is none.
    socket.connect(server)?;
    socket.set_read_timeout(Some(patience))?;
    let id = socket.local_addr()?.port();
    socket.send(&written(id, question))?;
    let mut buffer = vec![0; 65535];
    let length = socket.recv(&mut buffer)?;
    assert!(length <= 512, "{length} bytes are too many without EDNS");
    let (number, answer) = parsed(&buffer[..length]);
    assert_eq!(number, id, "the answer should carry the question's number");
    Ok(answer)
}

fn written(id: u16, question: &DnsQuestion<'_>) -> Vec<u8> {
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let name = Name::new_unchecked(question.name.trim_end_matches('.'));
    let asked = Question::new(name, question.kind.into(), CLASS::IN.into(), false);
    packet.questions.push(asked);
    packet.build_bytes_vec().expect("questions can be written")
}

#[track_caller]
fn parsed(message: &[u8]) -> (u16, DnsAnswer) {
    let packet = Packet::parse(message)
        .unwrap_or_else(|error| panic!("the answer is no DNS message: {error}: {message:02x?}"));
    assert!(packet.has_flags(PacketFlag::RESPONSE), "{packet:?}");
    let mut values: Vec<_> = packet.answers.iter().map(value).collect();
    values.sort();
    let flags = PacketFlag::all()
        .iter()
        .filter(|flag| packet.has_flags(*flag));
    let answer = DnsAnswer {
        code: packet.rcode(),
        values,
        time_to_live: packet.answers.iter().map(|one| one.ttl).max().unwrap_or(0),
        question: packet
            .questions
            .first()
            .map(|question| question.qname.to_string())
            .unwrap_or_default(),
        flags: flags.collect(),
    };
    (packet.id(), answer)
}

fn value(record: &ResourceRecord<'_>) -> String {
    match &record.rdata {
        RData::A(data) => Ipv4Addr::from(data.address).to_string(),
        RData::AAAA(data) => Ipv6Addr::from(data.address).to_string(),
        RData::PTR(name) => name.0.to_string(),
        other => format!("{other:?}"),
    }
}
