//! Finding containers: by full id and by name with one look, by the beginning of an id with a search.

use crate::config::ContainerConfig;
use crate::container_state::ContainerState;
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use minirun_bridge::atomic_file;
use minirun_bridge::id::ContainerId;
use minirun_bridge::name::ContainerName;
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::symlink;

/// An exclusive lock on a container, held while it is started, torn down or removed; released on drop.
#[derive(Debug)]
pub struct ContainerLock {
    pub(crate) file: File,
}

impl Runtime {
    /// The container that a user means by a name, a full id, or the beginning of an id.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownContainer`], or [`RuntimeError::AmbiguousContainer`].
    pub fn resolve(&self, reference: &str) -> Result<ContainerConfig, RuntimeError> {
        let config = self.find(reference)?;
        let paths = self.paths(&config.id);
        let state = paths.container_state()?;
        let is_leaving = match state {
            ContainerState::Exited(_) => config.auto_remove,
            // One that was removed between two looks leaves no sign of how it ended.
            ContainerState::Created => !paths.record().exists(),
            _ => false,
        };
        if is_leaving || matches!(state, ContainerState::Abandoned(_)) {
            // A container that removes itself and has ended is as good as gone; its monitor holds the lock until it is.
            self.settle(&config)?;
            return self.find(reference);
        }
        Ok(config)
    }

