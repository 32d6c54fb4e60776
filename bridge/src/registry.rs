//! The endpoints of a network, findable by container, by name, and by the name they are linked to.
//!
//! All writing happens under the network's lock. Reading one endpoint needs no lock, since records are renamed into
//! place.

use crate::atomic_file;
use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::id::ContainerId;
use crate::name::ContainerName;
use crate::state::NetworkState;
use nix::net::if_::if_nametoindex;
use std::fs;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::os::unix::fs::symlink;
use std::path::Path;

impl NetworkState {
    /// The endpoint of a running container.
    ///
    /// # Errors
    /// When the record exists and cannot be read.
    pub fn find(&self, container: &ContainerId) -> Result<Option<Endpoint>, NetworkError> {
        let path = self.endpoint(container);
        Ok(atomic_file::read_json_if_present(&path)?)
    }

    /// The endpoint of the running container that has this name.
    ///
    /// # Errors
    /// When a record exists and cannot be read.
    pub fn find_by_name(&self, name: &ContainerName) -> Result<Option<Endpoint>, NetworkError> {
        match linked_id(&self.name(name))? {
            Some(container) => self.find(&container),
            None => Ok(None),
        }
    }

    /// The running containers that are linked to `target`, whether it runs or not.
    ///
    /// # Errors
    /// When a directory or record exists and cannot be read.
    pub fn sources_of(&self, target: &ContainerName) -> Result<Vec<Endpoint>, NetworkError> {
        self.endpoints_named_in(&self.links_to(target))
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

    /// Writes an endpoint and what leads to it.
    pub(crate) fn register(&self, endpoint: &Endpoint) -> Result<(), NetworkError> {
        let path = self.endpoint(&endpoint.container);
        atomic_file::write_json(&path, endpoint)?;
        replace_symlink(&endpoint.container, &self.name(&endpoint.name))?;
        for link in &endpoint.links {
            let directory = self.links_to(&link.target);
            fs::create_dir_all(&directory)
                .map_err(|error| NetworkError::file("create", &directory, error))?;
            let entry = directory.join(format!("{}.json", endpoint.container));
            fs::write(&entry, "").map_err(|error| NetworkError::file("write", &entry, error))?;
        }
        Ok(())
    }

    /// Removes what [`NetworkState::register`] wrote, going on past what is gone already.
    pub(crate) fn unregister(&self, endpoint: &Endpoint) {
        for link in &endpoint.links {
            let directory = self.links_to(&link.target);
            let _ = fs::remove_file(directory.join(format!("{}.json", endpoint.container)));
            // Fails while others are linked to the same target, as it should.
            let _ = fs::remove_dir(&directory);
        }
        let name = self.name(&endpoint.name);
        if linked_id(&name).ok().flatten() == Some(endpoint.container) {
            let _ = fs::remove_file(name);
        }
        let interface = self.last_interface(endpoint.address);
        let _ = fs::remove_file(&interface);
        let _ = symlink(&endpoint.interface, &interface);
        let _ = fs::remove_file(self.endpoint(&endpoint.container));
    }

    /// The interface that had an address before, if it is still there although its container has gone.
    pub(crate) fn previous_interface(&self, address: Ipv4Addr) -> Option<String> {
        let target = fs::read_link(self.last_interface(address)).ok()?;
        let name = target.to_str()?;
        if_nametoindex(name).ok().map(|_| name.to_string())
    }

    fn endpoints_named_in(&self, directory: &Path) -> Result<Vec<Endpoint>, NetworkError> {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(NetworkError::file("list", directory, error)),
        };
        let mut endpoints = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| NetworkError::file("list", directory, error))?;
            let name = entry.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".json"));
            if let Some(container) = id.and_then(|id| id.parse().ok())
                && let Some(endpoint) = self.find(&container)?
            {
                endpoints.push(endpoint);
            }
        }
        Ok(endpoints)
    }
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
