//! Who is asked about names that are not known here, and from where.

use std::io;
use std::net::{IpAddr, SocketAddr};

use minirun_netns::Namespace;

use super::channel::Channel;
use super::host_resolver::HostResolver;
use super::listeners::ADDRESS;
use super::query::Transport;

/// The port of DNS servers.
pub(super) const PORT: u16 = 53;

/// How many servers are asked at most about one name, as resolver libraries do (resolv.conf(5), `MAXNS`).
const MOST_SERVERS: usize = 3;

/// Who is asked about names that no network of the container knows.
#[derive(Debug)]
pub enum Forwarding {
    /// Whom the host asks at that moment, from the network namespace of the thread that runs the server. So a stub that
    /// listens on the host's loopback interface is as good as any.
    Host(HostResolver),
    /// These, from the container's network namespace (`--dns`).
    Listed(Vec<IpAddr>),
    /// Nobody: the container's networks do not reach outside.
    Nobody,
}

/// The servers, and the place they are asked from.
#[derive(Debug)]
pub(super) struct Upstream {
    pub(super) forwarding: Forwarding,
    /// Where servers of a list are asked from; the calling thread's network namespace if there is none.
    pub(super) container: Option<Namespace>,
}

impl Upstream {
    /// Whom to ask now, in order.
    pub(super) fn servers(&mut self) -> Vec<SocketAddr> {
        let mut servers = match &mut self.forwarding {
            Forwarding::Host(resolver) => resolver.servers(),
            Forwarding::Listed(addresses) => addresses
                .iter()
                .filter(|address| !is_ourselves(**address))
                .map(|address| SocketAddr::new(*address, PORT))
                .collect(),
            Forwarding::Nobody => Vec::new(),
        };
        servers.truncate(MOST_SERVERS);
        servers
    }

    /// Sends a message to a server from the right place.
    pub(super) fn ask(
        &self,
        server: SocketAddr,
        transport: Transport,
        message: &[u8],
    ) -> io::Result<Channel> {
        match (&self.forwarding, &self.container) {
            (Forwarding::Listed(_), Some(container)) => container
                .run(|| Channel::open(server, transport, message))
                .map_err(io::Error::other)?,
            _ => Channel::open(server, transport, message),
        }
    }
}

/// Whether a server is this one, or one like it that the container around us inherited: asking it could go round for ever.
pub(super) fn is_ourselves(address: IpAddr) -> bool {
    address.to_canonical() == IpAddr::V4(ADDRESS)
}
