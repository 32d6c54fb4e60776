//! What volumes take: `ROOT/volumes/<name>/_data`.

use super::measured;
use crate::config::ContainerConfig;
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

/// What a volume takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeUsage {
    /// Its name.
    pub name: String,
    /// Where its files are.
    pub path: PathBuf,
    /// What they take.
    pub bytes: u64,
    /// How many containers use it, running or not.
    pub links: usize,
}

impl Runtime {
    /// Measures the volumes, by name.
    pub(super) fn volume_usage<'c>(
        &self,
        containers: impl Iterator<Item = &'c ContainerConfig>,
    ) -> Result<Vec<VolumeUsage>, RuntimeError> {
        let used: Vec<BTreeSet<String>> = containers.map(used_by).collect();
        let mut volumes = Vec::new();
        for name in self.volume_names()? {
            let links = used.iter().filter(|names| names.contains(&name)).count();
            volumes.push(self.measured_volume(name, links)?);
        }
        Ok(volumes)
    }

    fn measured_volume(&self, name: String, links: usize) -> Result<VolumeUsage, RuntimeError> {
        let path = self.volumes().join(&name).join("_data");
        Ok(VolumeUsage {
            bytes: measured(&path)?,
            links,
            path,
            name,
        })
    }

    /// The volume of a name, if there is one. Who uses it is not looked for.
    ///
    /// # Errors
    /// When the volumes cannot be listed or measured.
    pub fn volume(&self, name: &str) -> Result<Option<VolumeUsage>, RuntimeError> {
        match self.volume_names()?.take(name) {
            Some(name) => self.measured_volume(name, 0).map(Some),
            None => Ok(None),
        }
    }

    fn volumes(&self) -> PathBuf {
        self.directories.root.join("volumes")
    }

    fn volume_names(&self) -> Result<BTreeSet<String>, RuntimeError> {
        let path = self.volumes();
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
            Err(error) => return Err(RuntimeError::file("list", &path, error)),
        };
        let mut names = BTreeSet::new();
        for entry in entries {
            let entry = entry.map_err(|error| RuntimeError::file("list", &path, error))?;
            if entry.path().join("_data").is_dir() {
                names.extend(entry.file_name().into_string());
            }
        }
        Ok(names)
    }
}

/// The names of the volumes that a container uses.
pub(super) fn used_by(_config: &ContainerConfig) -> BTreeSet<String> {
    BTreeSet::new()
}
