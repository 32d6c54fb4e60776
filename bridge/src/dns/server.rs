//! The event loop's side of a server: what to wait for, and doing what can be done.

use std::io;
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use minirun_netns::Namespace;
use nix::poll::{PollFd, PollFlags};

use super::connection::{Connection, Outcome};
use super::error::DnsError;
use super::exchange::Client;
use super::listeners::Listeners;
use super::names::Names;
use super::resolver::Resolver;
use super::upstream::{Forwarding, Upstream};

/// The longest datagram taken, in bytes, from clients and from other servers. A longer answer is asked for over TCP.
const BUFFER: usize = 4096;

/// How many datagrams are taken before others get their turn.
const DATAGRAMS_AT_ONCE: usize = 64;

/// How many connections there are at most.
const MOST_CONNECTIONS: usize = 16;

/// How long no connection is accepted when the process has no descriptor for one.
const BREATHER: Duration = Duration::from_secs(1);

/// The DNS server of one container.
pub struct Server {
    listeners: Listeners,
    resolver: Resolver,
    connections: Vec<Connection>,
    /// How many connections there ever were.
    accepted: u64,
    /// Until when no connection is accepted.
    accept_again: Option<Instant>,
}

impl Server {
    /// Serves queries that arrive at `listeners`. `container` is the container's network namespace, from which the
    /// servers of [`Forwarding::Listed`] are asked; without it they are asked from the calling thread's.
    ///
    /// # Errors
    ///
    /// [`DnsError::SetUp`] when the sockets cannot be made non-blocking.
    pub fn new(
        listeners: Listeners,
        names: Box<dyn Names>,
        forwarding: Forwarding,
        container: Option<Namespace>,
    ) -> Result<Server, DnsError> {
        listeners
            .udp
            .set_nonblocking(true)
            .map_err(DnsError::SetUp)?;
        listeners
            .tcp
            .set_nonblocking(true)
            .map_err(DnsError::SetUp)?;
        Ok(Server {
            listeners,
            resolver: Resolver {
                names,
                upstream: Upstream {
                    forwarding,
                    container,
                },
                exchanges: Vec::new(),
            },
            connections: Vec::new(),
            accepted: 0,
            accept_again: None,
        })
    }

    /// Whom to ask from now on. What is with other servers already stays with them.
    pub fn set_forwarding(&mut self, forwarding: Forwarding) {
        self.resolver.upstream.forwarding = forwarding;
    }

    /// What to wait for with `poll(2)`. To be asked anew after each [`Server::go_on`].
    pub fn wanted(&self) -> Vec<PollFd<'_>> {
        let mut wanted = vec![PollFd::new(self.listeners.udp.as_fd(), PollFlags::POLLIN)];
        if self.accept_again.is_none() {
            wanted.push(PollFd::new(self.listeners.tcp.as_fd(), PollFlags::POLLIN));
        }
        wanted.extend(self.connections.iter().filter_map(Connection::wanted));
        let exchanges = self.resolver.exchanges.iter();
        wanted.extend(exchanges.map(|exchange| exchange.wanted()));
        wanted
    }

    /// When to call [`Server::go_on`] even if nothing has happened; none while nothing is under way.
    pub fn deadline(&self) -> Option<Instant> {
        let exchanges = self.resolver.exchanges.iter();
        let connections = self.connections.iter();
        exchanges
            .map(|exchange| exchange.deadline())
            .chain(connections.map(Connection::deadline))
            .chain(self.accept_again)
            .min()
    }

    /// Does all that can be done now without waiting. To be called when anything of [`Server::wanted`] is ready or the
    /// deadline has passed; calling it at any other time does no harm.
    pub fn go_on(&mut self) {
        let now = Instant::now();
        let mut buffer = [0; BUFFER];
        self.deliver(now, &mut buffer);
        self.take_datagrams(now, &mut buffer);
        self.accept(now);
        self.serve_connections(now);
    }

    /// Hands out what other servers have answered.
    fn deliver(&mut self, now: Instant, buffer: &mut [u8]) {
        for (client, reply) in self.resolver.collect(now, buffer) {
            match client {
                // A reply that cannot be sent is lost like any datagram; the client asks again.
                Client::Datagram(address) => {
                    let _ = self.listeners.udp.send_to(&reply, address);
                }
                Client::Connection(number) => {
                    let mut connections = self.connections.iter_mut();
                    if let Some(connection) = connections.find(|one| one.number == number) {
                        connection.give(&reply, now);
                    }
                }
            }
        }
    }

    fn take_datagrams(&mut self, now: Instant, buffer: &mut [u8]) {
        for _ in 0..DATAGRAMS_AT_ONCE {
            let Ok((length, address)) = self.listeners.udp.recv_from(buffer) else {
                return;
            };
            let client = Client::Datagram(address);
            if let Outcome::Reply(reply) = self.resolver.handle(client, &buffer[..length], now) {
                let _ = self.listeners.udp.send_to(&reply, address);
            }
        }
    }

    fn accept(&mut self, now: Instant) {
        if self.accept_again.is_some_and(|time| now < time) {
            return;
        }
        self.accept_again = None;
        for _ in 0..MOST_CONNECTIONS {
            match self.listeners.tcp.accept() {
                Ok((socket, _)) => self.welcome(socket, now),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if is_of_the_connection(&error) => {}
                Err(_) => {
                    self.accept_again = Some(now + BREATHER);
                    return;
                }
            }
        }
    }

    /// Takes in a new connection, if need be in the place of the one that has been idle longest.
    fn welcome(&mut self, socket: TcpStream, now: Instant) {
        self.accepted += 1;
        let Ok(connection) = Connection::new(self.accepted, socket, now) else {
            return;
        };
        if self.connections.len() >= MOST_CONNECTIONS {
            let places = self.connections.iter().enumerate();
            if let Some((place, _)) = places.min_by_key(|(_, one)| one.deadline()) {
                let gone = self.connections.remove(place);
                self.resolver.forget(gone.number);
            }
        }
        self.connections.push(connection);
    }

    fn serve_connections(&mut self, now: Instant) {
        let resolver = &mut self.resolver;
        self.connections.retain_mut(|connection| {
            let client = Client::Connection(connection.number);
            connection.go_on(now, |message| resolver.handle(client, message, now));
            let done = connection.is_done(now);
            if done {
                resolver.forget(connection.number);
            }
            !done
        });
        if self.connections.is_empty() {
            self.connections = Vec::new();
        }
    }
}

/// Whether accepting failed because of the one connection that was to be accepted (accept(2)).
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
    )
}
