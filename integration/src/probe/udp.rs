//! UDP: an echo, and asking one.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::socket::{Shutdown, shutdown};

use super::canonical;

/// A server that sends every datagram back, followed by a blank and the address it came from. It ends when dropped.
#[derive(Debug)]
pub struct UdpEcho {
    socket: UdpSocket,
    thread: Option<JoinHandle<()>>,
}

/// Listens on every address of both families of the calling thread's network.
///
/// # Panics
///
/// If the port is taken.
pub fn udp_echo(port: u16) -> UdpEcho {
    let bound = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, port));
    let socket = bound.unwrap_or_else(|error| panic!("cannot listen on {port}/udp: {error}"));
    let answering = socket.try_clone().expect("cannot duplicate a socket");
    let echo = move || {
        let mut buffer = [0; 2048];
        // A socket that was shut down gives an empty datagram, which no test sends.
        while let Ok((length @ 1.., peer)) = answering.recv_from(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]);
            let seen = canonical(peer);
            answering
                .send_to(format!("{text} {seen}").as_bytes(), peer)
                .ok();
        }
    };
    UdpEcho {
        socket,
        thread: Some(thread::spawn(echo)),
    }
}

impl Drop for UdpEcho {
    fn drop(&mut self) {
        // The kernel wakes the reader and then says that the socket was not connected; only the waking matters.
        shutdown(self.socket.as_raw_fd(), Shutdown::Both).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// Sends `text` to `target` and gives the answer, if one comes within `patience`.
///
/// # Panics
///
/// If no socket can be had.
pub fn udp_ask(target: impl Into<SocketAddr>, text: &str, patience: Duration) -> Option<String> {
    let target = target.into();
    let any = match target {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(any).expect("cannot make a UDP socket");
    socket
        .set_read_timeout(Some(patience))
        .expect("a wait is longer than nothing");
    socket.send_to(text.as_bytes(), target).ok()?;
    let mut buffer = [0; 2048];
    let (length, _) = socket.recv_from(&mut buffer).ok()?;
    Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
}
