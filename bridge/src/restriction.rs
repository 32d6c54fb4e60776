//! Changing what a running container may reach, and ending what it may not reach any more.

use crate::egress::{Attempt, Egress};
use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::firewall::Firewall;
use crate::id::ContainerId;
use crate::name::NetworkName;
use crate::network::{Family, Network};
use crate::port::{ExposedPort, Port, Protocol};
use crate::state::NetworkHost;
use minirun_netns::Narrator;
use minirun_netns::netfilter::{OutgoingFlow, forget_flows_from};

impl NetworkHost {
    /// Changes what a running container may reach beyond a network that it is on. What it has open and may not reach any more
    /// is cut, also when everything else was done by a command that was killed.
    ///
    /// # Errors
    /// [`NetworkError::CannotRestrict`] without a firewall driver; else that of the step that failed. A container that is not
    /// on the network is no error.
    pub fn restrict(
        &self,
        (name, container): (&NetworkName, &ContainerId),
        egress: &Egress,
        narrator: &mut dyn Narrator,
    ) -> Result<(), NetworkError> {
        self.check_egress(egress)?;
        let change = |endpoint: &mut Endpoint| endpoint.egress.clone_from(egress);
        self.amend((name, container), change, narrator)?;
        // There may have been nothing to change, after a command that was killed between record and rules.
        self.reload_if_unknown()?;
        let (Some(network), Some(endpoint)) =
            (self.load(name)?, self.network(name).find(container)?)
        else {
            return Ok(());
        };
        end_flows(&network, &endpoint)
    }

    /// Refuses what nobody here can enforce.
    ///
    /// # Errors
    /// [`NetworkError::CannotRestrict`] without a firewall driver.
    pub fn check_egress(&self, egress: &Egress) -> Result<(), NetworkError> {
        match self.firewall {
            Firewall::None if !egress.is_open() => Err(NetworkError::CannotRestrict),
            _ => Ok(()),
        }
    }
}

/// Lets the kernel forget the connections that a container has opened and may not reach any more: their packets in would pass
/// as replies.
fn end_flows(network: &Network, endpoint: &Endpoint) -> Result<(), NetworkError> {
    if endpoint.egress.is_open() {
        return Ok(());
    }
    for source in endpoint.addresses() {
        forget_flows_from(source, |flow| {
            !is_to_peer(network, flow) && !endpoint.egress.permits(&attempt(flow))
        })?;
    }
    Ok(())
}

/// Whether a flow stays on the network, where ICC and links decide.
fn is_to_peer(network: &Network, flow: &OutgoingFlow) -> bool {
    let addressing = network.addressing(Family::of(flow.destination));
    addressing.is_some_and(|addressing| {
        addressing.contains(flow.destination) && addressing.gateway != flow.destination
    })
}

fn attempt(flow: &OutgoingFlow) -> Attempt {
    let protocols = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];
    let protocol = protocols
        .into_iter()
        .find(|protocol| protocol.number() == flow.protocol);
    let port = flow.port.and_then(Port::new);
    Attempt {
        address: flow.destination,
        port: protocol
            .zip(port)
            .map(|(protocol, port)| ExposedPort { protocol, port }),
    }
}
