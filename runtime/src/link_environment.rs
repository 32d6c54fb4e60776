//! The variables that a container's links give it, as its targets are now.

use crate::config::{ContainerConfig, LinkEnvironment};
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use minirun_bridge::endpoint::Endpoint;
use minirun_bridge::environment::EnvironmentVariable;
use minirun_bridge::link::Link;
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
    if config.network.link_environment == LinkEnvironment::None {
        return Ok(variables);
    }
    for link in &config.network.links {
        let Some(endpoint) = first_endpoint(runtime, config, link)? else {
            continue;
        };
        let Some(target) = runtime.read(&endpoint.container)? else {
            continue;
        };
        let environment: &[EnvironmentVariable] = match config.network.link_environment {
            LinkEnvironment::Full => &target.process.environment,
            LinkEnvironment::Address | LinkEnvironment::None => &[],
        };
        variables.extend(link_environment(
            &config.name,
            &link.alias,
            &LinkTarget {
                address: endpoint.address,
                exposed: &endpoint.exposed,
                environment,
            },
        ));
    }
    Ok(variables)
}

/// The target's endpoint on the first network that both are on, in the order of the container's interfaces.
fn first_endpoint(
    runtime: &Runtime,
    config: &ContainerConfig,
    link: &Link,
) -> Result<Option<Endpoint>, RuntimeError> {
    for membership in &config.network.memberships {
        let state = runtime.networks.network(&membership.network);
        if let Some(endpoint) = state.find_by_name(&link.target)? {
            return Ok(Some(endpoint));
        }
    }
    Ok(None)
}
