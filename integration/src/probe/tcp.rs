//! TCP: who can connect, and as whom they are seen.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, bind, connect, getsockopt, setsockopt,
    shutdown, socket, sockopt,
};

use super::{LONG_WAIT, canonical};

/// What became of an attempt to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The connection was made.
    Open,
    /// Somebody answered that nobody listens there.
    Refused,
    /// No answer came in the time given.
    Silent,
    /// The kernel knows no way there, or somebody answered that there is none.
    Unreachable,
}

/// Tries to connect and hangs up.
pub fn tcp_connect(target: impl Into<SocketAddr>, patience: Duration) -> Reach {
    tcp_connect_from(0, target, patience)
}

/// Tries to connect from the given local port (0: any) and hangs up.
///
/// # Panics
///
/// If the local port cannot be had.
pub fn tcp_connect_from(
    source_port: u16,
    target: impl Into<SocketAddr>,
    patience: Duration,
) -> Reach {
    let target = target.into();
    match attempt(source_port, target, patience) {
        Ok(()) => Reach::Open,
        Err(nix::Error::ECONNREFUSED) => Reach::Refused,
        Err(nix::Error::ETIMEDOUT) => Reach::Silent,
        // The last is said of IPv6 where there is a route but no address of one's own to send from.
        Err(nix::Error::ENETUNREACH | nix::Error::EHOSTUNREACH | nix::Error::EADDRNOTAVAIL) => {
            Reach::Unreachable
        }
        Err(error) => panic!("cannot try to connect from port {source_port} to {target}: {error}"),
    }
}

fn attempt(source_port: u16, target: SocketAddr, patience: Duration) -> nix::Result<()> {
    let (family, any) = match target {
        SocketAddr::V4(_) => (AddressFamily::Inet, Ipv4Addr::UNSPECIFIED.into()),
        SocketAddr::V6(_) => (AddressFamily::Inet6, Ipv6Addr::UNSPECIFIED.into()),
    };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket: OwnedFd = socket(family, SockType::Stream, flags, None)?;
    if source_port != 0 {
        setsockopt(&socket, sockopt::ReuseAddr, &true)?;
        bind(
            socket.as_raw_fd(),
            &SockaddrStorage::from(SocketAddr::new(any, source_port)),
        )?;
    }
    match connect(socket.as_raw_fd(), &SockaddrStorage::from(target)) {
        Ok(()) => return Ok(()),
        Err(nix::Error::EINPROGRESS) => {}
        Err(error) => return Err(error),
    }
    let patience = PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX);
    if poll(
        &mut [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)],
        patience,
    )? == 0
    {
        return Err(nix::Error::ETIMEDOUT);
    }
    match getsockopt(&socket, sockopt::SocketError)? {
        0 => Ok(()),
        number => Err(nix::Error::from_raw(number)),
    }
}

/// A TCP server that greets everybody with the address it sees them at, and hangs up. It ends when dropped.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    peers: Receiver<SocketAddr>,
    thread: Option<JoinHandle<()>>,
}

/// Listens on every address of both families of the calling thread's network; the listener may then be carried anywhere.
///
/// # Panics
///
/// If the port is taken.
pub fn tcp_listen(port: u16) -> Listener {
    let socket = bind_everywhere(port);
    let (sender, peers) = channel();
    let accepting = socket.try_clone().expect("cannot duplicate a socket");
    let thread = Some(thread::spawn(move || greet_everybody(&accepting, &sender)));
    Listener {
        socket,
        peers,
        thread,
    }
}

impl Listener {
    /// The next peer that connected, if one does within `patience`.
    pub fn next_peer(&self, patience: Duration) -> Option<SocketAddr> {
        self.peers.recv_timeout(patience).ok()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        end_accepting(&self.socket, &mut self.thread);
    }
}

fn greet_everybody(socket: &TcpListener, peers: &Sender<SocketAddr>) {
    while let Ok((mut stream, peer)) = socket.accept() {
        let peer = canonical(peer);
        // The peer may have hung up already, and the test may have stopped asking.
        writeln!(stream, "{peer}").ok();
        peers.send(peer).ok();
    }
}

/// A server that passes each request on to another and its answer back. It ends when dropped.
#[derive(Debug)]
pub struct Relay {
    socket: TcpListener,
    thread: Option<JoinHandle<()>>,
}

/// Relays one HTTP request per connection from `port` to `target`, which has to take connections within `patience`; both sides
/// are in the calling thread's network.
///
/// # Panics
///
/// If the port is taken.
pub fn tcp_relay(port: u16, target: impl Into<SocketAddr>, patience: Duration) -> Relay {
    let target = target.into();
    let socket = bind_everywhere(port);
    let accepting = socket.try_clone().expect("cannot duplicate a socket");
    let relay_all = move || {
        while let Ok((client, _)) = accepting.accept() {
            // A failed request shows as an empty answer to the client that the test looks at.
            relay_request(client, target, patience).ok();
        }
    };
    Relay {
        socket,
        thread: Some(thread::spawn(relay_all)),
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        end_accepting(&self.socket, &mut self.thread);
    }
}

fn relay_request(mut client: TcpStream, target: SocketAddr, patience: Duration) -> io::Result<()> {
    client.set_read_timeout(Some(LONG_WAIT))?;
    let mut server = TcpStream::connect_timeout(&target, patience)?;
    server.set_read_timeout(Some(LONG_WAIT))?;
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.ends_with(b"\r\n\r\n") {
        match client.read(&mut buffer)? {
            0 => break,
            length => request.extend_from_slice(&buffer[..length]),
        }
    }
    server.write_all(&request)?;
    io::copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Both)
}

fn bind_everywhere(port: u16) -> TcpListener {
    TcpListener::bind((Ipv6Addr::UNSPECIFIED, port))
        .unwrap_or_else(|error| panic!("cannot listen on {port}/tcp: {error}"))
}

/// Shutting the listening socket down wakes the thread out of its accept with an error.
fn end_accepting(socket: &TcpListener, thread: &mut Option<JoinHandle<()>>) {
    shutdown(socket.as_raw_fd(), nix::sys::socket::Shutdown::Both).ok();
    if let Some(thread) = thread.take() {
        thread.join().ok();
    }
}
