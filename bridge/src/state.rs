//! Where networks keep what they know, and the locks that keep their users apart.
//!
//! ```text
//! ROOT/networks/<name>.json                          the definition
//! STATE/networks/<name>/lock                         held (flock) by whoever changes anything below
//! STATE/networks/<name>/leases/<address>             symbolic link to the container's id
//! STATE/networks/<name>/interfaces/<address>         symbolic link to the name of the interface that had it last
//! STATE/networks/<name>/endpoints/<container>.json   the endpoint of a running container
//! STATE/networks/<name>/names/<container name>       symbolic link to the id of the running container
//! STATE/networks/<name>/links/<target name>/<id>     one empty file for each running container linked to that name
//! STATE/ports/<protocol>/<port>/<address>            symbolic link to the id of the container that publishes it
//! STATE/firewall                                     present once our chains were made
//! ```
//!
//! Every question on the way of a start is answered by opening one path; nothing is searched.

use crate::error::NetworkError;
use crate::firewall::Firewall;
use crate::id::ContainerId;
use crate::name::{ContainerName, NetworkName};
use crate::settings::Settings;
use std::fs::{self, File};
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

/// The two roots, and what the configuration file says.
#[derive(Debug, Clone)]
pub struct NetworkHost {
    /// What outlives a boot, `/var/lib/minirun` by default.
    pub root: PathBuf,
    /// What dies with it, `/run/minirun` by default.
    pub state: PathBuf,
    /// The configuration file's content.
    pub settings: Settings,
    /// The driver that renders policy.
    pub firewall: Firewall,
}

impl NetworkHost {
    /// The file that defines a network.
    pub fn definition(&self, name: &NetworkName) -> PathBuf {
        self.root.join("networks").join(format!("{name}.json"))
    }

    /// The state of one network.
    pub fn network(&self, name: &NetworkName) -> NetworkState {
        NetworkState {
            directory: self.state.join("networks").join(name.to_string()),
        }
    }

    /// Where the claims of published ports are.
    pub fn ports(&self) -> PathBuf {
        self.state.join("ports")
    }

    /// The file that says that our chains were made since the boot.
    pub fn firewall_marker(&self) -> PathBuf {
        self.state.join("firewall")
    }
}

/// One network's part of the state directory.
#[derive(Debug, Clone)]
pub struct NetworkState {
    directory: PathBuf,
}

/// An exclusive lock on a network; released on drop.
#[derive(Debug)]
pub struct NetworkLock {
    _file: File,
}

impl NetworkState {
    /// Waits for the network's lock, making the directories first if this is their first use.
    ///
    /// # Errors
    /// When the state directory cannot be written to.
    pub fn lock(&self) -> Result<NetworkLock, NetworkError> {
        let path = self.directory.join("lock");
        let file = match open_lock(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                for name in ["leases", "interfaces", "endpoints", "names", "links"] {
                    let directory = self.directory.join(name);
                    fs::create_dir_all(&directory)
                        .map_err(|error| NetworkError::file("create", &directory, error))?;
                }
                open_lock(&path).map_err(|error| NetworkError::file("open", &path, error))?
            }
            Err(error) => return Err(NetworkError::file("open", &path, error)),
        };
        file.lock()
            .map_err(|error| NetworkError::file("lock", &path, error))?;
        Ok(NetworkLock { _file: file })
    }

    /// The directory of leases.
    pub fn leases(&self) -> PathBuf {
        self.directory.join("leases")
    }

    /// Which interface had an address last.
    pub fn last_interface(&self, address: Ipv4Addr) -> PathBuf {
        self.directory.join("interfaces").join(address.to_string())
    }

    /// The directory of endpoint records.
    pub fn endpoints(&self) -> PathBuf {
        self.directory.join("endpoints")
    }

    /// The record of a container's endpoint.
    pub fn endpoint(&self, container: &ContainerId) -> PathBuf {
        self.endpoints().join(format!("{container}.json"))
    }

    /// The link from a running container's name to its id.
    pub fn name(&self, name: &ContainerName) -> PathBuf {
        self.directory.join("names").join(name.to_string())
    }

    /// The directory of those that are linked to `target`.
    pub fn links_to(&self, target: &ContainerName) -> PathBuf {
        self.directory.join("links").join(target.to_string())
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
}
