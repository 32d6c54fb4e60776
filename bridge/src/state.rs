//! Where networks keep what they know, and the locks that keep their users apart.
//!
//! ```text
//! ROOT/networks/<name>.json                          the definition
//! ROOT/networks/<name>.removing                      the definition of a network that is being removed
//! ROOT/networks/lock                                 held (flock) by whoever makes or removes a network
//! STATE/networks/<name>/lock                         held (flock) by whoever changes anything below
//! STATE/networks/<name>/devices.lock                 held (flock) shared while a container's devices are made by what the records
//!                                                    said, exclusively by whoever changes devices that are there
//! STATE/networks/<name>/room                         where the next port is, once the main bridge was full
//! STATE/networks/<name>/leases/<address>             symbolic link to the container's id
//! STATE/networks/<name>/leases6/<address>            the same for IPv6
//! STATE/networks/<name>/interfaces/<address>         symbolic link to the name of the interface that had it last
//! STATE/networks/<name>/endpoints/<container>.json   the endpoint of a running container
//! STATE/networks/<name>/names/<container name>       symbolic link to the id of the running container
//! STATE/networks/<name>/links/<target name>/<id>     one empty file for each running container linked to that name
//! STATE/networks/<name>/dns/<name>/<id>              one empty file for each running container that the DNS knows by that name
//! STATE/members/<id>/<network>                       one empty file for each network that a running container is on; the
//!                                                    directory is held (flock) by whoever writes the container's hosts file
//! STATE/ports/<protocol>/<port>/<address>            symbolic link to the id of the container that publishes it
//! STATE/firewall                                     present while the rules are known to be what the records say
//! STATE/firewall.lock                                held (flock) by whoever changes rules
//! STATE/firewall.variant                             present once rules were made, says by which drivers
//! STATE/firewall.blockade                            what of others refuses our packets, where we could not change that
//! STATE/firewall.departed/<interface>                the endpoint of a container that has ended, whose port is still kept to its addresses
//! STATE/firewall6                                    present once our chains for IPv6 were made
//! ```
//!
//! Every question on the way of a start is answered by opening one path; nothing is searched.

use crate::error::NetworkError;
use crate::firewall::{Firewall, LazyRules};
use crate::id::ContainerId;
use crate::name::{ContainerName, NetworkName};
use crate::network::Family;
use crate::rule_maker::recorded_driver;
use crate::settings::Settings;
use std::fs::{self, File};
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
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
    /// The connection to the host's rules.
    pub rules: LazyRules,
}

/// The name of the file that says who has made rules.
pub(crate) const FIREWALL_VARIANT: &str = "firewall.variant";

impl NetworkHost {
    /// The host whose state is in these directories, with the driver that the settings choose. Makes nothing yet.
    pub fn new(root: PathBuf, state: PathBuf, settings: Settings) -> NetworkHost {
        let firewall = Firewall::select(settings.firewall, || recorded_driver(&state));
        NetworkHost {
            root,
            state,
            settings,
            firewall,
            rules: LazyRules::default(),
        }
    }

    /// The file that defines a network.
    pub fn definition(&self, name: &NetworkName) -> PathBuf {
        self.definitions().join(format!("{name}.json"))
    }

    /// The definition of a network that is being removed.
    pub fn removed_definition(&self, name: &NetworkName) -> PathBuf {
        self.definitions().join(format!("{name}.removing"))
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

    /// The directory that says which networks a running container is on.
    pub fn members(&self, container: &ContainerId) -> PathBuf {
        self.state.join("members").join(container.to_string())
    }

    /// The file that says that the rules are what the records say.
    pub fn firewall_marker(&self) -> PathBuf {
        self.state.join("firewall")
    }

    /// The file that says that rules were made since the boot, and by which drivers.
    pub fn firewall_variant(&self) -> PathBuf {
        self.state.join(FIREWALL_VARIANT)
    }

    /// The file that is locked by whoever changes rules.
    pub fn firewall_lock(&self) -> PathBuf {
        self.state.join("firewall.lock")
    }

    /// The file that says which chains of others refuse our packets; there is none where none does.
    pub fn foreign_blockade(&self) -> PathBuf {
        self.state.join("firewall.blockade")
    }

    /// The directory of the endpoints of ended containers whose ports are still kept to their addresses.
    pub fn departed(&self) -> PathBuf {
        self.state.join("firewall.departed")
    }

    /// The file that says that our chains for IPv6 were made since the boot.
    pub fn ipv6_firewall_marker(&self) -> PathBuf {
        self.state.join("firewall6")
    }

    /// The directory of definitions.
    pub fn definitions(&self) -> PathBuf {
        self.root.join("networks")
    }

    /// Waits for the lock under which networks are made and removed, so that no two get the same addresses.
    ///
    /// # Errors
    /// When the directory of definitions cannot be written to.
    pub fn lock_definitions(&self) -> Result<NetworkLock, NetworkError> {
        let directory = self.definitions();
        fs::create_dir_all(&directory)
            .map_err(|error| NetworkError::file("create", &directory, error))?;
        let path = directory.join("lock");
        let file = open_lock(&path).map_err(|error| NetworkError::file("open", &path, error))?;
        file.lock()
            .map_err(|error| NetworkError::file("lock", &path, error))?;
        Ok(NetworkLock { _file: file })
    }
}

/// What a network's directory holds.
const SUBDIRECTORIES: [&str; 6] = ["leases", "interfaces", "endpoints", "names", "links", "dns"];

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

/// An exclusive lock on a network's records, and on its devices as well; released on drop.
#[derive(Debug)]
pub struct WholeNetworkLock {
    _devices: DevicesLock,
    records: NetworkLock,
}

impl WholeNetworkLock {
    /// The lock on the records.
    pub(crate) fn records(&self) -> &NetworkLock {
        &self.records
    }
}

/// A lock on a network's devices, exclusive or shared; released on drop.
#[derive(Debug)]
pub(crate) struct DevicesLock {
    _file: File,
}

#[cfg(test)]
impl NetworkState {
    /// The state in a directory.
    pub(crate) fn at(directory: PathBuf) -> NetworkState {
        NetworkState { directory }
    }
}

impl NetworkState {
    /// Waits for the lock on the network's records, and until nobody makes devices by what they said before. The directories
    /// are made first if this is their first use.
    ///
    /// # Errors
    /// When the state directory cannot be written to.
    pub fn lock(&self) -> Result<WholeNetworkLock, NetworkError> {
        let records = self.lock_records()?;
        Ok(WholeNetworkLock {
            _devices: self.lock_devices(&records)?,
            records,
        })
    }

