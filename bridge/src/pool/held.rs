//! What is in use already, and by whom.

use std::fmt;

use ipnet::IpNet;

use crate::name::NetworkName;

/// IPv4 routes this wide hold nothing. Besides 0.0.0.0/0 these are the two halves (0.0.0.0/1 and 128.0.0.0/1) that tunnels lay over a
/// default route; they mean "the rest of the world", and a more specific subnet of ours always wins over them.
const WIDEST_IPV4_DEFAULT_ROUTE: u8 = 1;

/// IPv6 routes this wide hold nothing either. 2000::/3 is all of the world that has been given out (RFC 4291, section 2.4).
const WIDEST_IPV6_DEFAULT_ROUTE: u8 = 3;

/// Addresses that somebody uses already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The addresses in use.
    pub net: IpNet,
    /// Who uses them.
    pub by: Holder,
}

/// Who uses some addresses. It displays as words for an error message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A route of the host through an interface.
    Interface(String),
    /// A route of the host that leads to no interface, in a table of this number.
    Table(u32),
    /// A network of ours.
    Network(NetworkName),
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interface(name) => write!(formatter, "a route through `{name}`"),
            Self::Table(number) => write!(formatter, "a route in table {number}"),
            Self::Network(name) => write!(formatter, "network `{name}`"),
        }
    }
}

/// Whether two networks share an address.
pub fn overlaps(one: IpNet, other: IpNet) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

/// Those of `held` that share an address with `net`, default routes left out.
pub fn overlapping(net: IpNet, held: &[Held]) -> impl Iterator<Item = &Held> {
    held.iter()
        .filter(move |holder| !holds_nothing(holder.net) && overlaps(net, holder.net))
}

/// Whether a network is so wide that it can only be meant as a default route.
pub(crate) fn holds_nothing(net: IpNet) -> bool {
    let widest = match net {
        IpNet::V4(_) => WIDEST_IPV4_DEFAULT_ROUTE,
        IpNet::V6(_) => WIDEST_IPV6_DEFAULT_ROUTE,
    };
    net.prefix_len() <= widest
}
