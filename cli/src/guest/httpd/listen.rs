//! Sockets that listen on every address of the container, of both families where the kernel has both.

use std::fmt;
use std::io;
use std::net::{Ipv6Addr, SocketAddrV6, TcpListener, UdpSocket};
use std::num::NonZeroU16;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn6, bind, listen, setsockopt, socket,
    sockopt,
};

use crate::guest::program::Failure;
use crate::guest::reason::reason;

/// A socket that is bound and listens.
pub enum Listening {
    /// Connections come here.
    Tcp {
        /// Where they are accepted.
        listener: TcpListener,
        /// On which port and families.
        place: Place,
    },
    /// Datagrams come here.
    Udp {
        /// Where they are received.
        socket: UdpSocket,
        /// On which port and families.
        place: Place,
    },
}

/// A port, and the address families it is open in.
pub struct Place {
    port: NonZeroU16,
    families: Families,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Families {
    OnlyIpv4,
    Both,
}

/// Listens for connections on `port`.
///
/// # Errors
///
/// If the port is taken or may not be used.
pub fn tcp(port: NonZeroU16) -> Result<Listening, Failure> {
    let (listener, families) = match listen_in_both(port, SockType::Stream) {
        Ok(socket) => (TcpListener::from(socket), Families::Both),
        Err(error) if is_without_ipv6(&error) => {
            let listener = TcpListener::bind(("0.0.0.0", port.get()));
            (
                listener.map_err(|error| refusal(port, "", &error))?,
                Families::OnlyIpv4,
            )
        }
        Err(error) => return Err(refusal(port, "", &error)),
    };
    let place = Place { port, families };
    Ok(Listening::Tcp { listener, place })
}

/// Waits for datagrams on `port`.
///
/// # Errors
///
/// If the port is taken or may not be used.
pub fn udp(port: NonZeroU16) -> Result<Listening, Failure> {
    let (socket, families) = match listen_in_both(port, SockType::Datagram) {
        Ok(socket) => (UdpSocket::from(socket), Families::Both),
        Err(error) if is_without_ipv6(&error) => {
            let socket = UdpSocket::bind(("0.0.0.0", port.get()));
            (
                socket.map_err(|error| refusal(port, "/udp", &error))?,
                Families::OnlyIpv4,
            )
        }
        Err(error) => return Err(refusal(port, "/udp", &error)),
    };
    let place = Place { port, families };
    Ok(Listening::Udp { socket, place })
}

/// One IPv6 socket that IPv4 reaches as well, whatever `net.ipv6.bindv6only` says.
fn listen_in_both(port: NonZeroU16, kind: SockType) -> io::Result<OwnedFd> {
    let socket = socket(AddressFamily::Inet6, kind, SockFlag::SOCK_CLOEXEC, None)?;
    setsockopt(&socket, sockopt::Ipv6V6Only, &false)?;
    if kind == SockType::Stream {
        // Connections of an earlier server that have not timed out yet must not keep this one from its port.
        setsockopt(&socket, sockopt::ReuseAddr, &true)?;
    }
    let address = SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, port.get(), 0, 0);
    bind(socket.as_raw_fd(), &SockaddrIn6::from(address))?;
    if kind == SockType::Stream {
        listen(&socket, Backlog::MAXCONN)?;
    }
    Ok(socket)
}

fn is_without_ipv6(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(nix::libc::EAFNOSUPPORT | nix::libc::EADDRNOTAVAIL)
    )
}

fn refusal(port: NonZeroU16, protocol: &str, error: &io::Error) -> Failure {
    let reason = reason(error);
    Failure::new(format!("cannot listen on port {port}{protocol}: {reason}"))
}

impl fmt::Display for Listening {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, protocol) = match self {
            Self::Tcp { place, .. } => (place, ""),
            Self::Udp { place, .. } => (place, "/udp"),
        };
        let port = place.port;
        write!(formatter, "0.0.0.0:{port}{protocol}")?;
        match place.families {
            Families::OnlyIpv4 => Ok(()),
            Families::Both => write!(formatter, " and [::]:{port}{protocol}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;
    use crate::guest::scratch_network;

    const PORT: NonZeroU16 = NonZeroU16::new(80).unwrap();

    #[test]
    fn both_families_are_listened_on_and_both_arrive() {
        scratch_network::inside(|| {
            let listening = tcp(PORT).unwrap();
            assert_eq!(listening.to_string(), "0.0.0.0:80 and [::]:80");
            assert!(TcpStream::connect(("127.0.0.1", 80)).is_ok());
            assert!(TcpStream::connect(("::1", 80)).is_ok());
        });
    }

    #[test]
    fn a_port_that_is_taken_is_named() {
        scratch_network::inside(|| {
            let _first = (tcp(PORT).unwrap(), udp(PORT).unwrap());
            let refusal = |result: Result<Listening, Failure>| result.err().unwrap();
            assert_eq!(
                refusal(tcp(PORT)),
                Failure::new("cannot listen on port 80: address already in use".to_owned())
            );
            assert_eq!(
                refusal(udp(PORT)),
                Failure::new("cannot listen on port 80/udp: address already in use".to_owned())
            );
        });
    }
}
