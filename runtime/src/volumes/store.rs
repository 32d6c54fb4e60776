//! The directory of volumes.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use minirun_bridge::atomic_file;

use super::record::{NewVolume, Volume};
use crate::byte_size::ByteSize;
use crate::disk_usage::measured;
use crate::error::RuntimeError;
use crate::storage::VolumeName;
use crate::tree_removal::remove_tree;

/// What containers see of a volume.
const DATA: &str = "_data";

/// All volumes of a host.
#[derive(Debug, Clone)]
pub struct VolumeStore {
    directory: PathBuf,
}

/// A volume that nobody else makes, fills or removes; released on drop.
#[derive(Debug)]
pub struct VolumeLock {
    /// The volume.
    pub(super) name: VolumeName,
    _file: File,
}

/// What became of a volume that was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It was made.
    New,
    /// It was there.
    Found,
}

/// Where a volume's content is, below the directory of all volumes.
pub fn data_path(volumes: &Path, name: &VolumeName) -> PathBuf {
    volumes.join(name.as_str()).join(DATA)
}

impl VolumeStore {
    /// The volumes below `directory`, which need not exist yet.
    pub fn open(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    /// The directory of all volumes.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where a volume's content is.
    pub fn data(&self, name: &VolumeName) -> PathBuf {
        data_path(&self.directory, name)
    }

    /// How many bytes the files of a volume have, each counted once however many names it has. A container may change the volume
    /// meanwhile: what is gone when it is looked at does not count, and no link leads out.
    ///
    /// # Errors
    /// When the volume cannot be read.
    pub fn size(&self, name: &VolumeName) -> Result<ByteSize, RuntimeError> {
        measured(&self.data(name)).map(ByteSize::from_bytes)
    }

    pub(super) fn path(&self, name: &VolumeName) -> PathBuf {
        self.directory.join(name.as_str())
    }

    fn record(&self, name: &VolumeName) -> PathBuf {
        self.path(name).join("volume.json")
    }

    /// A volume, if there is one of that name.
    ///
    /// # Errors
    /// When its record cannot be read.
    pub fn find(&self, name: &VolumeName) -> Result<Option<Volume>, RuntimeError> {
        Ok(atomic_file::read_json_if_present(&self.record(name))?)
    }

    /// All volumes, by name.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn all(&self) -> Result<Vec<Volume>, RuntimeError> {
        let mut volumes = Vec::new();
        for name in self.names()? {
            volumes.extend(self.find(&name)?);
        }
        Ok(volumes)
    }

