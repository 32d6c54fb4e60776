//! IPv6 subnets that nobody has to be asked for (RFC 4193).

use std::net::Ipv6Addr;

use ipnet::{IpNet, Ipv6Net};

use super::{Held, PoolError, exhausted, overlapping};

/// The bits of a global identifier.
const IDENTIFIER_BITS: u32 = 40;

/// The first byte of an address whose identifier was drawn by lot, above the identifier.
const LOCALLY_ASSIGNED: u128 = 0xfd;

/// The whole of the addresses below [`LOCALLY_ASSIGNED`].
const ALL: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 0), 8);

/// The prefix length of what one identifier names, and of the subnet taken from it.
const SITE_PREFIX: u8 = 48;
const SUBNET_PREFIX: u8 = 64;

/// How many identifiers are tried. By lot, a second one is hardly ever needed.
const TRIALS: u64 = 64;

/// How far apart the identifiers are that are tried: the golden ratio of all there are, which spreads them evenly.
const STRIDE: u64 = 0x9e_3779_b97f;

/// The /64 of the first free site, beginning with the one whose global identifier is `random`. Sites are free as a whole, so that
/// nobody else's subnets of one get mixed up with ours.
///
/// # Errors
/// [`PoolError::Exhausted`] with those who hold the sites that were tried.
pub fn choose_ula(random: [u8; 5], held: &[Held]) -> Result<Ipv6Net, PoolError> {
    let first = random
        .iter()
        .fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    let is_free = |site: &Ipv6Net| overlapping(IpNet::V6(*site), held).next().is_none();
    (0..TRIALS)
        .map(|trial| site(first.wrapping_add(trial.wrapping_mul(STRIDE))))
        .find(is_free)
        .map(|site| Ipv6Net::new_assert(site.network(), SUBNET_PREFIX))
        .ok_or_else(|| exhausted(vec![ALL.into()], held))
}

/// The addresses that a global identifier names; the bits above its own are cut off.
fn site(identifier: u64) -> Ipv6Net {
    let identifier = u128::from(identifier & ((1 << IDENTIFIER_BITS) - 1));
    let prefix = LOCALLY_ASSIGNED << IDENTIFIER_BITS | identifier;
    Ipv6Net::new_assert((prefix << (128 - SITE_PREFIX)).into(), SITE_PREFIX)
}
