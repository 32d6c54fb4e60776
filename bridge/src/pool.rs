//! Which subnet a new network gets: pure arithmetic on what is asked for, what may be used and what is held already.

use std::fmt;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

/// The longest prefix that still holds a network, a gateway, a container and a broadcast address.
const LONGEST_PREFIX: u8 = 30;

/// Routes this wide hold nothing. Besides 0.0.0.0/0 these are the two halves (0.0.0.0/1 and 128.0.0.0/1) that tunnels lay over a
/// default route; they mean "the rest of the world", and a more specific subnet of ours always wins over them.
const WIDEST_DEFAULT_ROUTE: u8 = 1;

/// How many holders an error names before it only counts the rest.
const HOLDERS_SHOWN: usize = 8;

/// A range of IPv4 addresses that is cut into subnets of one size, one for each network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PoolText")]
pub struct AddressPool {
    /// The whole range, for instance 172.16.0.0/12.
    pub base: Ipv4Net,
    /// Prefix length of the subnets cut from it, for instance 24; at least that of `base`, at most 30.
    pub size: u8,
}

impl AddressPool {
    /// Checks that subnets of this size can be cut from this range and that each has room for a gateway and a container.
    pub fn new(base: Ipv4Net, size: u8) -> Result<Self, AddressPoolError> {
        if base != base.trunc() {
            return Err(AddressPoolError::HostBits {
                base,
                network: base.trunc(),
            });
        }
        if size < base.prefix_len() || size > LONGEST_PREFIX {
            return Err(AddressPoolError::Size { base, size });
        }
        Ok(Self { base, size })
    }
}

/// Why a range and a size make no pool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressPoolError {
    /// The base is an address inside a network, not the network itself.
    #[error("pool base `{base}` has host bits set; write `{network}`")]
    HostBits {
        /// The base as given.
        base: Ipv4Net,
        /// The network it lies in.
        network: Ipv4Net,
    },
    /// Subnets of that size do not fit into the base or are too small to be used.
    #[error("pool size {size} does not fit `{base}`; write a prefix length from {} to {LONGEST_PREFIX}", base.prefix_len())]
    Size {
        /// The range that was to be cut.
        base: Ipv4Net,
        /// The prefix length asked for.
        size: u8,
    },
    /// The base is not an IPv4 network at all.
    #[error("invalid pool base `{base}`; write a network such as `172.16.0.0/12`")]
    Base {
        /// The text as given.
        base: String,
    },
}

/// A part of the IPv4 space that somebody uses already: a route of the host, a network of ours, a nameserver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The addresses in use.
    pub net: Ipv4Net,
    /// Who uses them, in words for an error message, such as `` interface `wlan0` ``.
    pub by: String,
}

/// Why no subnet was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// The preferred subnet and every subnet of every pool overlap something that is held.
    #[error("no free subnet is left for the network: {}", HolderList(holders))]
    Exhausted {
        /// What is in the way, in the order it was given.
        holders: Vec<(Ipv4Net, String)>,
    },
}

impl PoolError {
    /// What can be done about it.
    pub fn hint(&self) -> Option<String> {
        Some(
            "remove a network that is no longer used, or name a range that is free on this host in `address_pools` of minirun.toml"
                .to_owned(),
        )
    }
}

/// The preferred subnet if it is free, else the first free one of the pools, in their order. A default route holds nothing, neither as
/// 0.0.0.0/0 nor as the two halves some tunnels make of it.
pub fn choose_subnet(
    preferred: Ipv4Net,
    pools: &[AddressPool],
    held: &[Held],
) -> Result<Ipv4Net, PoolError> {
    let preferred = preferred.trunc();
    if overlapping(preferred, held).next().is_none() {
        return Ok(preferred);
    }
    choose_from_pools(pools, held).map_err(|_| exhausted(Some(preferred), pools, held))
}

/// The first free subnet of the pools, in their order.
pub fn choose_from_pools(pools: &[AddressPool], held: &[Held]) -> Result<Ipv4Net, PoolError> {
    pools
        .iter()
        .find_map(|pool| first_free(pool, held))
        .ok_or_else(|| exhausted(None, pools, held))
}

