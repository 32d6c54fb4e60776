//! Keeping the hosts file of a running container what the records say.
//!
//! A container on several networks has one hosts file, and each network changes it under a lock of its own. So whoever has
//! changed a record writes the whole file anew from all records, one at a time: the last one sees everything.

use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::hosts::{HostsFile, write_in_place};
use crate::id::ContainerId;
use crate::network::{Names, Network};
use crate::state::NetworkHost;
use std::fs::File;
use std::io;
use std::path::PathBuf;

/// A hosts file as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrittenHosts {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl NetworkHost {
    /// Writes the hosts file of a running container as the records say.
    ///
    /// # Errors
    /// When a record cannot be read or the file cannot be written.
    pub fn refresh_hosts_of(&self, container: &ContainerId) -> Result<(), NetworkError> {
        self.refresh_hosts(container, None, None).map(drop)
    }

    /// Writes the hosts file of a running container. Whoever is `leaving` is treated as if it had gone already. None when the
    /// container itself has gone. What is `known` of one of its networks is not read again.
    pub(crate) fn refresh_hosts(
        &self,
        container: &ContainerId,
        leaving: Option<&ContainerId>,
        known: Option<&(Network, Endpoint)>,
    ) -> Result<Option<WrittenHosts>, NetworkError> {
        let directory = self.members(container);
        let lock = match File::open(&directory) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(NetworkError::file("open", &directory, error)),
        };
        lock.lock()
            .map_err(|error| NetworkError::file("lock", &directory, error))?;
        let mut file = HostsFile::default();
        let mut path = None;
        for (endpoint, targets) in self.places(container, leaving, known)? {
            if path.is_none() {
                file.extra.clone_from(&endpoint.hosts.extra);
                path = Some(endpoint.hosts.path.clone());
            }
            file.own.extend(endpoint.own_hosts());
            file.links.extend(endpoint.linked_hosts(&targets));
        }
        let Some(path) = path else {
            return Ok(None);
        };
        let text = file.render();
        write_in_place(&path, &text)
            .map_err(|error| NetworkError::file("write", &path, io::Error::other(error)))?;
        Ok(Some(WrittenHosts { path, text }))
    }

    /// A container's endpoints in the order of its interfaces, each with those of its link targets that belong into the hosts
    /// file: where there is a DNS, that knows them.
    fn places(
        &self,
        container: &ContainerId,
        leaving: Option<&ContainerId>,
        known: Option<&(Network, Endpoint)>,
    ) -> Result<Vec<(Endpoint, Vec<Endpoint>)>, NetworkError> {
        let mut places = Vec::new();
        for name in self.networks_of(container)? {
            let known = known.filter(|(network, _)| network.name == name);
            let place = match known {
                Some((network, endpoint)) => (Some(network.clone()), Some(endpoint.clone())),
                None => (self.load(&name)?, self.network(&name).find(container)?),
            };
            let (Some(network), Some(endpoint)) = place else {
                continue;
            };
            let mut targets = match network.names {
                Names::HostsFile => self.running_targets(&network, &endpoint),
                Names::Dns => Vec::new(),
            };
            targets.retain(|target| Some(&target.container) != leaving);
            places.push((endpoint, targets));
        }
        places.sort_by_key(|(endpoint, _)| interface_number(&endpoint.interface_name));
        Ok(places)
    }
}

/// The number behind `eth`, so that `eth10` comes after `eth2`.
pub(crate) fn interface_number(name: &str) -> u32 {
    let digits = name.trim_start_matches(|character: char| !character.is_ascii_digit());
    digits.parse().unwrap_or(u32::MAX)
}
