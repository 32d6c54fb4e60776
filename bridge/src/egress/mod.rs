//! What a container may open connections to beyond its networks and links.
//!
//! An [`Egress`] judges what a container addresses: the host itself, other networks, everything that is routed. Peers on the
//! same network are not its matter; ICC and links decide about them. What is denied stays so, whatever is allowed. It decides
//! packet by packet, so a connection that was opened when more was allowed is judged like a new one.

mod allowed;
mod denied;
mod destination;
mod error;
#[cfg(test)]
mod tests;

pub use allowed::{Allowance, Allowed};
pub use denied::{Denial, Denied};
pub use destination::{Destination, Ports};
pub use error::EgressError;

use crate::port::ExposedPort;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What `--egress` and `--egress-deny` say.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Egress {
    /// What may be reached at all.
    pub allowed: Allowed,
    /// What may not be reached, even if it is allowed.
    pub denied: Denied,
}

/// What a packet is sent to, before anybody translates it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The address.
    pub address: IpAddr,
    /// The port, for protocols that have ports.
    pub port: Option<ExposedPort>,
}

impl Egress {
    /// Whether everything may be reached, so that nothing has to be watched.
    pub fn is_open(&self) -> bool {
        self.allowed == Allowed::Everything && self.denied.0.is_empty()
    }

    /// Whether a packet may be sent.
    pub fn permits(&self, attempt: &Attempt) -> bool {
        let denied = self.denied.networks();
        if denied
            .iter()
            .any(|network| network.contains(&attempt.address))
        {
            return false;
        }
        match &self.allowed {
            Allowed::Everything => true,
            Allowed::Only(allowances) => allowances.iter().any(|allowance| match allowance {
                Allowance::Names => false,
                Allowance::To(destination) => destination.includes(attempt),
            }),
        }
    }

    /// Whether the names of others may be asked for at all.
    pub fn allows_names(&self) -> bool {
        match &self.allowed {
            Allowed::Everything => true,
            Allowed::Only(allowances) => allowances.contains(&Allowance::Names),
        }
    }

    /// The same, with the word for names replaced by what it stands for: questions to the servers that the container asks
    /// itself.
    pub fn with_name_servers(&self, servers: &[IpAddr]) -> Egress {
        let mut egress = self.clone();
        if let Allowed::Only(allowances) = &mut egress.allowed
            && allowances.remove(&Allowance::Names)
        {
            let questions = servers
                .iter()
                .flat_map(|server| Destination::name_server(*server));
            allowances.extend(questions.map(Allowance::To));
        }
        egress
    }
}
