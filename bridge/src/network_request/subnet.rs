//! The subnet of each family: what was asked for, and what comes of it among those who hold addresses already.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{Family, NetworkProblem, NetworkRequest, NotForHosts, Surroundings};
use crate::network_options::{Ipv6Wanted, NetworkOptions};
use crate::pool::{
    AddressPool, Held, Holder, PoolError, choose_from_pools, choose_ula, overlapping, overlaps,
};

/// How many bits a subnet leaves at least: a network, a gateway, a container and a broadcast address.
const FEWEST_HOST_BITS: u8 = 2;

/// The shortest prefixes that cannot be taken for a default route, as the pools see it.
const SHORTEST_IPV4_PREFIX: u8 = 2;
const SHORTEST_IPV6_PREFIX: u8 = 4;

/// The prefix of a unique local site, from which a free IPv6 subnet is cut.
const SITE_PREFIX: u8 = 48;

/// What was asked for in one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WantedSubnet {
    /// Nothing.
    Unsaid,
    /// Any subnet with a prefix of this length.
    Any(u8),
    /// This one.
    Exactly(IpNet),
    /// Something that cannot be had, which has been told.
    Unusable,
}

/// What was asked for in IPv4 and in IPv6.
pub(super) fn read_subnets(
    request: &NetworkRequest,
    options: &NetworkOptions,
    problems: &mut Vec<NetworkProblem>,
) -> [WantedSubnet; 2] {
    Family::BOTH.map(|family| {
        let mut texts = request
            .subnets
            .iter()
            .filter(|text| Family::of_text(text) == family);
        let Some(text) = texts.next() else {
            return WantedSubnet::Unsaid;
        };
        for second in texts {
            problems.push(NetworkProblem::Twice {
                part: "subnet",
                family,
                first: text.clone(),
                second: second.clone(),
            });
        }
        if family == Family::Ipv6 && options.ipv6 == Some(Ipv6Wanted::No) {
            problems.push(NetworkProblem::Ipv6SubnetWithoutIpv6(text.clone()));
            return WantedSubnet::Unusable;
        }
        read_subnet(text, problems)
    })
}

fn read_subnet(text: &str, problems: &mut Vec<NetworkProblem>) -> WantedSubnet {
    let Ok(given) = text.parse::<IpNet>() else {
        problems.push(NetworkProblem::Subnet(text.to_owned()));
        return WantedSubnet::Unusable;
    };
    let is_any = given.addr().is_unspecified();
    let unusable = wrong_size(given).or_else(|| {
        let why = not_for_hosts(given).filter(|_| !is_any)?;
        Some(NetworkProblem::NotForHosts { subnet: given, why })
    });
    if let Some(problem) = unusable {
        problems.push(problem);
        return WantedSubnet::Unusable;
    }
    if is_any {
        return WantedSubnet::Any(given.prefix_len());
    }
    let network = given.trunc();
    if given != network {
        problems.push(NetworkProblem::SubnetHostBits { given, network });
    }
    WantedSubnet::Exactly(network)
}

fn wrong_size(subnet: IpNet) -> Option<NetworkProblem> {
    let longest = subnet.max_prefix_len() - FEWEST_HOST_BITS;
    let shortest = match subnet {
        IpNet::V4(_) => SHORTEST_IPV4_PREFIX,
        IpNet::V6(_) if subnet.addr().is_unspecified() => SITE_PREFIX,
        IpNet::V6(_) => SHORTEST_IPV6_PREFIX,
    };
    if subnet.prefix_len() > longest {
        Some(NetworkProblem::SubnetTooSmall { subnet, longest })
    } else if subnet.prefix_len() < shortest {
        Some(NetworkProblem::SubnetTooWide { subnet, shortest })
    } else {
        None
    }
}

