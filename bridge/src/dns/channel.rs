//! One message to a server and what comes back, over UDP or TCP, never waiting.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrStorage, connect, recv, socket,
};

use super::frame::{Filled, Incoming, Outgoing};
use super::message::LONGEST;
use super::query::Transport;

/// A question on its way to one server.
#[derive(Debug)]
pub(super) enum Channel {
    Datagram(UdpSocket),
    Stream {
        socket: TcpStream,
        outgoing: Outgoing,
        incoming: Incoming,
    },
}

/// What a server said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Nothing,
    Message(Vec<u8>),
    /// A datagram that does not fit into the buffer; here is its beginning.
    TooLong(Vec<u8>),
}

impl Channel {
    /// Sends a message from a socket of its own. Its port is one that the kernel draws, and being connected it takes
    /// nothing from others than this server: whoever wants to slip in an answer has to guess the port and the id.
    pub(super) fn open(
        server: SocketAddr,
        transport: Transport,
        message: &[u8],
    ) -> io::Result<Channel> {
        match transport {
            Transport::Udp => Ok(Channel::Datagram(send_datagram(server, message)?)),
            Transport::Tcp => {
                let mut channel = Channel::Stream {
                    socket: begin_connection(server)?,
                    outgoing: Outgoing::default(),
                    incoming: Incoming::new(LONGEST),
                };
                if let Channel::Stream { outgoing, .. } = &mut channel {
                    outgoing.push(message);
                }
                Ok(channel)
            }
        }
    }

    /// What to wait for.
    pub(super) fn wanted(&self) -> PollFd<'_> {
        match self {
            Channel::Datagram(socket) => PollFd::new(socket.as_fd(), PollFlags::POLLIN),
            Channel::Stream {
                socket, outgoing, ..
            } => {
                let direction = if outgoing.is_empty() {
                    PollFlags::POLLIN
                } else {
                    PollFlags::POLLOUT
                };
                PollFd::new(socket.as_fd(), direction)
            }
        }
    }

    /// Sends on and listens, as far as that goes now.
    ///
    /// # Errors
    ///
    /// Fails when nothing can come from this server any more.
    pub(super) fn go_on(&mut self, buffer: &mut [u8]) -> io::Result<Heard> {
        match self {
            Channel::Datagram(socket) => receive_datagram(socket, buffer),
            Channel::Stream {
                socket,
                outgoing,
                incoming,
            } => {
                // While the connection is not made, writing fails with EAGAIN, as when there is no room.
                outgoing.flush(socket)?;
                if !outgoing.is_empty() {
                    return Ok(Heard::Nothing);
                }
                loop {
                    if let Some(message) = incoming.take()? {
                        return Ok(Heard::Message(message));
                    }
                    match incoming.fill(socket)? {
                        Filled::More => {}
                        Filled::Waiting => return Ok(Heard::Nothing),
                        Filled::Ended => return Err(io::ErrorKind::UnexpectedEof.into()),
                    }
                }
            }
        }
    }
}

fn send_datagram(server: SocketAddr, message: &[u8]) -> io::Result<UdpSocket> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.set_nonblocking(true)?;
    socket.connect(server)?;
    socket.send(message)?;
    Ok(socket)
}

/// The standard library would wait for the connection.
fn begin_connection(server: SocketAddr) -> io::Result<TcpStream> {
    let family = match server {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(family, SockType::Stream, flags, None)?;
    match connect(socket.as_raw_fd(), &SockaddrStorage::from(server)) {
        Ok(()) | Err(Errno::EINPROGRESS) => Ok(TcpStream::from(socket)),
        Err(error) => Err(error.into()),
    }
}

fn receive_datagram(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Heard> {
    match recv(socket.as_raw_fd(), buffer, MsgFlags::MSG_TRUNC) {
        Ok(length) if length > buffer.len() => Ok(Heard::TooLong(buffer.to_vec())),
        Ok(length) => Ok(Heard::Message(buffer[..length].to_vec())),
        Err(Errno::EAGAIN | Errno::EINTR) => Ok(Heard::Nothing),
        Err(error) => Err(error.into()),
    }
}
