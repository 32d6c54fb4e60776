//! The runtime's side of networking: the default network, and waiting for those who are just leaving.

use crate::container_state::ContainerState;
use crate::error::RuntimeError;
use crate::process_identity::ProcessIdentity;
use crate::runtime::Runtime;
use minirun_bridge::attach::{Attachment, EndpointRequest, NamespaceToAttach};
use minirun_bridge::error::NetworkError;
use minirun_bridge::id::ContainerId;
use minirun_bridge::lease::LeaseError;
use minirun_bridge::name::NetworkName;
use minirun_bridge::network::{Icc, Network};
use minirun_netns::Namespace;
use minirun_netns::Narrator;

impl Runtime {
    /// The default network's definition, made on first use.
    ///
    /// # Errors
    /// When it cannot be read or made.
    pub fn default_network(&self) -> Result<Network, RuntimeError> {
        Ok(self.networks.load_or_create(&NetworkName::default())?)
    }

    /// The network that a user means by a name, a full id, or the beginning of an id.
    ///
    /// # Errors
    /// [`NetworkError::UnknownNetwork`]; [`NetworkError::NotABridge`] for `host` and `none`.
    pub fn resolve_network(&self, reference: &str) -> Result<NetworkName, RuntimeError> {
        let default = self.default_network()?;
        if ["host", "none"].contains(&reference) {
            return Err(NetworkError::NotABridge(reference.into()).into());
        }
        if let Ok(name) = reference.parse::<NetworkName>()
            && self.networks.load(&name)?.is_some()
        {
            return Ok(name);
        }
        let id = default.id.to_string();
        match !reference.is_empty() && id.starts_with(&reference.to_ascii_lowercase()) {
            true => Ok(default.name),
            false => Err(NetworkError::UnknownNetwork(reference.into()).into()),
        }
    }

    /// Switches inter-container communication on a network, for running containers, too.
    ///
    /// # Errors
    /// See [`minirun_bridge::state::NetworkHost::set_icc`].
    pub fn set_icc(
        &self,
        name: &NetworkName,
        icc: Icc,
        narrator: &mut dyn Narrator,
    ) -> Result<Network, RuntimeError> {
        let find = |container: &ContainerId| self.network_namespace(container);
        Ok(self.networks.set_icc(name, icc, &find, narrator)?)
    }

    /// Attaches a container. If a port or address is still held by a container that has ended, its monitor is given the
    /// time to finish first.
    pub(crate) fn attach_waiting(
        &self,
        network: &Network,
        request: &EndpointRequest,
        place: NamespaceToAttach<'_>,
        narrator: &mut dyn Narrator,
    ) -> Result<Attachment, RuntimeError> {
        let outcome = self.networks.attach(network, request, place, narrator);
        let again = match &outcome {
            Err(NetworkError::PortTaken { owner, .. }) => self.has_left(owner.as_str())?,
            Err(NetworkError::AddressTaken { owner, .. }) => self.has_left(owner)?,
            // Containers whose monitors were killed may hold the addresses.
            Err(NetworkError::Lease(LeaseError::Exhausted { .. })) => {
                self.sweep()?;
                true
            }
            _ => false,
        };
        if again {
            return Ok(self.networks.attach(network, request, place, narrator)?);
        }
        Ok(outcome?)
    }

    /// Whether a container does not run any more; then everything of it has been taken down on return.
    fn has_left(&self, name: &str) -> Result<bool, RuntimeError> {
        let Some(owner) = self.find_exactly(name)? else {
            return Ok(true);
        };
        if self.runs(&owner)? {
            return Ok(false);
        }
        self.settle(&owner)?;
        Ok(true)
    }

    /// The network namespace of a running container.
    pub fn network_namespace(&self, container: &ContainerId) -> Option<Namespace> {
        let init = self.init_of(container)?;
        // Held open, so that the number cannot pass to another process between the two looks.
        let process = init.open()?;
        let namespace = Namespace::of_process(init.pid).ok()?;
        (!process.has_ended().ok()?).then_some(namespace)
    }

    /// The first process of a running container.
    pub(crate) fn init_of(&self, container: &ContainerId) -> Option<ProcessIdentity> {
        match self.paths(container).container_state().ok()? {
            ContainerState::Running(record) => record.init,
            _ => None,
        }
    }
}