/// Whether two networks share an address.
pub fn overlaps(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

/// Those of `held` that share an address with `net`, default routes left out.
pub fn overlapping(net: Ipv4Net, held: &[Held]) -> impl Iterator<Item = &Held> {
    held.iter()
        .filter(move |holder| !is_default_route(holder.net) && overlaps(net, holder.net))
}

fn is_default_route(net: Ipv4Net) -> bool {
    net.prefix_len() <= WIDEST_DEFAULT_ROUTE
}

/// Walks the pool's subnets and leaps over each held range as a whole, so that one held 10.0.0.0/8 costs one step, not a million.
fn first_free(pool: &AddressPool, held: &[Held]) -> Option<Ipv4Net> {
    let subnet_length = 1u64 << 32u8.checked_sub(pool.size)?;
    let end = u64::from(u32::from(pool.base.broadcast()));
    let mut start = u64::from(u32::from(pool.base.network()));
    while start + subnet_length - 1 <= end {
        let address = Ipv4Addr::from(u32::try_from(start).ok()?);
        let candidate = Ipv4Net::new(address, pool.size).ok()?;
        let Some(holder) = overlapping(candidate, held).next() else {
            return Some(candidate);
        };
        let holder_end = u64::from(u32::from(holder.net.broadcast()));
        let behind = holder_end.max(start + subnet_length - 1) + 1;
        start = behind.next_multiple_of(subnet_length);
    }
    None
}

fn exhausted(preferred: Option<Ipv4Net>, pools: &[AddressPool], held: &[Held]) -> PoolError {
    let wanted: Vec<Ipv4Net> = preferred
        .into_iter()
        .chain(pools.iter().map(|pool| pool.base))
        .collect();
    let holders = held
        .iter()
        .filter(|holder| !is_default_route(holder.net))
        .filter(|holder| wanted.iter().any(|net| overlaps(*net, holder.net)))
        .map(|holder| (holder.net, holder.by.clone()))
        .collect();
    PoolError::Exhausted { holders }
}

/// Who holds what, as the second half of a sentence.
struct HolderList<'a>(&'a [(Ipv4Net, String)]);

impl fmt::Display for HolderList<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return formatter.write_str("no address pool is configured");
        }
        for (position, (net, by)) in self.0.iter().take(HOLDERS_SHOWN).enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            write!(formatter, "{separator}`{net}` is held by {by}")?;
        }
        match self.0.len().saturating_sub(HOLDERS_SHOWN) {
            0 => Ok(()),
            more => write!(formatter, " and {more} more"),
        }
    }
}

/// A pool as the configuration file has it, not checked yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PoolText {
    base: String,
    size: u8,
}

impl TryFrom<PoolText> for AddressPool {
    type Error = AddressPoolError;

    fn try_from(text: PoolText) -> Result<Self, Self::Error> {
        let base = text
            .base
            .parse()
            .map_err(|_| AddressPoolError::Base { base: text.base })?;
        Self::new(base, text.size)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn net(text: &str) -> Ipv4Net {
        text.parse().unwrap()
    }

    fn pool(base: &str, size: u8) -> AddressPool {
        AddressPool::new(net(base), size).unwrap()
    }

    fn held(nets: &[&str]) -> Vec<Held> {
        nets.iter()
            .map(|text| Held {
                net: net(text),
                by: format!("interface `{text}`"),
            })
            .collect()
    }

    #[test]
    fn the_preferred_subnet_is_taken_when_it_is_free() {
        let chosen = choose_subnet(
            net("172.17.0.1/16"),
            &[pool("172.16.0.0/12", 24)],
            &held(&["0.0.0.0/0", "192.168.1.0/24"]),
        );
        assert_eq!(chosen.unwrap(), net("172.17.0.0/16"));
    }

    #[test]
    fn a_held_preferred_subnet_gives_way_to_the_pools() {
        let chosen = choose_subnet(
            net("172.17.0.0/16"),
            &[pool("172.16.0.0/12", 24)],
            &held(&["172.17.3.0/24", "172.16.0.0/24", "172.16.1.128/25"]),
        );
        assert_eq!(chosen.unwrap(), net("172.16.2.0/24"));
    }

    #[test]
    fn a_route_wider_than_the_pool_uses_it_up() {
        let error = choose_from_pools(
            &[pool("10.0.0.0/8", 30)],
            &held(&["10.0.0.0/8", "192.168.0.0/16"]),
        )
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "no free subnet is left for the network: `10.0.0.0/8` is held by interface `10.0.0.0/8`"
        );
        assert!(error.hint().unwrap().contains("address_pools"));
    }

