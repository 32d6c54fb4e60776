//! The endpoints of a network, findable by container, by name, and by the name they are linked to.
//!
//! All writing happens under the network's lock. Reading one endpoint needs no lock, since records are renamed into
//! place.

use crate::atomic_file;
use crate::directory::names_in;
use crate::endpoint::{Endpoint, EndpointPorts};
use crate::error::NetworkError;
use crate::id::ContainerId;
use crate::name::{ContainerName, NetworkName};
use crate::network::Names;
use crate::state::{NetworkHost, NetworkState};
use nix::net::if_::if_nametoindex;
use std::fs;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

impl NetworkState {
    /// The endpoint of a running container.
    ///
    /// # Errors
    /// When the record exists and cannot be read.
    pub fn find(&self, container: &ContainerId) -> Result<Option<Endpoint>, NetworkError> {
        let path = self.endpoint(container);
        Ok(atomic_file::read_json_if_present(&path)?)
    }

    /// The ports of the endpoint of a running container.
    ///
    /// # Errors
    /// When the record exists and cannot be read.
    pub fn find_ports(
        &self,
        container: &ContainerId,
    ) -> Result<Option<EndpointPorts>, NetworkError> {
        let path = self.endpoint(container);
        Ok(atomic_file::read_json_if_present(&path)?)
    }

    /// The endpoint of the running container that has this name.
    ///
    /// # Errors
    /// When a record exists and cannot be read.
    pub fn find_by_name(&self, name: &ContainerName) -> Result<Option<Endpoint>, NetworkError> {
        let Some(container) = linked_id(&self.name(name))? else {
            return Ok(None);
        };
        let endpoint = self.find(&container)?;
        Ok(endpoint.filter(|endpoint| endpoint.name == *name))
    }

    /// The running containers that are linked to `target`, whether it runs or not.
    ///
    /// # Errors
    /// When a directory or record exists and cannot be read.
    pub fn sources_of(&self, target: &ContainerName) -> Result<Vec<Endpoint>, NetworkError> {
        let mut sources = self.endpoints_named_in(&self.links_to(target))?;
        sources.retain(|source| source.links.iter().any(|link| link.target == *target));
        Ok(sources)
    }

    /// All endpoints, ordered by address.
    ///
    /// # Errors
    /// When a directory or record exists and cannot be read.
    pub fn all(&self) -> Result<Vec<Endpoint>, NetworkError> {
        let mut endpoints = self.endpoints_named_in(&self.endpoints())?;
        endpoints.sort_by_key(|endpoint| endpoint.address);
        Ok(endpoints)
    }

    /// The endpoints that the DNS knows by a name, which is in lower case.
    ///
    /// # Errors
    /// When a directory or record exists and cannot be read.
    pub fn find_by_dns_name(&self, name: &str) -> Result<Vec<Endpoint>, NetworkError> {
        let Some(directory) = self.dns_holders(name) else {
            return Ok(Vec::new());
        };
        let mut holders = self.endpoints_named_in(&directory)?;
        holders.retain(|holder| holder.dns_names().iter().any(|own| own == name));
        Ok(holders)
    }

    /// Writes an endpoint and what leads to it. On a network without DNS nobody asks for it by other names than links do.
    pub(crate) fn register(&self, endpoint: &Endpoint, names: Names) -> Result<(), NetworkError> {
        // What leads to it comes first: that is believed only if the record agrees.
        for directory in self.lookups_of(endpoint, names) {
            fs::create_dir_all(&directory)
                .map_err(|error| NetworkError::file("create", &directory, error))?;
            let entry = directory.join(format!("{}.json", endpoint.container));
            fs::write(&entry, "").map_err(|error| NetworkError::file("write", &entry, error))?;
        }
        replace_symlink(&endpoint.container, &self.name(&endpoint.name))?;
        let path = self.endpoint(&endpoint.container);
        Ok(atomic_file::replace_json(&path, endpoint)?)
    }

