//! Letting nothing in by an interface of the host that does not come from given addresses.
//!
//! Rules that tell containers apart by the addresses of their packets hold only if a container cannot take another address.
//! So the packets are looked at where they leave the container's end of a veth pair, before any bridge sees them: in a chain
//! of the family `netdev` that belongs to the host's end. What is neither IPv4, IPv6 nor ARP does not pass at all. ARP and
//! neighbour advertisements pass only if they speak of the sender's own addresses.

use std::net::IpAddr;

use netlink_packet_netfilter::{NetfilterHeader, NetfilterMessage, NetfilterProtoFamily};

use super::socket::NetfilterSocket;
use super::source_guard_messages::{creation, deletion, replacement, table_deletion, whole};
use crate::error::NetnsError;
use crate::explain::{Explain, Explanation};
use crate::request_error::RequestError;

/// The name of the table, of the family `netdev`, with a chain for each guarded interface.
pub const GUARD_TABLE: &str = "minirun";

/// Only these addresses may speak on an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceGuard {
    /// The interface, which the chain is named after.
    pub interface: String,
    /// The addresses of whoever is behind it.
    pub addresses: Vec<IpAddr>,
}

impl SourceGuard {
    /// Guards the interface, in the network namespace of the calling thread. A guard that it had is replaced at once.
    ///
    /// # Errors
    ///
    /// [`NetnsError::GuardInterface`] when the kernel has no nf_tables for devices, or refuses a rule.
    pub fn install(&self) -> Result<(), NetnsError> {
        let mut socket = self.open()?;
        let mut outcome = transact(&mut socket, creation(self));
        if raw_os_error(&outcome) == Some(libc::EEXIST) {
            outcome = transact(&mut socket, replacement(self));
        }
        outcome.map_err(|cause| self.refused(cause))
    }

    fn open(&self) -> Result<NetfilterSocket, NetnsError> {
        NetfilterSocket::open()?.ok_or_else(|| {
            self.refused(RequestError::Refused {
                errno: libc::EPROTONOSUPPORT,
                words: None,
            })
        })
    }

    fn refused(&self, cause: RequestError) -> NetnsError {
        NetnsError::GuardInterface {
            interface: self.interface.clone(),
            cause,
        }
    }
}

/// Takes the guard of an interface away. One that has none, or is gone, is no error.
///
/// # Errors
///
/// [`NetnsError::GuardInterface`] when the kernel refuses.
pub fn remove_guard(interface: &str) -> Result<(), NetnsError> {
    let Some(mut socket) = NetfilterSocket::open()? else {
        return Ok(());
    };
    match transact(&mut socket, deletion(interface)) {
        Err(cause) if !is_absent(&cause) => Err(NetnsError::GuardInterface {
            interface: interface.into(),
            cause,
        }),
        _ => Ok(()),
    }
}

/// Makes these the only guards there are, at once.
///
/// # Errors
///
/// [`NetnsError::GuardInterface`] when the kernel refuses.
pub fn replace_guards(guards: &[SourceGuard]) -> Result<(), NetnsError> {
    let Some(first) = guards.first() else {
        return remove_table();
    };
    let mut socket = first.open()?;
    transact(&mut socket, whole(guards)).map_err(|cause| first.refused(cause))
}

/// Where nobody is guarded there is no table, and perhaps no nf_tables.
fn remove_table() -> Result<(), NetnsError> {
    if let Some(mut socket) = NetfilterSocket::open()? {
        // A chain whose interface is gone stops nobody, so a kernel that keeps it does no harm.
        let _ = transact(&mut socket, table_deletion());
    }
    Ok(())
}

fn transact(
    socket: &mut NetfilterSocket,
    messages: Vec<super::source_guard_messages::Message>,
) -> Result<(), RequestError> {
    let header = || NetfilterHeader::new(NetfilterProtoFamily::NetDev, 0, 0);
    let messages = messages.into_iter();
    let messages =
        messages.map(|(message, flags)| (NetfilterMessage::new(header(), message), flags));
    socket
        .transaction(messages.collect(), None)
        .map_err(super::socket::TransactionError::into_cause)
}

fn raw_os_error(outcome: &Result<(), RequestError>) -> Option<i32> {
    outcome.as_ref().err().and_then(RequestError::raw_os_error)
}

fn is_absent(cause: &RequestError) -> bool {
    let absent = [libc::ENOENT, libc::EOPNOTSUPP, libc::EAFNOSUPPORT];
    cause
        .raw_os_error()
        .is_some_and(|errno| absent.contains(&errno))
}

impl Explain for SourceGuard {
    fn explain(&self) -> Explanation {
        let SourceGuard {
            interface,
            addresses,
        } = self;
        let chain = format!("netdev {GUARD_TABLE} {interface}");
        let mut lines = vec![
            format!("nft add table netdev {GUARD_TABLE}"),
            format!(
                "nft add chain {chain} '{{ type filter hook ingress device \"{interface}\" priority filter; policy drop; }}'"
            ),
        ];
        for address in addresses {
            let rules = match address {
                IpAddr::V4(address) => vec![
                    format!("ip saddr {address} accept"),
                    format!("arp saddr ip {address} accept"),
                ],
                IpAddr::V6(address) => vec![
                    format!(
                        "ip6 saddr {address} icmpv6 type nd-neighbor-advert @th,64,128 != 0x{:032x} drop",
                        u128::from(*address)
                    ),
                    format!("ip6 saddr {address} accept"),
                    "ip6 saddr fe80::/64 icmpv6 type mld2-listener-report accept".into(),
                ],
            };
            lines.extend(
                rules
                    .into_iter()
                    .map(|rule| format!("nft add rule {chain} {rule}")),
            );
        }
        let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
        Explanation {
            sentence: format!(
                "let nothing in by `{interface}` that is not from {}",
                addresses.join(" or ")
            ),
            command: lines.join("\n"),
        }
    }
}