    #[test]
    fn both_halves_of_a_default_route_hold_nothing() {
        let chosen = choose_subnet(
            net("172.17.0.0/16"),
            &[],
            &held(&["0.0.0.0/1", "128.0.0.0/1"]),
        );
        assert_eq!(chosen.unwrap(), net("172.17.0.0/16"));
    }

    #[test]
    fn the_last_subnet_of_the_whole_address_space_can_be_chosen() {
        let chosen = choose_from_pools(
            &[pool("255.255.255.0/24", 25)],
            &held(&["255.255.255.0/25"]),
        );
        assert_eq!(chosen.unwrap(), net("255.255.255.128/25"));
        let none = choose_from_pools(
            &[pool("255.255.255.0/24", 25)],
            &held(&["255.255.255.0/24"]),
        );
        assert!(none.is_err());
    }

    #[test]
    fn an_error_counts_the_holders_it_does_not_name() {
        let nets: Vec<String> = (0..12).map(|third| format!("10.0.{third}.0/24")).collect();
        let nets: Vec<&str> = nets.iter().map(String::as_str).collect();
        let error = choose_subnet(net("10.0.0.0/20"), &[], &held(&nets)).unwrap_err();
        assert!(error.to_string().ends_with(" and 4 more"), "{error}");
        let PoolError::Exhausted { holders } = error;
        assert_eq!(holders.len(), 12);
    }

    #[test]
    fn a_pool_that_cannot_be_cut_is_refused() {
        assert_eq!(
            AddressPool::new(net("10.1.2.3/8"), 24)
                .unwrap_err()
                .to_string(),
            "pool base `10.1.2.3/8` has host bits set; write `10.0.0.0/8`"
        );
        assert_eq!(
            AddressPool::new(net("10.0.0.0/24"), 16)
                .unwrap_err()
                .to_string(),
            "pool size 16 does not fit `10.0.0.0/24`; write a prefix length from 24 to 30"
        );
        assert!(AddressPool::new(net("10.0.0.0/24"), 31).is_err());
    }

    prop_compose! {
        fn any_net(shortest: u8, longest: u8)(address: u32, prefix in shortest..=longest) -> Ipv4Net {
            Ipv4Net::new(Ipv4Addr::from(address), prefix).unwrap().trunc()
        }
    }

    prop_compose! {
        fn nearby_net()(low in 0u32..0x0400, prefix in 20u8..=32) -> Ipv4Net {
            Ipv4Net::new(Ipv4Addr::from(0x0a00_0000 | low), prefix).unwrap().trunc()
        }
    }

    proptest! {
        #[test]
        fn overlap_means_a_shared_address(one in any_net(0, 32), other in any_net(0, 32)) {
            let share = one.network() <= other.broadcast() && other.network() <= one.broadcast();
            prop_assert_eq!(overlaps(one, other), share);
        }

        #[test]
        fn the_choice_is_what_trying_every_subnet_finds(
            nets in prop::collection::vec(nearby_net(), 0..12),
            size in 22u8..=30,
        ) {
            let pool = pool("10.0.0.0/22", size);
            let held: Vec<Held> = nets.iter().map(|net| Held { net: *net, by: String::new() }).collect();
            let tried = pool.base.subnets(size).unwrap().find(|subnet| {
                nets.iter().all(|net| !overlaps(*subnet, *net))
            });
            prop_assert_eq!(choose_from_pools(&[pool], &held).ok(), tried);
        }
    }
}
