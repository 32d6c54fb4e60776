//! Looking at a network from inside it: every function acts in the network namespace of the calling thread
//! (see [`Place::inside`](crate::Place::inside)).

mod ethernet;
mod http;
mod tcp;
mod udp;

use std::time::Duration;

pub use ethernet::{EthernetSocket, hardware_address};
pub use http::http_get;
pub use tcp::{Listener, Reach, Relay, tcp_connect, tcp_connect_from, tcp_listen, tcp_relay};
pub use udp::{UdpEcho, udp_ask, udp_echo};

/// How long to wait for something that must not come. Whatever is let through takes well under a millisecond here.
pub const SHORT_WAIT: Duration = Duration::from_millis(300);

/// How long to wait for something that must come; as long as a busy machine may need, with room for a repeated SYN.
pub const LONG_WAIT: Duration = Duration::from_secs(10);
