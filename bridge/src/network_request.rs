//! Everything that can be wrong with `network create`, found before anything is touched: what somebody typed becomes a decision, or the
//! list of all its problems at once.
//!
//! Theory of operation
//!
//! 1. Name, driver, options and labels are checked one by one. Flags and options that mean the same are brought together.
//! 2. Each `--subnet` is read and sorted by family. `0.0.0.0/N` and `::/N` ask for any subnet of that size.
//! 3. For each family, gateway, range and auxiliary addresses are compared with the subnet, and the subnet with what others hold.
//!    What is compared with a subnet that is itself wrong is left alone, so that one mistake is told once.
//! 4. A family without a subnet gets one: IPv4 always, from the pools; IPv6 if it is wanted, a unique local one.
//! 5. The settings are compared with each other.

mod addresses;
mod parts;
mod problem;
mod settings;
mod subnet;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use ipnet::IpNet;

use self::addresses::choose_addresses;
use self::settings::{check_name, check_settings, read_options};
use crate::addressing::Addressing;
use crate::name::NetworkName;
use crate::network::Icc;
use crate::network_options::{BridgeName, Ipv6Wanted, NetworkOptions, Reach};
use crate::pool::{AddressPool, Held};

pub use self::problem::{NetworkProblem, NetworkProblems, NotForHosts, Part};
pub use crate::family::Family;

/// A network as somebody asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkRequest {
    /// The name as typed.
    pub name: String,
    /// The value of `--driver`.
    pub driver: Option<String>,
    /// The values of `--subnet`.
    pub subnets: Vec<String>,
    /// The values of `--gateway`.
    pub gateways: Vec<String>,
    /// The values of `--ip-range`.
    pub ip_ranges: Vec<String>,
    /// The values of `--aux-address`, `NAME=ADDRESS` each.
    pub auxiliary: Vec<String>,
    /// The value of `--ipv6`; none if the flag was not given.
    pub ipv6: Option<Ipv6Wanted>,
    /// Whether the network leads out of the host.
    pub reach: Reach,
    /// The value of `--icc`.
    pub icc: Option<Icc>,
    /// The value of `--mtu` in bytes.
    pub mtu: Option<u32>,
    /// The values of `--label`.
    pub labels: BTreeMap<String, String>,
    /// The values of `-o`, `KEY=VALUE` each.
    pub options: Vec<String>,
}

/// What a new network has to get along with.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The host's routes of both families, in all tables. Those through the bridge that the request names do not count.
    pub held: &'a [Held],
    /// The networks there are, with their subnets.
    pub networks: &'a [(NetworkName, Vec<IpNet>)],
    /// The bridge devices of the networks there are.
    pub bridges: &'a [(BridgeName, NetworkName)],
    /// Where IPv4 subnets are cut from.
    pub pools: &'a [AddressPool],
    /// What a unique local IPv6 subnet is made of if one is needed.
    pub random: [u8; 5],
}

/// What `network create` will make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The name, which no other network has.
    pub name: NetworkName,
    /// The IPv4 addresses.
    pub ipv4: Addressing,
    /// The IPv6 addresses, if the network has any.
    pub ipv6: Option<Addressing>,
    /// What was chosen, by flags or options.
    pub options: NetworkOptions,
    /// The options as typed, for `inspect`.
    pub typed_options: BTreeMap<String, String>,
    /// Whether the network leads out of the host.
    pub reach: Reach,
    /// What users noted on it.
    pub labels: BTreeMap<String, String>,
}

/// Decides what network a request makes.
///
/// # Errors
/// All problems of the request, none of them alone.
pub fn decide(
    request: &NetworkRequest,
    surroundings: &Surroundings<'_>,
) -> Result<Decision, NetworkProblems> {
    let mut problems = Vec::new();
    let name = check_name(request, surroundings, &mut problems);
    let options = read_options(request, &mut problems);
    let [ipv4, ipv6] = choose_addresses(request, &options, surroundings, &mut problems);
    check_settings(request, &options, surroundings, &mut problems);
    match (name, ipv4) {
        (Some(name), Some(ipv4)) if problems.is_empty() => Ok(Decision {
            name,
            ipv4,
            ipv6,
            options,
            typed_options: typed_options(&request.options),
            reach: request.reach,
            labels: request.labels.clone(),
        }),
        _ => Err(NetworkProblems {
            name: request.name.clone(),
            problems,
        }),
    }
}

fn typed_options(texts: &[String]) -> BTreeMap<String, String> {
    texts
        .iter()
        .filter_map(|text| text.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// Whether the request or its options or a subnet of it say that the network shall have IPv6 addresses.
fn wants_ipv6(request: &NetworkRequest, options: &NetworkOptions) -> bool {
    options.ipv6 == Some(Ipv6Wanted::Yes)
        || request
            .subnets
            .iter()
            .any(|text| Family::of_text(text) == Family::Ipv6)
}
