//! What judges forwarded packets in a network namespace, whoever made it.
//!
//! A packet passes if every chain of the hook `forward` lets it pass, in whatever table it is: what one of them accepts the
//! next may drop. So whoever wants to know what becomes of packets has to look at the chains of others. Of their rules this
//! module tells what it takes to see where a chain ends for everybody: whether a rule holds for every packet, and what it does
//! then. What it compares with is left out.

use std::fmt;

use netlink_packet_netfilter::NetfilterProtoFamily;

use super::forward_filter_messages::{
    ChainReply, chain_question, chain_reply, rule_question, rule_reply, table_names,
};
use super::nf_tables::Policy;
use super::socket::NetfilterSocket;
use crate::error::NetnsError;

/// A table that judges forwarded packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterTable {
    /// Which packets it sees.
    pub family: FilterFamily,
    /// Its name.
    pub name: String,
    /// Its chains, those included that forwarded packets never meet.
    pub chains: Vec<FilterChain>,
}

/// Which packets a table sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FilterFamily {
    /// IPv4 alone (`ip`); the tables of iptables are of this family.
    Ipv4,
    /// IPv6 alone (`ip6`).
    Ipv6,
    /// IPv4 and IPv6 (`inet`).
    Inet,
}

/// A chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterChain {
    /// Its name.
    pub name: String,
    /// What becomes of forwarded packets that no rule judged, if the kernel calls this chain with them.
    pub forward_policy: Option<Policy>,
    /// Its rules, in order.
    pub rules: Vec<FilterRule>,
}

/// A rule, as far as one can tell without knowing the packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterRule {
    /// What the kernel calls it; unique in its table.
    pub handle: u64,
    /// Which packets it holds for.
    pub scope: Scope,
    /// What it does with them.
    pub effect: Effect,
    /// What its maker noted beside it.
    pub comment: Option<String>,
}

/// Which packets a rule holds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    Every,
    /// Perhaps not all of them.
    Some,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It judges nothing: it counts, logs, marks.
    None,
    /// The packet passes this table.
    Accept,
    /// The packet is dropped or rejected.
    Refuse,
    /// It goes on in another chain and comes back if nobody judges it there.
    Jump(String),
    /// It goes on in another chain and does not come back here.
    Goto(String),
    /// It goes back to where this chain was called from.
    Return,
    /// What it does depends on the packet, or on somebody outside of the kernel.
    Unknown,
}

impl fmt::Display for FilterFamily {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            FilterFamily::Ipv4 => "ip",
            FilterFamily::Ipv6 => "ip6",
            FilterFamily::Inet => "inet",
        })
    }
}

impl FilterFamily {
    pub(super) fn of(number: NetfilterProtoFamily) -> Option<FilterFamily> {
        match number {
            NetfilterProtoFamily::IPv4 => Some(FilterFamily::Ipv4),
            NetfilterProtoFamily::IPv6 => Some(FilterFamily::Ipv6),
            NetfilterProtoFamily::Inet => Some(FilterFamily::Inet),
            _ => None,
        }
    }

    pub(super) fn number(self) -> NetfilterProtoFamily {
        match self {
            FilterFamily::Ipv4 => NetfilterProtoFamily::IPv4,
            FilterFamily::Ipv6 => NetfilterProtoFamily::IPv6,
            FilterFamily::Inet => NetfilterProtoFamily::Inet,
        }
    }
}

/// The tables of nf_tables that judge forwarded packets, in the network namespace of the calling thread; none where the
/// kernel has no nf_tables. What the older iptables keeps is not among them. Reads the rules of these tables, and the names of
/// all chains.
///
/// # Errors
///
/// [`NetnsError::ReadForwardFilter`] without `CAP_NET_ADMIN` over the namespace, and when the answer is not understood.
pub fn forward_tables() -> Result<Vec<FilterTable>, NetnsError> {
    read_tables(|chain| chain.chain.forward_policy.is_some())
}

/// The tables of these names in the families of IPv4 and of IPv6, whatever they judge; otherwise as [`forward_tables`]. The
/// tables of the iptables that makes rules of nf_tables are called as ever.
///
/// # Errors
///
/// As [`forward_tables`].
pub fn tables_called(names: &[&str]) -> Result<Vec<FilterTable>, NetnsError> {
    read_tables(|chain| chain.family != FilterFamily::Inet && names.contains(&chain.table.as_str()))
}

/// The tables with a chain of which `is_wanted` is true.
fn read_tables(is_wanted: impl Fn(&ChainReply) -> bool) -> Result<Vec<FilterTable>, NetnsError> {
    let Some(mut socket) = NetfilterSocket::open()? else {
        return Ok(Vec::new());
    };
    let mut dump = |question| {
        let replies = socket.dump(question);
        replies.map_err(|cause| NetnsError::ReadForwardFilter { cause })
    };
    let replies = match dump(chain_question()) {
        // The question holds nothing that could be wrong, so this means that nobody is there to answer it.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => return Ok(Vec::new()),
        replies => replies?,
    };
    let chains: Vec<_> = replies.iter().filter_map(chain_reply).collect();
    let mut tables = Vec::new();
    for (family, name) in table_names(&chains, is_wanted) {
        let replies = dump(rule_question(family, &name))?;
        let mut table = FilterTable {
            family,
            chains: chains
                .iter()
                .filter(|reply| (reply.family, &reply.table) == (family, &name))
                .map(|reply| reply.chain.clone())
                .collect(),
            name,
        };
        for reply in replies.iter().filter_map(rule_reply) {
            // Kernels that do not know how to choose give the rules of all tables.
            if (reply.family, &reply.table) != (table.family, &table.name) {
                continue;
            }
            let chain = table
                .chains
                .iter_mut()
                .find(|chain| chain.name == reply.chain);
            if let Some(chain) = chain {
                chain.rules.push(reply.rule);
            }
        }
        tables.push(table);
    }
    Ok(tables)
}
