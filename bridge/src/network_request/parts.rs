//! What was typed besides subnets, sorted by family.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{Family, NetworkProblem, NetworkRequest};

/// What was typed for one family besides the subnet.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) gateway: Option<IpAddr>,
    pub(super) range: Option<IpNet>,
    pub(super) auxiliary: BTreeMap<String, IpAddr>,
}

/// Reads gateways, ranges and auxiliary addresses and sorts them by family, IPv4 first.
pub(super) fn read_parts(
    request: &NetworkRequest,
    problems: &mut Vec<NetworkProblem>,
) -> [Parts; 2] {
    let mut parts = [Parts::default(), Parts::default()];
    for text in &request.gateways {
        let Ok(gateway) = text.parse() else {
            problems.push(NetworkProblem::Gateway(text.clone()));
            continue;
        };
        let family = Family::of(gateway);
        let place = &mut parts[family as usize].gateway;
        match place {
            Some(first) => problems.push(twice("gateway", family, first.to_string(), text)),
            None => *place = Some(gateway),
        }
    }
    for text in &request.ip_ranges {
        let Ok(range) = text.parse() else {
            problems.push(NetworkProblem::Range(text.clone()));
            continue;
        };
        let family = Family::of_net(range);
        let place = &mut parts[family as usize].range;
        match place {
            Some(first) => problems.push(twice("range", family, first.to_string(), text)),
            None => *place = Some(range),
        }
    }
    for text in &request.auxiliary {
        let Some((name, address)) = read_auxiliary(text) else {
            problems.push(NetworkProblem::Auxiliary(text.clone()));
            continue;
        };
        let places = &mut parts[Family::of(address) as usize].auxiliary;
        match places.get(name) {
            Some(first) if *first != address => problems.push(NetworkProblem::AuxiliaryNameTwice {
                name: name.to_owned(),
                first: *first,
                second: address,
            }),
            _ => {
                places.insert(name.to_owned(), address);
            }
        }
    }
    parts
}

fn read_auxiliary(text: &str) -> Option<(&str, IpAddr)> {
    let (name, address) = text.split_once('=')?;
    let address = address.parse().ok()?;
    (!name.is_empty()).then_some((name, address))
}

fn twice(part: &'static str, family: Family, first: String, second: &str) -> NetworkProblem {
    NetworkProblem::Twice {
        part,
        family,
        first,
        second: second.to_owned(),
    }
}
