//! A name server that a host or a container is configured to ask, and that tells the test who asked what.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use nix::sys::socket::{Shutdown, shutdown};
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE};

use crate::probe::{LONG_WAIT, Transport};

/// What the server says.
#[derive(Debug, Clone)]
pub enum Zone {
    /// The addresses of these names (a name may have several lines), no records for other types, and that other names do not exist.
    Names(Vec<(String, IpAddr)>),
    /// The same verdict whatever is asked.
    Always(RCODE),
    /// Nothing at all.
    Silent,
}

impl Zone {
    /// A zone of names written as a person would.
    ///
    /// # Panics
    ///
    /// If an address is none.
    pub fn of(lines: &[(&str, &str)]) -> Self {
        let parse = |(name, address): &(&str, &str)| {
            let address = address.parse().expect("an address");
            ((*name).to_owned(), address)
        };
        Self::Names(lines.iter().map(parse).collect())
    }
}

/// A question that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenQuery {
    /// Who asked.
    pub peer: IpAddr,
    /// How.
    pub transport: Transport,
    /// The name, as it was spelt.
    pub name: String,
    /// The type of record.
    pub kind: QTYPE,
}

/// A running server, for UDP and TCP. It ends when dropped.
#[derive(Debug)]
pub struct DnsUpstream {
    datagrams: UdpSocket,
    connections: TcpListener,
    threads: Vec<JoinHandle<()>>,
    seen: Arc<Mutex<Vec<SeenQuery>>>,
}

impl DnsUpstream {
    /// Serves `zone` on `address` in the calling thread's network.
    ///
    /// # Panics
    ///
    /// If the address cannot be had.
    #[track_caller]
    pub fn start(address: impl Into<SocketAddr>, zone: Zone) -> Self {
        let address = address.into();
        let datagrams = UdpSocket::bind(address)
            .unwrap_or_else(|error| panic!("cannot listen on {address}/udp: {error}"));
        let connections = TcpListener::bind(address)
            .unwrap_or_else(|error| panic!("cannot listen on {address}/tcp: {error}"));
        let seen = Arc::default();
        let server = Answering {
            zone,
            seen: Arc::clone(&seen),
        };
        let duplicate = "cannot duplicate a socket";
        let (udp, over_udp) = (datagrams.try_clone().expect(duplicate), server.clone());
        let (tcp, over_tcp) = (connections.try_clone().expect(duplicate), server);
        Self {
            datagrams,
            connections,
            threads: vec![
                thread::spawn(move || over_udp.serve_datagrams(&udp)),
                thread::spawn(move || over_tcp.serve_connections(&tcp)),
            ],
            seen,
        }
    }

    /// Every question since the last call, in the order they came.
    ///
    /// # Panics
    ///
    /// If the server has panicked.
    pub fn takes_seen(&self) -> Vec<SeenQuery> {
        std::mem::take(&mut self.seen.lock().expect("the server goes on"))
    }

    /// The names of every question since the last call, in the order they came.
    pub fn takes_names(&self) -> Vec<String> {
        self.takes_seen().into_iter().map(|one| one.name).collect()
    }
}

impl Drop for DnsUpstream {
    fn drop(&mut self) {
        // The kernel wakes the reader and then says that the socket was not connected; only the waking matters.
        shutdown(self.datagrams.as_raw_fd(), Shutdown::Both).ok();
        shutdown(self.connections.as_raw_fd(), Shutdown::Both).ok();
        for thread in self.threads.drain(..) {
            thread.join().ok();
        }
    }
}

/// What both threads need.
#[derive(Debug, Clone)]
struct Answering {
    zone: Zone,
    seen: Arc<Mutex<Vec<SeenQuery>>>,
}

impl Answering {
    fn serve_datagrams(&self, socket: &UdpSocket) {
        let mut buffer = [0; 4096];
        while let Ok((length @ 1.., peer)) = socket.recv_from(&mut buffer) {
            if let Some(answer) = self.answer(&buffer[..length], peer, Transport::Udp) {
                socket.send_to(&answer, peer).ok();
            }
        }
    }

    fn serve_connections(&self, socket: &TcpListener) {
        while let Ok((stream, peer)) = socket.accept() {
            // Whoever asks may hang up whenever they like.
            self.serve_connection(stream, peer).ok();
        }
    }

    fn serve_connection(&self, mut stream: TcpStream, peer: SocketAddr) -> std::io::Result<()> {
        stream.set_read_timeout(Some(LONG_WAIT))?;
        loop {
            let mut length = [0; 2];
            stream.read_exact(&mut length)?;
            let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut message)?;
            if let Some(answer) = self.answer(&message, peer, Transport::Tcp) {
                let length = u16::try_from(answer.len()).expect("zones are small");
                stream.write_all(&[&length.to_be_bytes()[..], &answer].concat())?;
            }
        }
    }

    /// The answer to one message, cut to what fits where it has to be.
    fn answer(&self, message: &[u8], peer: SocketAddr, transport: Transport) -> Option<Vec<u8>> {
        let query = Packet::parse(message).ok()?;
        let question = query.questions.first()?;
        let name = question.qname.to_string();
        self.seen.lock().ok()?.push(SeenQuery {
            peer: peer.ip().to_canonical(),
            transport,
            name: name.clone(),
            kind: question.qtype,
        });
        let mut reply = Packet::new_reply(query.id());
        reply.set_flags(PacketFlag::RECURSION_DESIRED | PacketFlag::RECURSION_AVAILABLE);
        reply.questions.push(question.clone());
        match &self.zone {
            Zone::Silent => return None,
            Zone::Always(code) => *reply.rcode_mut() = *code,
            Zone::Names(lines) => {
                let mut known = lines
                    .iter()
                    .filter(|(one, _)| one.eq_ignore_ascii_case(&name))
                    .peekable();
                if known.peek().is_none() {
                    *reply.rcode_mut() = RCODE::NameError;
                }
                let of_kind = known.filter(|(_, address)| kind_of(*address) == question.qtype);
                reply.answers = of_kind
                    .map(|(_, address)| {
                        let data = data_of(*address);
                        ResourceRecord::new(question.qname.clone(), CLASS::IN, 60, data)
                    })
                    .collect();
            }
        }
        let whole = reply.build_bytes_vec_compressed().ok()?;
        if transport == Transport::Tcp || whole.len() <= 512 {
            return Some(whole);
        }
        reply.answers.clear();
        reply.set_flags(PacketFlag::TRUNCATION);
        reply.build_bytes_vec_compressed().ok()
    }
}

fn kind_of(address: IpAddr) -> QTYPE {
    match address {
        IpAddr::V4(_) => TYPE::A.into(),
        IpAddr::V6(_) => TYPE::AAAA.into(),
    }
}

fn data_of<'a>(address: IpAddr) -> RData<'a> {
    match address {
        IpAddr::V4(address) => RData::A(address.into()),
        IpAddr::V6(address) => RData::AAAA(address.into()),
    }
}
