//! Datagrams that are sent back to where they came from.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use super::site::Site;

/// The longest datagram in bytes.
const LONGEST_DATAGRAM: usize = 65_535;

/// Sends back every datagram; returns only when the socket fails for good.
pub fn echo_all(socket: &UdpSocket, site: &Site) -> io::Error {
    let mut buffer = vec![0; LONGEST_DATAGRAM];
    loop {
        match echo_one(socket, &mut buffer) {
            Ok((count, peer)) => site.log(&format!("{peer} udp echo, {count} bytes")),
            Err(error) if is_about_one_peer(&error) => {}
            Err(error) => return error,
        }
    }
}

fn echo_one(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    let (count, peer) = socket.recv_from(buffer)?;
    socket.send_to(&buffer[..count], peer)?;
    let shown = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    Ok((count, shown))
}

/// Errors that a peer, or a rule between here and there, can cause; the next peer may be well.
fn is_about_one_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use super::*;
    use crate::guest::httpd::listen::{self, Listening};
    use crate::guest::scratch_network;

    #[test]
    fn a_datagram_comes_back_as_it_was() {
        scratch_network::inside(|| {
            let Ok(Listening::Udp { socket, .. }) = listen::udp(NonZeroU16::new(53).unwrap())
            else {
                panic!("port 53 is free here");
            };
            let client = UdpSocket::bind("127.0.0.1:0").unwrap();
            client.send_to(b"hello", "127.0.0.1:53").unwrap();
            let (count, peer) = echo_one(&socket, &mut [0; 100]).unwrap();
            assert_eq!((count, peer), (5, client.local_addr().unwrap()));
            let mut answer = [0; 100];
            let (count, from) = client.recv_from(&mut answer).unwrap();
            assert_eq!(&answer[..count], b"hello");
            assert_eq!(from, "127.0.0.1:53".parse().unwrap());
        });
    }
}
