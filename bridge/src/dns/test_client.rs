//! Queries, names and a small world of client, server and other servers for tests.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use minirun_netns::{Netlink, bring_up_loopback};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};

use super::{Names, Pointer, Server};

/// How long a test waits for anything at all.
const AT_LAST: Duration = Duration::from_secs(20);

/// Names from a table; the name of an address is the first name that has it, on the network `net`.
pub(super) struct Known(HashMap<String, Vec<IpAddr>>);

impl Known {
    pub(super) fn new(table: &[(&str, &[&str])]) -> Known {
        let entry = |(name, addresses): &(&str, &[&str])| {
            let addresses = addresses.iter().map(|address| address.parse().unwrap());
            ((*name).to_owned(), addresses.collect())
        };
        Known(table.iter().map(entry).collect())
    }
}

impl Names for Known {
    fn addresses(&self, name: &str) -> Option<Vec<IpAddr>> {
        self.0.get(name).cloned()
    }

    fn pointer(&self, address: IpAddr) -> Pointer {
        let is_its_own = self.0.get("web").is_some_and(|own| own.contains(&address));
        if is_its_own {
            Pointer::Known("web.net".into())
        } else {
            Pointer::Unknown
        }
    }
}

/// A query with the id 0x1234 that wishes for recursion.
pub(super) fn query(name: &str, kind: u16) -> Vec<u8> {
    let mut message = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.').filter(|label| !label.is_empty()) {
        message.push(u8::try_from(label.len()).unwrap());
        message.extend(label.as_bytes());
    }
    message.push(0);
    message.extend(kind.to_be_bytes());
    message.extend([0, 1]);
    message
}

/// The same query with an EDNS record.
pub(super) fn with_edns(mut message: Vec<u8>, size: u16, version: u8) -> Vec<u8> {
    message[11] = 1;
    message.extend([0, 0, 41]);
    message.extend(size.to_be_bytes());
    message.extend([0, version, 0, 0, 0, 0]);
    message
}

/// Runs a test on a thread that has a network namespace to itself, with the loopback interface up.
pub(super) fn in_own_network<T: Send>(test: impl FnOnce() -> T + Send) -> T {
    let run = || {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        bring_up_loopback(&mut Netlink::open().unwrap()).unwrap();
        test()
    };
    std::thread::scope(|scope| scope.spawn(run).join().unwrap())
}

/// What another server does with a query.
type Behaviour = Box<dyn FnMut(&[u8]) -> Option<Vec<u8>>>;

/// Another server.
pub(super) struct Other {
    udp: UdpSocket,
    tcp: TcpListener,
    connections: Vec<TcpStream>,
    behaviour: Behaviour,
    /// How often it was asked.
    pub(super) asked: usize,
}

impl Other {
    pub(super) fn new(
        address: &str,
        behaviour: impl FnMut(&[u8]) -> Option<Vec<u8>> + 'static,
    ) -> Other {
        let address: IpAddr = address.parse().unwrap();
        let tcp = TcpListener::bind((address, 53)).unwrap();
        tcp.set_nonblocking(true).unwrap();
        let udp = UdpSocket::bind((address, 53)).unwrap();
        udp.set_nonblocking(true).unwrap();
        Other {
            udp,
            tcp,
            connections: Vec::new(),
            behaviour: Box::new(behaviour),
            asked: 0,
        }
    }

    fn wanted(&self) -> Vec<PollFd<'_>> {
        let sockets = [self.udp.as_fd(), self.tcp.as_fd()].into_iter();
        let sockets = sockets.chain(self.connections.iter().map(AsFd::as_fd));
        sockets.map(readable).collect()
    }

    fn go_on(&mut self) {
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = self.udp.recv_from(&mut buffer) {
            self.asked += 1;
            if let Some(answer) = (self.behaviour)(&buffer[..length]) {
                self.udp.send_to(&answer, from).unwrap();
            }
        }
        while let Ok((connection, _)) = self.tcp.accept() {
            connection.set_nonblocking(true).unwrap();
            self.connections.push(connection);
        }
        let (behaviour, asked) = (&mut self.behaviour, &mut self.asked);
        self.connections.retain_mut(|connection| {
            match connection.read(&mut buffer) {
                Ok(0) => return false,
                Ok(length) => {
                    *asked += 1;
                    let answer = behaviour(&buffer[2..length]);
                    let answer = answer.map(|answer| framed(&answer)).unwrap_or_default();
                    connection.write_all(&answer).unwrap();
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            true
        });
    }
}

/// A message with its length in front.
pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap();
    [&length.to_be_bytes(), message].concat()
}

