//! Where a container is: what its places on networks have in common.

use minirun_bridge::endpoint::Endpoint;
use minirun_bridge::publication::Publication;
use minirun_runtime::config::{NetworkConfig, NetworkMode};
use minirun_runtime::details::ContainerDetails;

/// The endpoints of a container, in the order of its networks; none unless it runs.
pub fn endpoints(details: &ContainerDetails) -> impl Iterator<Item = &Endpoint> {
    let places = details.places.iter();
    places.filter_map(|place| place.endpoint.as_ref())
}

/// The host ports that lead to a container. They are recorded where its default route is.
pub fn publications(details: &ContainerDetails) -> Vec<Publication> {
    endpoints(details)
        .flat_map(|endpoint| endpoint.publications.clone())
        .collect()
}

/// The one word that Docker has for how a container is connected, whatever its networks: that of the first `--network`.
pub(super) fn network_mode(network: &NetworkConfig) -> String {
    match network.memberships.first() {
        Some(first) if network.mode == NetworkMode::Networks => first.network.to_string(),
        _ => mode_word(network.mode),
    }
}

/// The word for how a container is connected that is on no network.
pub(super) fn mode_word(mode: NetworkMode) -> String {
    match mode {
        NetworkMode::Host => "host".into(),
        NetworkMode::Container(id) => format!("container:{id}"),
        NetworkMode::Networks | NetworkMode::None => "none".into(),
    }
}