    pub(crate) fn find(&self, reference: &str) -> Result<ContainerConfig, RuntimeError> {
        let unknown = || RuntimeError::UnknownContainer(reference.to_string());
        if let Some(config) = self.find_exactly(reference)? {
            return Ok(config);
        }
        if let Some(config) = self.find_by_link(reference)? {
            return Ok(config);
        }
        let prefix = reference.to_ascii_lowercase();
        if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(unknown());
        }
        let mut matches = self
            .ids()?
            .into_iter()
            .filter(|id| id.to_string().starts_with(&prefix));
        let found = matches.next().ok_or_else(unknown)?;
        if matches.next().is_some() {
            return Err(RuntimeError::AmbiguousContainer(reference.to_string()));
        }
        self.read(&found)?.ok_or_else(unknown)
    }

    /// By the name that a link gives: `web2/web` is what `web2` calls `web`.
    fn find_by_link(&self, reference: &str) -> Result<Option<ContainerConfig>, RuntimeError> {
        let reference = reference.strip_prefix('/').unwrap_or(reference);
        let Some((source, alias)) = reference.split_once('/') else {
            return Ok(None);
        };
        let Some(source) = self.find_exactly(source)? else {
            return Ok(None);
        };
        let mut links = source.network.links.iter();
        match links.find(|link| link.alias.as_str() == alias) {
            Some(link) => self.find_exactly(link.target.as_str()),
            None => Ok(None),
        }
    }

    /// By full id or by name.
    pub(crate) fn find_exactly(
        &self,
        reference: &str,
    ) -> Result<Option<ContainerConfig>, RuntimeError> {
        if let Ok(id) = reference.parse::<ContainerId>()
            && let Some(config) = self.read(&id)?
        {
            return Ok(Some(config));
        }
        let Ok(name) = reference.parse::<ContainerName>() else {
            return Ok(None);
        };
        let Some(id) = self.id_of(&name)? else {
            return Ok(None);
        };
        // A command that was to rename it may have been killed when it had taken the name, and nothing more.
        Ok(self.read(&id)?.filter(|config| config.name == name))
    }

    /// All containers, oldest first. Those that are being removed are left out.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn all(&self) -> Result<Vec<ContainerConfig>, RuntimeError> {
        let mut containers = Vec::new();
        for id in self.ids()? {
            containers.extend(self.read(&id)?);
        }
        containers.sort_by_key(|config| (config.created, config.id));
        Ok(containers)
    }

    /// The container's record, if there is such a container.
    pub(crate) fn read(&self, id: &ContainerId) -> Result<Option<ContainerConfig>, RuntimeError> {
        match atomic_file::read_json(&self.paths(id).record()) {
            Ok(config) => Ok(Some(config)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The id behind a name.
    pub(crate) fn id_of(&self, name: &ContainerName) -> Result<Option<ContainerId>, RuntimeError> {
        let path = self.names().join(name.to_string());
        match fs::read_link(&path) {
            Ok(target) => Ok(target.to_str().and_then(|target| target.parse().ok())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(RuntimeError::file("read", &path, error)),
        }
    }

    /// The container's record; for callers that hold its lock.
    pub(crate) fn current_record(&self, id: &ContainerId) -> Result<ContainerConfig, RuntimeError> {
        self.read(id)?
            .ok_or_else(|| RuntimeError::UnknownContainer(id.short()))
    }

    /// Takes a name for a container; says `false` if another has it.
    pub(crate) fn claim_name(
        &self,
        name: &ContainerName,
        id: &ContainerId,
    ) -> Result<bool, RuntimeError> {
        let directory = self.names();
        let path = directory.join(name.to_string());
        let claim = || symlink(id.to_string(), &path);
        let outcome = match claim() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(&directory)
                    .map_err(|error| RuntimeError::file("create", &directory, error))?;
                claim()
            }
            outcome => outcome,
        };
        match outcome {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(RuntimeError::file("create", &path, error)),
        }
    }

    /// Gives a name back, if it is the container's.
    pub(crate) fn release_name(&self, name: &ContainerName, id: &ContainerId) {
        if self.id_of(name).ok().flatten() == Some(*id) {
            let _ = fs::remove_file(self.names().join(name.to_string()));
        }
    }

    /// Waits for a container's lock.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownContainer`] when it was removed.
    pub fn lock(&self, id: &ContainerId) -> Result<ContainerLock, RuntimeError> {
        self.lock_if_present(id)?
            .ok_or_else(|| RuntimeError::UnknownContainer(id.short()))
    }

    /// Waits for a container's lock; none when it was removed meanwhile.
    pub(crate) fn lock_if_present(
        &self,
        id: &ContainerId,
    ) -> Result<Option<ContainerLock>, RuntimeError> {
        let path = self.paths(id).root;
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(RuntimeError::file("open", &path, error)),
        };
        file.lock()
            .map_err(|error| RuntimeError::file("lock", &path, error))?;
        // The directory may have been removed while we waited for whoever removed it.
        Ok(path.exists().then_some(ContainerLock { file }))
    }

    /// A container's lock, if nobody holds it and the container is there.
    pub(crate) fn try_lock(&self, id: &ContainerId) -> Result<Option<ContainerLock>, RuntimeError> {
        let path = self.paths(id).root;
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(RuntimeError::file("open", &path, error)),
        };
        match file.try_lock() {
            Ok(()) => Ok(path.exists().then_some(ContainerLock { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(RuntimeError::file("lock", &path, error)),
        }
    }

    /// Waits for the lock under which names are taken from containers that are gone.
    pub(crate) fn lock_names(&self) -> Result<File, RuntimeError> {
        let path = self.names();
        let file = File::open(&path).map_err(|error| RuntimeError::file("open", &path, error))?;
        file.lock()
            .map_err(|error| RuntimeError::file("lock", &path, error))?;
        Ok(file)
    }

    /// The ids of all containers.
    pub(crate) fn ids(&self) -> Result<Vec<ContainerId>, RuntimeError> {
        ids_in(&self.containers())
    }
}

/// The ids that name entries of a directory; none if it does not exist.
pub(crate) fn ids_in(directory: &std::path::Path) -> Result<Vec<ContainerId>, RuntimeError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(RuntimeError::file("list", directory, error)),
    };
    let mut ids: Vec<ContainerId> = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| RuntimeError::file("list", directory, error))?;
        ids.extend(
            entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<ContainerId>().ok()),
        );
    }
    Ok(ids)
}
