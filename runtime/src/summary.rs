//! What a listing shows of a container.

use crate::condition::Condition;
use crate::outline::ContainerOutline;
use minirun_bridge::endpoint::EndpointPorts;
use minirun_bridge::id::ContainerId;

/// A container as it is now, as far as listings show it.
#[derive(Debug, Clone)]
pub struct ContainerSummary {
    /// As it was created.
    pub outline: ContainerOutline,
    /// What it does.
    pub condition: Condition,
    /// Its ports: what it exposes while it runs, and the host ports that lead to it.
    pub ports: EndpointPorts,
    /// The ids of its networks, as far as these exist.
    pub networks: Vec<ContainerId>,
}