fn readable(descriptor: std::os::fd::BorrowedFd<'_>) -> PollFd<'_> {
    PollFd::new(descriptor, PollFlags::POLLIN)
}

/// A server, the servers it may ask, and the loop that drives them as a monitor would.
pub(super) struct World {
    pub(super) server: Server,
    pub(super) others: Vec<Other>,
    pub(super) address: SocketAddr,
    /// How often the server was driven, to catch one that never rests.
    pub(super) turns: usize,
    /// How long after its deadlines the server was driven, all together. That is the doing of a busy machine, and not its own.
    pub(super) late: Duration,
}

impl World {
    /// Asks by a datagram from a socket of its own.
    pub(super) fn ask(&mut self, message: &[u8]) -> Vec<u8> {
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.send_to(message, self.address).unwrap();
        self.hear(&client)
    }

    /// The next datagram for a client.
    pub(super) fn hear(&mut self, client: &UdpSocket) -> Vec<u8> {
        self.run_until_readable(client.as_fd());
        let mut buffer = [0; 65535];
        let (length, from) = client.recv_from(&mut buffer).unwrap();
        assert_eq!(from, self.address);
        buffer[..length].to_vec()
    }

    /// The next message for a client on a connection; none when the connection ends.
    pub(super) fn hear_on(&mut self, mut client: &TcpStream) -> Option<Vec<u8>> {
        self.run_until_readable(client.as_fd());
        let mut length = [0; 2];
        client.read_exact(&mut length).ok()?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        let mut filled = 0;
        while filled < message.len() {
            self.run_until_readable(client.as_fd());
            filled += client.read(&mut message[filled..]).unwrap();
        }
        Some(message)
    }

    /// Lets everything happen until a descriptor is readable.
    pub(super) fn run_until_readable(&mut self, client: std::os::fd::BorrowedFd<'_>) {
        let end = Instant::now() + AT_LAST;
        while !self.turn(Some(client), end) {
            assert!(Instant::now() < end, "nothing came");
        }
    }

    /// Lets everything happen that can happen without a clock.
    pub(super) fn settle(&mut self) {
        let before = self.turns + 1000;
        while !self.turn(None, Instant::now()) {
            assert!(self.turns < before, "the server never rests");
        }
    }

    /// Waits once and goes on. True when the client's descriptor is readable or, without a client, nothing is.
    fn turn(&mut self, client: Option<std::os::fd::BorrowedFd<'_>>, end: Instant) -> bool {
        self.turns += 1;
        let now = Instant::now();
        let until = self.server.deadline().map_or(end, |time| time.min(end));
        let wait = until.saturating_duration_since(now).as_millis() + 1;
        let wait = if client.is_some() {
            u16::try_from(wait).unwrap()
        } else {
            0
        };
        let mut questions: Vec<PollFd<'_>> = client.map(readable).into_iter().collect();
        questions.extend(self.server.wanted());
        let servers_end = questions.len();
        for other in &self.others {
            questions.extend(other.wanted());
        }
        poll(&mut questions, PollTimeout::from(wait)).unwrap();
        let ready: Vec<bool> = questions.iter().map(|one| one.any().unwrap()).collect();
        drop(questions);
        let first = usize::from(client.is_some());
        let server_ready = ready[first..servers_end].contains(&true);
        let anything = server_ready || ready[servers_end..].contains(&true);
        self.others.iter_mut().for_each(Other::go_on);
        let now = Instant::now();
        let due = self.server.deadline().filter(|time| now >= *time);
        self.late += due.map_or(Duration::ZERO, |time| now - time);
        if server_ready || due.is_some() {
            self.server.go_on();
        }
        match client {
            Some(_) => ready[0],
            None => !anything,
        }
    }
}
