//! Why a server could not be set up.

use std::io;

use super::listeners::ADDRESS;

/// What keeps a container's DNS server from starting.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// No port could be bound in the container's network namespace.
    #[error("cannot listen for DNS queries at `{ADDRESS}` in the container: {0}")]
    Bind(#[source] io::Error),
    /// The sockets cannot be used without waiting.
    #[error("cannot set up the sockets of the container's DNS server: {0}")]
    SetUp(#[source] io::Error),
}

impl DnsError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Bind(error) if error.kind() == io::ErrorKind::AddrNotAvailable => Some(
                "the loopback interface of the container has to be up before the server starts"
                    .into(),
            ),
            _ => None,
        }
    }
}