    /// What looks like a volume, also if it is half made.
    pub(super) fn names(&self) -> Result<Vec<VolumeName>, RuntimeError> {
        let fail = |error| RuntimeError::file("list", &self.directory, error);
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(fail(error)),
        };
        let mut names: Vec<VolumeName> = Vec::new();
        for entry in entries {
            let name = entry.map_err(fail)?.file_name();
            names.extend(name.to_str().and_then(|name| name.parse().ok()));
        }
        names.sort();
        Ok(names)
    }

    /// Makes a volume unless it exists, and locks it.
    ///
    /// # Errors
    /// When the directory of volumes cannot be written to.
    pub fn make(&self, wanted: &NewVolume) -> Result<(VolumeLock, Made), RuntimeError> {
        let path = self.path(&wanted.name);
        let lock = loop {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&path)
                .map_err(|error| RuntimeError::file("create", &path, error))?;
            // Whoever just removed one of that name may have removed this.
            if let Some(lock) = self.lock(&wanted.name)? {
                break lock;
            }
        };
        if self.record(&wanted.name).exists() {
            return Ok((lock, Made::Found));
        }
        // What lies here belongs to one that was half removed.
        clear(&path).map_err(|error| RuntimeError::file("clear", &path, error))?;
        let data = self.data(&wanted.name);
        make_data(&data).map_err(|error| RuntimeError::file("create", &data, error))?;
        let volume = Volume {
            name: wanted.name.clone(),
            created: Timestamp::now(),
            kind: wanted.kind,
            labels: wanted.labels.clone(),
        };
        atomic_file::write_json(&self.record(&wanted.name), &volume)?;
        Ok((lock, Made::New))
    }

    /// Waits for a volume's lock; none if there is no such volume any more.
    pub(super) fn lock(&self, name: &VolumeName) -> Result<Option<VolumeLock>, RuntimeError> {
        let path = self.path(name);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(RuntimeError::file("open", &path, error)),
        };
        file.lock()
            .map_err(|error| RuntimeError::file("lock", &path, error))?;
        Ok(self.still_there(name, file))
    }

    /// A volume's lock, if nobody holds it.
    pub(super) fn try_lock(&self, name: &VolumeName) -> Result<Option<VolumeLock>, RuntimeError> {
        let path = self.path(name);
        match File::open(&path) {
            Ok(file) if file.try_lock().is_ok() => Ok(self.still_there(name, file)),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(RuntimeError::file("open", &path, error)),
        }
    }

    /// The volume may have been removed while we waited, and another of its name made.
    fn still_there(&self, name: &VolumeName, file: File) -> Option<VolumeLock> {
        let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let ours = file.metadata().map(identity).ok()?;
        let there = fs::metadata(self.path(name)).map(identity).ok()?;
        (ours == there).then(|| VolumeLock {
            name: name.clone(),
            _file: file,
        })
    }

    /// Removes a volume with everything in it.
    pub(super) fn remove_locked(&self, lock: VolumeLock) -> Result<(), RuntimeError> {
        let record = self.record(&lock.name);
        match fs::remove_file(&record) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(RuntimeError::file("remove", &record, error));
            }
            _ => {}
        }
        let path = self.path(&lock.name);
        remove_tree(&path).map_err(|error| RuntimeError::file("remove", &path, error))
    }

    /// Removes what is left of volumes that were half made or half removed. What others work on is left to them.
    pub(crate) fn sweep(&self) -> Result<(), RuntimeError> {
        for name in self.names()? {
            if self.record(&name).exists() {
                continue;
            }
            if let Some(lock) = self.try_lock(&name)?
                && !self.record(&name).exists()
            {
                self.remove_locked(lock)?;
            }
        }
        Ok(())
    }
}

fn clear(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => remove_tree(&entry.path())?,
            false => fs::remove_file(entry.path())?,
        }
    }
    Ok(())
}

/// Whatever mask of permissions the caller has, everybody in a container may look into a volume until somebody decides otherwise.
fn make_data(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::VolumeKind;

    fn wanted(name: &str) -> NewVolume {
        NewVolume {
            name: name.parse().unwrap(),
            kind: VolumeKind::Named,
            labels: Default::default(),
        }
    }

    #[test]
    fn a_volume_is_made_once() {
        let directory = tempfile::tempdir().unwrap();
        let store = VolumeStore::open(directory.path().join("volumes"));
        assert_eq!(store.all().unwrap(), []);
        let (lock, made) = store.make(&wanted("db")).unwrap();
        assert_eq!(made, Made::New);
        assert!(store.try_lock(&lock.name).unwrap().is_none());
        drop(lock);
        fs::write(store.data(&wanted("db").name).join("file"), "x").unwrap();
        let (lock, made) = store.make(&wanted("db")).unwrap();
        assert_eq!(made, Made::Found);
        assert_eq!(store.all().unwrap().len(), 1);
        store.remove_locked(lock).unwrap();
        assert_eq!(store.names().unwrap(), []);
    }

    #[test]
    fn what_is_half_removed_is_not_found_again() {
        let directory = tempfile::tempdir().unwrap();
        let store = VolumeStore::open(directory.path());
        drop(store.make(&wanted("db")).unwrap());
        let data = store.data(&wanted("db").name);
        fs::write(data.join("secret"), "x").unwrap();
        fs::remove_file(store.record(&wanted("db").name)).unwrap();
        assert_eq!(store.all().unwrap(), []);
        let (lock, made) = store.make(&wanted("db")).unwrap();
        assert_eq!(made, Made::New);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 0);
        // Closing the file may not be enough: a child that another test has just forked has a copy for a moment, and with it
        // the lock.
        lock._file.unlock().unwrap();
        drop(lock);

        fs::remove_file(store.record(&wanted("db").name)).unwrap();
        store.sweep().unwrap();
        assert_eq!(store.names().unwrap(), []);
    }
}
