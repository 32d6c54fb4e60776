//! Looking at a network from inside it: every function acts in the network namespace of the calling thread
//! (see [`Place::inside`](crate::Place::inside)).

mod dns;
mod ethernet;
mod http;
mod tcp;
mod udp;

use std::net::SocketAddr;
use std::time::Duration;

pub use dns::{DnsAnswer, DnsQuestion, Transport, dns_ask, dns_ask_several};
pub use ethernet::{EthernetSocket, hardware_address};
pub use http::http_get;
pub use tcp::{Listener, Reach, Relay, tcp_connect, tcp_connect_from, tcp_listen, tcp_relay};
pub use udp::{UdpEcho, udp_ask, udp_echo};

/// How long to wait for something that must not come. Whatever is let through takes well under a millisecond here.
pub const SHORT_WAIT: Duration = Duration::from_millis(300);

/// How long to wait for something that must come; as long as a busy machine may need, with room for a repeated SYN.
pub const LONG_WAIT: Duration = Duration::from_secs(10);

/// A peer that a socket for both families sees, with its IPv4 address as such (not as `::ffff:192.0.2.1`).
fn canonical(peer: SocketAddr) -> SocketAddr {
    SocketAddr::new(peer.ip().to_canonical(), peer.port())
}
