//! Gateway, range and auxiliary addresses, compared with the subnet they belong to.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::parts::{Parts, read_parts};
use super::subnet::{WantedSubnet, check_overlaps, free_ipv4, free_ipv6, others, read_subnets};
use super::{Family, NetworkProblem, NetworkRequest, Part, Surroundings, wants_ipv6};
use crate::addressing::{Addressing, host_bounds, number_bounds, reserved_end, to_number};
use crate::network_options::NetworkOptions;
use crate::pool::Held;

/// The addresses of the network in IPv4 and in IPv6. None in a family that it does not have, or for which a problem was told.
pub(super) fn choose_addresses(
    request: &NetworkRequest,
    options: &NetworkOptions,
    surroundings: &Surroundings<'_>,
    problems: &mut Vec<NetworkProblem>,
) -> [Option<Addressing>; 2] {
    let others = others(options, surroundings);
    let [ipv4, ipv6] = read_subnets(request, options, problems);
    let [ipv4_parts, ipv6_parts] = read_parts(request, problems);
    let ipv4 = match ipv4 {
        WantedSubnet::Exactly(subnet) => Some(within(subnet, ipv4_parts, &others, problems)),
        WantedSubnet::Unusable => None,
        WantedSubnet::Unsaid | WantedSubnet::Any(_) => {
            refuse_parts(Family::Ipv4, ipv4_parts, problems);
            let subnet = free_ipv4(ipv4.prefix(), surroundings.pools, &others);
            free(subnet, problems)
        }
    };
    let ipv6 = match ipv6 {
        WantedSubnet::Exactly(subnet) => Some(within(subnet, ipv6_parts, &others, problems)),
        WantedSubnet::Unusable => None,
        WantedSubnet::Unsaid | WantedSubnet::Any(_) => {
            refuse_parts(Family::Ipv6, ipv6_parts, problems);
            wants_ipv6(request, options)
                .then(|| free_ipv6(ipv6.prefix(), surroundings.random, &others))
                .and_then(|subnet| free(subnet.map_err(NetworkProblem::Pool), problems))
        }
    };
    [ipv4, ipv6]
}

impl WantedSubnet {
    fn prefix(self) -> Option<u8> {
        match self {
            WantedSubnet::Any(prefix) => Some(prefix),
            WantedSubnet::Unsaid | WantedSubnet::Exactly(_) | WantedSubnet::Unusable => None,
        }
    }
}

/// Parts of a family for which no subnet was typed: nobody can know whether they will lie in the one that is found.
fn refuse_parts(family: Family, parts: Parts, problems: &mut Vec<NetworkProblem>) {
    let mut refuse = |part, value: String, around: IpNet| {
        problems.push(NetworkProblem::NoSubnet {
            part,
            value,
            family,
            example: usual_subnet(around),
        });
    };
    if let Some(gateway) = parts.gateway {
        refuse(Part::Gateway, gateway.to_string(), gateway.into());
    }
    if let Some(range) = parts.range {
        refuse(Part::Range, range.to_string(), range);
    }
    for (name, address) in parts.auxiliary {
        refuse(Part::Auxiliary(name), address.to_string(), address.into());
    }
}

/// The subnet of the usual size around an address or a range.
fn usual_subnet(around: IpNet) -> IpNet {
    let usual = match Family::of_net(around) {
        Family::Ipv4 => 24,
        Family::Ipv6 => 64,
    };
    let prefix = usual.min(around.prefix_len());
    IpNet::new(around.addr(), prefix).map_or(around, |net| net.trunc())
}

fn free(
    subnet: Result<IpNet, NetworkProblem>,
    problems: &mut Vec<NetworkProblem>,
) -> Option<Addressing> {
    match subnet {
        Ok(subnet) => Some(Addressing::new(subnet, host_bounds(subnet).0)),
        Err(problem) => {
            problems.push(problem);
            None
        }
    }
}

/// The addressing of a subnet that was typed, right or wrong: a part that is wrong is told and does not hide the others.
fn within(
    subnet: IpNet,
    parts: Parts,
    others: &[Held],
    problems: &mut Vec<NetworkProblem>,
) -> Addressing {
    check_overlaps(subnet, others, problems);
    if let Some(gateway) = parts.gateway {
        problems.extend(misplaced(subnet, Part::Gateway, gateway));
    }
    let gateway = parts.gateway.unwrap_or(host_bounds(subnet).0);
    let range = parts
        .range
        .and_then(|range| check_range(subnet, range, problems));
    for (name, address) in &parts.auxiliary {
        if *address == gateway {
            problems.push(NetworkProblem::AuxiliaryIsGateway {
                name: name.clone(),
                address: *address,
            });
        } else {
            problems.extend(misplaced(subnet, Part::Auxiliary(name.clone()), *address));
        }
    }
    let addressing = Addressing {
        subnet,
        gateway,
        range,
        auxiliary: parts.auxiliary,
    };
    if !has_room(&addressing) {
        let full = addressing.range_or_subnet();
        problems.push(NetworkProblem::NoUsableAddress(full));
    }
    addressing
}

/// Why a gateway or an auxiliary address cannot be at its place.
fn misplaced(subnet: IpNet, part: Part, value: IpAddr) -> Option<NetworkProblem> {
    let (first, last) = host_bounds(subnet);
    if !subnet.contains(&value) {
        return Some(NetworkProblem::OutsideSubnet {
            part,
            value,
            subnet,
            first,
            last,
        });
    }
    reserved_end(subnet, value).map(|what| NetworkProblem::ReservedAddress {
        part,
        value,
        what,
        subnet,
        first,
        last,
    })
}

fn check_range(subnet: IpNet, given: IpNet, problems: &mut Vec<NetworkProblem>) -> Option<IpNet> {
    let range = given.trunc();
    if given != range {
        problems.push(NetworkProblem::RangeHostBits {
            given,
            network: range,
        });
    }
    if subnet.contains(&range) {
        return Some(range);
    }
    problems.push(if range.contains(&subnet) {
        NetworkProblem::RangeLarger { range, subnet }
    } else {
        NetworkProblem::RangeOutside { range, subnet }
    });
    None
}

/// Whether a container can have an address without asking for a certain one. Only what is reserved is counted, so that the size of the
/// network does not matter.
fn has_room(addressing: &Addressing) -> bool {
    let pool = addressing.range_or_subnet();
    let subnet = addressing.subnet;
    let ends = [subnet.network(), subnet.broadcast()]
        .into_iter()
        .filter(|end| reserved_end(subnet, *end).is_some());
    let reserved: BTreeSet<u128> = ends
        .chain([addressing.gateway])
        .chain(addressing.auxiliary.values().copied())
        .filter(|address| pool.contains(address))
        .map(to_number)
        .collect();
    let (first, last) = number_bounds(pool);
    // One less than the pool has, because all addresses of IPv6 are one more than can be counted.
    last - first >= reserved.len() as u128
}