    /// Writes an endpoint anew that is known by other names or links now. What it is known by is there before what it was
    /// known by goes: nobody who asks meanwhile finds nothing, and whatever is left by an interruption leads to a record that
    /// says otherwise.
    pub(crate) fn replace(
        &self,
        (before, after): (&Endpoint, &Endpoint),
        names: Names,
    ) -> Result<(), NetworkError> {
        self.register(after, names)?;
        let kept = self.lookups_of(after, names);
        for directory in self.lookups_of(before, Names::Dns) {
            if !kept.contains(&directory) {
                forget_in(&directory, &before.container);
            }
        }
        if before.name != after.name {
            self.forget_name(before);
        }
        Ok(())
    }

    /// Removes what [`NetworkState::register`] wrote to lead to a record, going on past what is gone already. The record itself is
    /// the caller's to remove, last.
    pub(crate) fn unregister(&self, endpoint: &Endpoint) {
        // Whatever the network's names are now, they may have been others.
        for directory in self.lookups_of(endpoint, Names::Dns) {
            forget_in(&directory, &endpoint.container);
        }
        self.forget_name(endpoint);
        for address in endpoint.addresses() {
            let interface = self.last_interface(address);
            let _ = fs::remove_file(&interface);
            let _ = symlink(&endpoint.interface, &interface);
        }
    }

    /// Removes what leads to an endpoint whose record is not there: whoever wrote them was killed in between. Its name and those
    /// it is linked to are not known then, so they are looked for.
    pub(crate) fn forget_unwritten(&self, container: &ContainerId) -> Result<(), NetworkError> {
        for name in names_in(&self.names())? {
            let name = self.names().join(name);
            if linked_id(&name)? == Some(*container) {
                let _ = fs::remove_file(name);
            }
        }
        for lookups in [self.links(), self.dns()] {
            for name in names_in(&lookups)? {
                forget_in(&lookups.join(name), container);
            }
        }
        let unfinished = atomic_file::temporary_path(&self.endpoint(container))?;
        let _ = fs::remove_file(unfinished);
        Ok(())
    }

    fn forget_name(&self, endpoint: &Endpoint) {
        let name = self.name(&endpoint.name);
        if linked_id(&name).ok().flatten() == Some(endpoint.container) {
            let _ = fs::remove_file(name);
        }
    }

    /// The directories in which an endpoint is found by those it is linked to, and by its names.
    fn lookups_of(&self, endpoint: &Endpoint, names: Names) -> Vec<PathBuf> {
        let links = endpoint
            .links
            .iter()
            .map(|link| self.links_to(&link.target));
        let mut directories: Vec<PathBuf> = links.collect();
        if names == Names::Dns {
            let names = endpoint.dns_names();
            directories.extend(names.iter().filter_map(|name| self.dns_holders(name)));
        }
        directories
    }

    /// The interface that had an address before, if it is still there although its container has gone.
    pub(crate) fn previous_interface(&self, address: IpAddr) -> Option<String> {
        let target = fs::read_link(self.last_interface(address)).ok()?;
        let name = target.to_str()?;
        if_nametoindex(name).ok().map(|_| name.to_string())
    }

    fn endpoints_named_in(&self, directory: &Path) -> Result<Vec<Endpoint>, NetworkError> {
        let mut endpoints = Vec::new();
        for name in names_in(directory)? {
            let id = name.strip_suffix(".json");
            if let Some(container) = id.and_then(|id| id.parse().ok())
                && let Some(endpoint) = self.find(&container)?
            {
                endpoints.push(endpoint);
            }
        }
        Ok(endpoints)
    }
}

impl NetworkHost {
    /// The networks that a running container is on, by name.
    ///
    /// # Errors
    /// When the directory exists and cannot be read.
    pub fn networks_of(&self, container: &ContainerId) -> Result<Vec<NetworkName>, NetworkError> {
        let entries = names_in(&self.members(container))?;
        let mut names: Vec<NetworkName> = entries
            .iter()
            .filter_map(|name| name.parse().ok())
            .collect();
        names.sort();
        Ok(names)
    }

