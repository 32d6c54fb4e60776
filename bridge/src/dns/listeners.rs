//! The two sockets of a server.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use super::error::DnsError;

/// Where every container finds its server. The address is Docker's, so images that know it keep working.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 11);

/// The port at which programs ask.
pub const PORT: u16 = 53;

/// How often a port is tried that is free for UDP and then turns out to be taken for TCP.
const ATTEMPTS: u32 = 64;

/// What a server listens on. The sockets stay in the network namespace in which they were bound.
#[derive(Debug)]
pub struct Listeners {
    /// For queries as datagrams.
    pub udp: UdpSocket,
    /// For queries over connections.
    pub tcp: TcpListener,
}

impl Listeners {
    /// Binds [`ADDRESS`] in the network namespace of the calling thread, where the loopback interface has to be up. The
    /// kernel chooses the port, the same for both; port 53 stays free for the container.
    ///
    /// # Errors
    ///
    /// [`DnsError::Bind`] when there is no such address or no port free.
    pub fn bind() -> Result<Listeners, DnsError> {
        let mut attempt = 1;
        loop {
            match bind_both(0) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && attempt < ATTEMPTS => {
                    attempt += 1;
                }
                result => return result.map_err(DnsError::Bind),
            }
        }
    }

    /// The same on the port at which programs ask, where nothing can be redirected; the container cannot serve that one then.
    ///
    /// # Errors
    ///
    /// [`DnsError::Bind`] when there is no such address.
    pub fn bind_usual() -> Result<Listeners, DnsError> {
        bind_both(PORT).map_err(DnsError::Bind)
    }

    /// The port of both.
    ///
    /// # Errors
    ///
    /// [`DnsError::SetUp`] when the kernel does not tell.
    pub fn port(&self) -> Result<u16, DnsError> {
        let address: SocketAddr = self.udp.local_addr().map_err(DnsError::SetUp)?;
        Ok(address.port())
    }
}

fn bind_both(port: u16) -> io::Result<Listeners> {
    let udp = UdpSocket::bind((ADDRESS, port))?;
    let tcp = TcpListener::bind(udp.local_addr()?)?;
    Ok(Listeners { udp, tcp })
}
