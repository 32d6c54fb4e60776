//! What a request says besides addresses.

use super::{NetworkProblem, NetworkRequest, Surroundings, wants_ipv6};
use crate::name::NetworkName;
use crate::network::{DEFAULT_BRIDGE, DEFAULT_NETWORK};
use crate::network_options::{
    GatewayMode, LARGEST_MTU, NetworkOption, NetworkOptions, Reach, SMALLEST_IPV6_MTU, SMALLEST_MTU,
};

/// The only driver.
const DRIVER: &str = "bridge";

/// What `--network` understands as something other than the name of a network that somebody made.
const RESERVED_NAMES: [&str; 5] = [DEFAULT_NETWORK, "host", "none", "default", "container"];

/// What `--network` begins with when it means another container's network.
const CONTAINER_PREFIX: &str = "container:";

pub(super) fn check_name(
    request: &NetworkRequest,
    surroundings: &Surroundings<'_>,
    problems: &mut Vec<NetworkProblem>,
) -> Option<NetworkName> {
    let text = &request.name;
    if RESERVED_NAMES.contains(&text.as_str()) || text.starts_with(CONTAINER_PREFIX) {
        problems.push(NetworkProblem::ReservedName(text.clone()));
        return None;
    }
    let name: NetworkName = match text.parse() {
        Ok(name) => name,
        Err(error) => {
            problems.push(NetworkProblem::Name(error));
            return None;
        }
    };
    if surroundings
        .networks
        .iter()
        .any(|(other, _)| *other == name)
    {
        problems.push(NetworkProblem::NameTaken(name));
        return None;
    }
    Some(name)
}

/// The options, and the flags that mean the same as one.
pub(super) fn read_options(
    request: &NetworkRequest,
    problems: &mut Vec<NetworkProblem>,
) -> NetworkOptions {
    let (mut options, wrong) = NetworkOptions::read(&request.options);
    problems.extend(wrong.into_iter().map(NetworkProblem::Option));
    let mtu = request
        .mtu
        .filter(|mtu| (SMALLEST_MTU..=LARGEST_MTU).contains(mtu));
    if let (Some(impossible), None) = (request.mtu, mtu) {
        problems.push(NetworkProblem::Mtu(impossible));
    }
    let flags = [
        request.icc.map(NetworkOption::Icc),
        mtu.map(NetworkOption::Mtu),
        request.ipv6.map(NetworkOption::Ipv6),
    ];
    for flag in flags.into_iter().flatten() {
        let contradiction = options.choose(flag).err();
        problems.extend(contradiction.map(NetworkProblem::Option));
    }
    options
}

/// What does not go together, or not with what there is.
pub(super) fn check_settings(
    request: &NetworkRequest,
    options: &NetworkOptions,
    surroundings: &Surroundings<'_>,
    problems: &mut Vec<NetworkProblem>,
) {
    if let Some(driver) = request.driver.as_ref().filter(|driver| *driver != DRIVER) {
        problems.push(NetworkProblem::Driver(driver.clone()));
    }
    let has_ipv6 = wants_ipv6(request, options);
    if let Some(mtu) = options.mtu
        && has_ipv6
        && mtu < SMALLEST_IPV6_MTU
    {
        problems.push(NetworkProblem::MtuBelowIpv6(mtu));
    }
    if let Some(address) = options.publish_address
        && address.is_ipv6()
        && !has_ipv6
    {
        problems.push(NetworkProblem::PublishAddressNeedsIpv6(address));
    }
    if options.gateway_mode == Some(GatewayMode::Routed) && request.reach == Reach::Internal {
        problems.push(NetworkProblem::RoutedInternal);
    }
    problems.extend(bridge_owner(options, surroundings));
    if let Some(value) = request.labels.get("") {
        problems.push(NetworkProblem::LabelWithoutKey(value.clone()));
    }
}

/// The network that has the bridge already. The default network's bridge is its own even before it is made.
fn bridge_owner(
    options: &NetworkOptions,
    surroundings: &Surroundings<'_>,
) -> Option<NetworkProblem> {
    let bridge = options.bridge_name.clone()?;
    let owner = surroundings
        .bridges
        .iter()
        .find(|(other, _)| *other == bridge);
    let network = match owner {
        Some((_, network)) => network.clone(),
        None if bridge.as_str() == DEFAULT_BRIDGE => NetworkName::default(),
        None => return None,
    };
    Some(NetworkProblem::BridgeTaken { bridge, network })
}
