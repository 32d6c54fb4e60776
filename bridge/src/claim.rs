//! Who publishes which host port. The bound socket is the reservation; the claim only says whose it is, so that a
//! conflict can name its owner and a claim that outlived its owner can be told from a live one.

use crate::error::NetworkError;
use crate::id::ContainerId;
use crate::port::{Port, Protocol};
use crate::publication::Publication;
use crate::registry::{linked_id, replace_symlink};
use crate::state::NetworkHost;
use std::fs;
use std::path::PathBuf;

impl NetworkHost {
    /// Notes that `container` publishes `publication`; the caller holds the bound socket.
    pub(crate) fn claim_port(
        &self,
        publication: &Publication,
        container: &ContainerId,
    ) -> Result<(), NetworkError> {
        let directory = self.port_directory(publication.container.protocol, publication.host_port);
        fs::create_dir_all(&directory)
            .map_err(|error| NetworkError::file("create", &directory, error))?;
        replace_symlink(
            container,
            &directory.join(publication.host_address.to_string()),
        )
    }

    /// Removes the claim if it is `container`'s.
    pub(crate) fn release_port(&self, publication: &Publication, container: &ContainerId) {
        let directory = self.port_directory(publication.container.protocol, publication.host_port);
        let path = directory.join(publication.host_address.to_string());
        if linked_id(&path).ok().flatten() == Some(*container) {
            let _ = fs::remove_file(path);
            // Fails while the port is published on another address, as it should.
            let _ = fs::remove_dir(directory);
        }
    }

    /// The containers that claim a port, on whatever address.
    pub(crate) fn port_owners(&self, protocol: Protocol, port: Port) -> Vec<ContainerId> {
        let Ok(entries) = fs::read_dir(self.port_directory(protocol, port)) else {
            return Vec::new();
        };
        entries
            .filter_map(|entry| linked_id(&entry.ok()?.path()).ok().flatten())
            .collect()
    }

    fn port_directory(&self, protocol: Protocol, port: Port) -> PathBuf {
        self.ports()
            .join(protocol.to_string())
            .join(port.to_string())
    }
}
