//! The runtime's side of networking: finding networks, and waiting for those who are just leaving.

use crate::container_state::{ContainerState, RunningRecord};
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::process_identity::ProcessIdentity;
use crate::runtime::Runtime;
use minirun_bridge::attach::{Attachment, EndpointRequest, NamespaceToAttach};
use minirun_bridge::error::NetworkError;
use minirun_bridge::host_ports::PortsRequest;
use minirun_bridge::id::ContainerId;
use minirun_bridge::name::NetworkName;
use minirun_bridge::network::{DEFAULT_NETWORK, Network};
use minirun_bridge::reservation::Reservation;
use minirun_netns::{Namespace, Narrator};
use std::io;

/// Networks that have no record: there is nothing to say about them.
const WITHOUT_RECORD: [&str; 2] = ["host", "none"];

/// How many hexadecimal digits an identifier has.
const ID_DIGITS: usize = 64;

/// The identifier of a network without a record: its name in hexadecimal, so that it is the same on every host.
pub fn nominal_network_id(name: &str) -> String {
    let digits: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("{digits:0<ID_DIGITS$}")
}

impl Runtime {
    /// The default network's definition, made on first use.
    ///
    /// # Errors
    /// When it cannot be read or made.
    pub fn default_network(&self) -> Result<Network, RuntimeError> {
        Ok(self.networks.load_or_create(&NetworkName::default())?)
    }

    /// The network that a user means by a full id, a name, or the beginning of an id.
    ///
    /// # Errors
    /// [`NetworkError::UnknownNetwork`]; [`NetworkError::NotABridge`] for `host` and `none`;
    /// [`RuntimeError::AmbiguousNetwork`].
    pub fn resolve_network(&self, reference: &str) -> Result<NetworkName, RuntimeError> {
        if WITHOUT_RECORD.contains(&reference) {
            return Err(NetworkError::NotABridge(reference.into()).into());
        }
        if [DEFAULT_NETWORK, "default"].contains(&reference) {
            return Ok(self.default_network()?.name);
        }
        if let Ok(name) = reference.parse::<NetworkName>()
            && self.networks.load(&name)?.is_some()
        {
            return Ok(name);
        }
        self.default_network()?;
        let prefix = reference.to_ascii_lowercase();
        let begins_so = |id: &str| !prefix.is_empty() && id.starts_with(&prefix);
        let mut networks = self.networks.networks()?;
        networks.retain(|network| begins_so(&network.id.to_string()));
        let without_record: Vec<&str> = WITHOUT_RECORD
            .into_iter()
            .filter(|name| begins_so(&nominal_network_id(name)))
            .collect();
        match (networks.as_slice(), without_record.as_slice()) {
            ([], []) => Err(NetworkError::UnknownNetwork(reference.into()).into()),
            ([network], []) => Ok(network.name.clone()),
            ([], [name]) => Err(NetworkError::NotABridge((*name).into()).into()),
            _ => Err(RuntimeError::AmbiguousNetwork(reference.into())),
        }
    }

    /// Attaches a container. If an address is still held by a container that has ended, its monitor is given the time to
    /// finish first.
    pub(crate) fn attach_waiting(
        &self,
        network: &Network,
        request: &EndpointRequest,
        place: NamespaceToAttach<'_>,
        narrator: &mut dyn Narrator,
    ) -> Result<Attachment, RuntimeError> {
        let outcome = self.networks.attach(network, request, place, narrator);
        let again = match &outcome {
            Err(NetworkError::AddressTaken { owner, .. }) => self.has_left(owner)?,
            // Containers whose monitors were killed may hold the addresses.
            Err(NetworkError::Full { .. }) => {
                self.sweep()?;
                true
            }
            _ => false,
        };
        let attached = match again {
            true => self.networks.attach(network, request, place, narrator),
            false => outcome,
        }?;
        self.tell_event(Event::membership(
            network,
            &request.container,
            Action::Connect,
        ));
        Ok(attached)
    }

    /// Reserves host ports. If one is still held by a container that has ended, its monitor is given the time to finish.
    pub(crate) fn reserve_waiting(
        &self,
        request: &PortsRequest,
    ) -> Result<Vec<Reservation>, RuntimeError> {
        match self.networks.reserve_ports(request) {
            Err(NetworkError::PortTaken { owner, wanted }) => {
                match self.has_left(owner.as_str())? {
                    true => Ok(self.networks.reserve_ports(request)?),
                    false => Err(NetworkError::PortTaken { owner, wanted }.into()),
                }
            }
            outcome => Ok(outcome?),
        }
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
        self.namespace_while_running(container).ok().flatten()
    }

    /// The network namespace of a container, none if it does not run, or has just ended.
    ///
    /// # Errors
    /// When it runs, or may run, and its namespace cannot be had.
    pub(crate) fn namespace_while_running(
        &self,
        container: &ContainerId,
    ) -> Result<Option<Namespace>, RuntimeError> {
        let ContainerState::Running(RunningRecord {
            init: Some(init), ..
        }) = self.paths(container).container_state()?
        else {
            return Ok(None);
        };
        let failed = |error: io::Error| {
            RuntimeError::system("look at the first process of the container", error)
        };
        // Held open, so that the number cannot pass to another process between the two looks.
        let Some(process) = init.hold().map_err(failed)? else {
            return Ok(None);
        };
        let namespace = Namespace::of_process(init.pid);
        match process.has_ended().map_err(failed)? {
            true => Ok(None),
            false => Ok(Some(namespace?)),
        }
    }

    /// The first process of a running container.
    pub(crate) fn init_of(&self, container: &ContainerId) -> Option<ProcessIdentity> {
        match self.paths(container).container_state().ok()? {
            ContainerState::Running(record) => record.init,
            _ => None,
        }
    }
}
