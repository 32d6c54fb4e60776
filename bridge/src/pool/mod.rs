//! Which subnet a new network gets: pure arithmetic on what is asked for, what may be used and what is held already.

mod address_pool;
mod held;
#[cfg(test)]
mod tests;
mod unique_local;

use std::fmt;
use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};

pub use self::address_pool::{AddressPool, AddressPoolError};
pub use self::held::{Held, Holder, overlapping, overlaps};
pub use self::unique_local::choose_ula;

use self::held::holds_nothing;

/// How many holders an error names before it only counts the rest.
const HOLDERS_SHOWN: usize = 8;

/// Why no subnet was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// The preferred subnet and every subnet of every pool overlap something that is held.
    #[error("no free subnet is left for the network: {}", HolderList(holders))]
    Exhausted {
        /// What is in the way, in the order it was given.
        holders: Vec<(IpNet, Holder)>,
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
    if overlapping(preferred.into(), held).next().is_none() {
        return Ok(preferred);
    }
    choose_from_pools(pools, held).map_err(|_| exhausted(wanted(Some(preferred), pools), held))
}

/// The first free subnet of the pools, in their order.
pub fn choose_from_pools(pools: &[AddressPool], held: &[Held]) -> Result<Ipv4Net, PoolError> {
    pools
        .iter()
        .find_map(|pool| first_free(pool, held))
        .ok_or_else(|| exhausted(wanted(None, pools), held))
}

/// Walks the pool's subnets and leaps over each held range as a whole, so that one held 10.0.0.0/8 costs one step, not a million.
fn first_free(pool: &AddressPool, held: &[Held]) -> Option<Ipv4Net> {
    let subnet_length = 1u64 << 32u8.checked_sub(pool.size)?;
    let end = u64::from(u32::from(pool.base.broadcast()));
    let mut start = u64::from(u32::from(pool.base.network()));
    while start + subnet_length - 1 <= end {
        let address = Ipv4Addr::from(u32::try_from(start).ok()?);
        let candidate = Ipv4Net::new(address, pool.size).ok()?;
        // What holds a part of an IPv4 candidate is of IPv4 itself.
        let Some(IpNet::V4(holder)) = overlapping(candidate.into(), held)
            .map(|held| held.net)
            .next()
        else {
            return Some(candidate);
        };
        let holder_end = u64::from(u32::from(holder.broadcast()));
        let behind = holder_end.max(start + subnet_length - 1) + 1;
        start = behind.next_multiple_of(subnet_length);
    }
    None
}

fn wanted(preferred: Option<Ipv4Net>, pools: &[AddressPool]) -> Vec<IpNet> {
    preferred
        .into_iter()
        .chain(pools.iter().map(|pool| pool.base))
        .map(IpNet::V4)
        .collect()
}

fn exhausted(wanted: Vec<IpNet>, held: &[Held]) -> PoolError {
    let holders = held
        .iter()
        .filter(|holder| !holds_nothing(holder.net))
        .filter(|holder| wanted.iter().any(|net| overlaps(*net, holder.net)))
        .map(|holder| (holder.net, holder.by.clone()))
        .collect();
    PoolError::Exhausted { holders }
}

/// Who holds what, as the second half of a sentence.
struct HolderList<'a>(&'a [(IpNet, Holder)]);

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
