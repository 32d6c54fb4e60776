//! Leading one port of one local address to another, for UDP and TCP, without connection tracking.

use std::fmt;
use std::net::Ipv4Addr;

use netlink_packet_netfilter::NetfilterProtoFamily;

use super::port_redirect_messages::{creation, replacement};
use super::socket::NetfilterSocket;
use crate::error::NetnsError;
use crate::explain::{Explain, Explanation};
use crate::request_error::RequestError;

/// The name of the table, of the family `ip`, that holds the rules of a [`PortRedirect`].
pub const REDIRECT_TABLE: &str = "minirun";
/// The name of its chain.
pub(super) const CHAIN: &str = "output";

/// Leads what a network namespace itself sends to a port of a local address to another port of the same address, UDP and TCP,
/// and makes the answers come from the port that was asked. Each packet is rewritten by itself: no connection is tracked, so
/// the namespace needs no memory for it and no table can overflow. Other addresses keep their port `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRedirect {
    /// The address, one that the namespace delivers to itself.
    pub address: Ipv4Addr,
    /// The port that programs use.
    pub from: u16,
    /// The port on which somebody listens.
    pub to: u16,
}

impl PortRedirect {
    /// Installs it in the network namespace of the calling thread, whole or not at all. A redirect that was installed before is
    /// replaced in one transaction, and so is everything else in [`REDIRECT_TABLE`].
    ///
    /// # Errors
    ///
    /// [`NetnsError::NoNfTables`] when the kernel has no nf_tables for IPv4; fails otherwise without `CAP_NET_ADMIN` over the
    /// namespace or when the kernel refuses a rule.
    pub fn install(&self) -> Result<(), NetnsError> {
        let redirect = *self;
        let Some(mut socket) = NetfilterSocket::open()? else {
            return Err(NetnsError::NoNfTables { redirect });
        };
        // Forgetting a table keeps the kernel waiting for milliseconds until no packet uses it; making one does not. So only
        // a table that is there is replaced.
        let mut outcome = socket.transaction(NetfilterProtoFamily::IPv4, creation(self));
        if raw_os_error(&outcome) == Some(libc::EEXIST) {
            outcome = socket.transaction(NetfilterProtoFamily::IPv4, replacement(self));
        }
        outcome.map_err(|cause| match cause.raw_os_error() {
            Some(libc::EOPNOTSUPP | libc::EAFNOSUPPORT) => NetnsError::NoNfTables { redirect },
            _ => NetnsError::RedirectPort { redirect, cause },
        })
    }
}

fn raw_os_error(outcome: &Result<(), RequestError>) -> Option<i32> {
    outcome.as_ref().err().and_then(RequestError::raw_os_error)
}

impl fmt::Display for PortRedirect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PortRedirect { address, from, to } = self;
        write!(formatter, "port {from} of {address} to port {to}")
    }
}

impl Explain for PortRedirect {
    fn explain(&self) -> Explanation {
        let PortRedirect { address, from, to } = self;
        let table = format!("ip {REDIRECT_TABLE}");
        let mut lines = vec![
            format!("nft add table {table}"),
            format!("nft delete table {table}"),
            format!("nft add table {table}"),
            format!(
                "nft add chain {table} {CHAIN} '{{ type filter hook output priority raw; policy accept; }}'"
            ),
        ];
        for protocol in ["udp", "tcp"] {
            lines.push(format!(
                "nft add rule {table} {CHAIN} ip daddr {address} {protocol} dport {from} {protocol} dport set {to}"
            ));
        }
        for protocol in ["udp", "tcp"] {
            lines.push(format!(
                "nft add rule {table} {CHAIN} ip saddr {address} {protocol} sport {to} {protocol} sport set {from}"
            ));
        }
        Explanation {
            sentence: format!("lead {self}, for UDP and TCP, without tracking connections"),
            command: lines.join("\n"),
        }
    }
}