    /// Waits for the lock on the network's records. Whoever has it may add what is new, and take away what nobody has any more;
    /// of devices that others are just making by the records, it must change nothing.
    pub(crate) fn lock_records(&self) -> Result<NetworkLock, NetworkError> {
        let path = self.directory.join("lock");
        loop {
            let file = self.open_lock(&path)?;
            file.lock()
                .map_err(|error| NetworkError::file("lock", &path, error))?;
            // The network may have been removed, and made anew, while we waited.
            if is_at(&file, &path) {
                return Ok(NetworkLock { _file: file });
            }
        }
    }

    /// As [`NetworkState::lock_records`], for a network that may have gone; none if it has no directory any more, or never had one.
    pub(crate) fn lock_records_if_there(&self) -> Result<Option<NetworkLock>, NetworkError> {
        let path = self.directory.join("lock");
        loop {
            let file = match File::options().write(true).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                opened => opened.map_err(|error| NetworkError::file("open", &path, error))?,
            };
            file.lock()
                .map_err(|error| NetworkError::file("lock", &path, error))?;
            if is_at(&file, &path) {
                return Ok(Some(NetworkLock { _file: file }));
            }
        }
    }

    /// Waits until nobody makes devices by what the records said before. Nobody begins to without the lock on them.
    pub(crate) fn lock_devices(&self, _lock: &NetworkLock) -> Result<DevicesLock, NetworkError> {
        self.open_devices_lock(File::lock)
    }

    /// The right to make devices by what the records say now, even when their lock has been released; others may make theirs meanwhile.
    pub(crate) fn share_devices(&self, _lock: &NetworkLock) -> Result<DevicesLock, NetworkError> {
        self.open_devices_lock(File::lock_shared)
    }

    fn open_devices_lock(
        &self,
        lock: fn(&File) -> io::Result<()>,
    ) -> Result<DevicesLock, NetworkError> {
        let path = self.directory.join("devices.lock");
        let file = open_lock(&path).map_err(|error| NetworkError::file("open", &path, error))?;
        lock(&file).map_err(|error| NetworkError::file("lock", &path, error))?;
        Ok(DevicesLock { _file: file })
    }

    fn open_lock(&self, path: &Path) -> Result<File, NetworkError> {
        match open_lock(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                for name in SUBDIRECTORIES {
                    let directory = self.directory.join(name);
                    fs::create_dir_all(&directory)
                        .map_err(|error| NetworkError::file("create", &directory, error))?;
                }
                open_lock(path)
            }
            outcome => outcome,
        }
        .map_err(|error| NetworkError::file("open", path, error))
    }

    /// The directory itself.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The directory of leases of one family.
    pub fn leases(&self, family: Family) -> PathBuf {
        self.directory.join(match family {
            Family::Ipv4 => "leases",
            Family::Ipv6 => "leases6",
        })
    }

    /// The directory of those that the DNS knows by a name, which is in lower case. None for what is no name: it may have come
    /// in a packet from anywhere.
    pub fn dns_holders(&self, name: &str) -> Option<PathBuf> {
        let is_name = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0']);
        is_name.then(|| self.dns().join(name))
    }

    /// The directory of all directories of names that the DNS knows.
    pub fn dns(&self) -> PathBuf {
        self.directory.join("dns")
    }

    /// Which interface had an address last.
    pub fn last_interface(&self, address: IpAddr) -> PathBuf {
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
        self.names().join(name.to_string())
    }

    /// The directory of those links.
    pub fn names(&self) -> PathBuf {
        self.directory.join("names")
    }

    /// The file that says where the next port is to be had, once the main bridge was full.
    pub fn room(&self) -> PathBuf {
        self.directory.join("room")
    }

    /// The directory of those that are linked to `target`.
    pub fn links_to(&self, target: &ContainerName) -> PathBuf {
        self.links().join(target.to_string())
    }

    /// The directory of all directories of those who are linked to somebody.
    pub fn links(&self) -> PathBuf {
        self.directory.join("links")
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
}

/// Whether an open file is still the one that a path leads to.
fn is_at(file: &File, path: &Path) -> bool {
    let number = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(there)) => number(held) == number(there),
        _ => false,
    }
}