/// What the addresses of a subnet are for, if not for hosts (RFC 6890, RFC 4291).
fn not_for_hosts(subnet: IpNet) -> Option<NotForHosts> {
    let v4 = |first: [u8; 4], prefix| IpNet::V4(Ipv4Net::new_assert(first.into(), prefix));
    let v6 = |first: u16, prefix| {
        IpNet::V6(Ipv6Net::new_assert(
            [first, 0, 0, 0, 0, 0, 0, 0].into(),
            prefix,
        ))
    };
    [
        (v4([0, 0, 0, 0], 8), NotForHosts::Reserved),
        (v4([127, 0, 0, 0], 8), NotForHosts::Loopback),
        (v4([224, 0, 0, 0], 4), NotForHosts::Multicast),
        (v4([240, 0, 0, 0], 4), NotForHosts::Reserved),
        (v6(0, 8), NotForHosts::Reserved),
        (v6(0xfe80, 10), NotForHosts::LinkLocal),
        (v6(0xff00, 8), NotForHosts::Multicast),
    ]
    .into_iter()
    .find(|(net, _)| overlaps(*net, subnet))
    .map(|(_, why)| why)
}

/// Everybody a new network must not overlap. A network's own routes are left out, so that it is named and not its bridge, and so are
/// those of a bridge that the new network adopts.
pub(super) fn others(options: &NetworkOptions, surroundings: &Surroundings<'_>) -> Vec<Held> {
    let networks = surroundings.networks.iter().flat_map(|(name, nets)| {
        nets.iter().map(|net| Held {
            net: *net,
            by: Holder::Network(name.clone()),
        })
    });
    let mut others: Vec<Held> = networks.collect();
    let own = others.clone();
    let is_foreign = |held: &&Held| {
        let is_adopted = matches!(
            (&held.by, &options.bridge_name),
            (Holder::Interface(interface), Some(bridge)) if interface == bridge.as_str()
        );
        !is_adopted && !own.iter().any(|network| network.net.contains(&held.net))
    };
    others.extend(surroundings.held.iter().filter(is_foreign).cloned());
    others
}

/// What of a subnet somebody has already; each holder is told once, with the widest part.
pub(super) fn check_overlaps(subnet: IpNet, others: &[Held], problems: &mut Vec<NetworkProblem>) {
    let mut holders: Vec<&Held> = overlapping(subnet, others).collect();
    holders.sort_by_key(|held| held.net.prefix_len());
    let mut told: Vec<&Holder> = Vec::new();
    for held in holders {
        if told.contains(&&held.by) {
            continue;
        }
        told.push(&held.by);
        problems.push(match &held.by {
            Holder::Network(network) => NetworkProblem::OverlapsNetwork {
                subnet,
                other: held.net,
                network: network.clone(),
            },
            by => NetworkProblem::OverlapsRoute {
                subnet,
                route: held.net,
                by: by.clone(),
            },
        });
    }
}

/// A free IPv4 subnet from the pools, of their size or of another.
pub(super) fn free_ipv4(
    prefix: Option<u8>,
    pools: &[AddressPool],
    others: &[Held],
) -> Result<IpNet, NetworkProblem> {
    let Some(prefix) = prefix else {
        return Ok(choose_from_pools(pools, others)?.into());
    };
    let cut: Vec<AddressPool> = pools
        .iter()
        .filter_map(|pool| AddressPool::new(pool.base, prefix).ok())
        .collect();
    if cut.is_empty() && !pools.is_empty() {
        let wanted = Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, prefix);
        return Err(NetworkProblem::WiderThanPools(wanted.into()));
    }
    Ok(choose_from_pools(&cut, others)?.into())
}

/// A free unique local IPv6 subnet, of the usual size or of another from that of a site on.
pub(super) fn free_ipv6(
    prefix: Option<u8>,
    random: [u8; 5],
    others: &[Held],
) -> Result<IpNet, PoolError> {
    let usual = choose_ula(random, others)?;
    let prefix = prefix.unwrap_or(usual.prefix_len());
    Ok(Ipv6Net::new_assert(usual.addr(), prefix).trunc().into())
}
