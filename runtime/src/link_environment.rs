//! The variables that a container's links give it, as its targets are now.

use crate::config::{ContainerConfig, NetworkMode};
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use minirun_bridge::environment::EnvironmentVariable;
use minirun_bridge::link_environment::{LinkTarget, link_environment};

/// The variables of the links to running targets. A target that does not run has no address to tell.
///
/// # Errors
/// When a record of a target cannot be read.
pub(crate) fn running_link_environment(
    runtime: &Runtime,
    config: &ContainerConfig,
) -> Result<Vec<EnvironmentVariable>, RuntimeError> {
    let mut variables = Vec::new();
    if config.network.mode != NetworkMode::Bridge || config.network.links.is_empty() {
        return Ok(variables);
    }
    let state = runtime.networks.network(&runtime.default_network()?.name);
    for link in &config.network.links {
        let Some(endpoint) = state.find_by_name(&link.target)? else {
            continue;
        };
        let Some(target) = runtime.read(&endpoint.container)? else {
            continue;
        };
        variables.extend(link_environment(
            &config.name,
            &link.alias,
            &LinkTarget {
                address: endpoint.address,
                exposed: &endpoint.exposed,
                environment: &target.process.environment,
            },
        ));
    }
    Ok(variables)
}