    /// Notes that a running container is on a network.
    pub(crate) fn join(
        &self,
        container: &ContainerId,
        network: &NetworkName,
    ) -> Result<(), NetworkError> {
        let directory = self.members(container);
        fs::create_dir_all(&directory)
            .map_err(|error| NetworkError::file("create", &directory, error))?;
        let entry = directory.join(network.as_str());
        fs::write(&entry, "").map_err(|error| NetworkError::file("write", &entry, error))
    }

    /// Forgets that a container is on a network.
    pub(crate) fn leave(&self, container: &ContainerId, network: &NetworkName) {
        let directory = self.members(container);
        let _ = fs::remove_file(directory.join(network.as_str()));
        // Fails while it is on another.
        let _ = fs::remove_dir(directory);
    }
}

/// Removes an endpoint from a directory in which it is found.
fn forget_in(directory: &Path, container: &ContainerId) {
    let _ = fs::remove_file(directory.join(format!("{container}.json")));
    // Fails while others are found there, as it should.
    let _ = fs::remove_dir(directory);
}

/// The id that a symbolic link of the state names, if the link exists.
pub(crate) fn linked_id(path: &Path) -> Result<Option<ContainerId>, NetworkError> {
    match fs::read_link(path) {
        Ok(target) => Ok(target.to_str().and_then(|target| target.parse().ok())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(NetworkError::file("read", path, error)),
    }
}

/// Makes a symbolic link to an id, replacing one that a container which is gone left behind.
pub(crate) fn replace_symlink(id: &ContainerId, path: &Path) -> Result<(), NetworkError> {
    match symlink(id.to_string(), path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::remove_file(path).map_err(|error| NetworkError::file("replace", path, error))?;
            symlink(id.to_string(), path).map_err(|error| NetworkError::file("create", path, error))
        }
        result => result.map_err(|error| NetworkError::file("create", path, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Link;
    use crate::test_support::endpoint;

    #[test]
    fn the_ports_of_an_endpoint_are_those_of_its_whole_record() {
        let directory = tempfile::tempdir().unwrap();
        let state = NetworkState::at(directory.path().to_path_buf());
        for parent in ["names", "endpoints"] {
            fs::create_dir(directory.path().join(parent)).unwrap();
        }
        let mut web = endpoint("web1", 2, &["80", "53/udp"]);
        web.publications = vec!["0.0.0.0:8080->80/tcp".parse().unwrap()];
        state.register(&web, Names::Dns).unwrap();
        let ports = EndpointPorts {
            exposed: web.exposed.clone(),
            publications: web.publications.clone(),
        };
        assert_eq!(state.find_ports(&web.container).unwrap(), Some(ports));
        let other = endpoint("web2", 3, &[]).container;
        assert_eq!(state.find_ports(&other).unwrap(), None);
    }

    /// Regression test: a container that was killed while it was being attached left its names behind for good.
    #[test]
    fn what_leads_to_a_record_that_was_never_written_can_be_found_without_it() {
        let directory = tempfile::tempdir().unwrap();
        let state = NetworkState::at(directory.path().to_path_buf());
        for parent in ["names", "endpoints"] {
            fs::create_dir(directory.path().join(parent)).unwrap();
        }
        let stays = endpoint("web1", 2, &[]);
        let mut killed = endpoint("web2", 3, &[]);
        killed.links.push(Link {
            target: "web1".parse().unwrap(),
            alias: "web".parse().unwrap(),
        });
        for endpoint in [&stays, &killed] {
            state.register(endpoint, Names::Dns).unwrap();
        }
        fs::remove_file(state.endpoint(&killed.container)).unwrap();
        state.forget_unwritten(&killed.container).unwrap();
        assert_eq!(names_in(&state.names()).unwrap(), ["web1"]);
        assert_eq!(names_in(&state.links()).unwrap(), [""; 0]);
        assert_eq!(state.find_by_dns_name("web1").unwrap(), [stays]);
        assert_eq!(
            state.dns_holders("web2").map(|path| path.exists()),
            Some(false)
        );
    }
}
