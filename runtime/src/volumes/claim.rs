//! Making, filling and holding the volumes of a container that is being created.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::record::NewVolume;
use super::store::{Made, VolumeLock, VolumeStore};
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::runtime::Runtime;
use crate::storage::{
    KindWanted, Mount, MountKind, MountWanted, Population, VolumeKind, VolumeMount, VolumeName,
};

impl Runtime {
    /// Makes the volumes that are missing, fills those that are empty from the image's `layers`, and hands the mounts to `write`, which
    /// writes the container's record. Until that is done nobody can remove one of them. If it fails, those that were made are removed.
    pub(crate) fn with_volumes<T>(
        &self,
        wanted: Vec<MountWanted>,
        layers: &[PathBuf],
        write: impl FnOnce(Vec<Mount>) -> Result<T, RuntimeError>,
    ) -> Result<T, RuntimeError> {
        let store = self.volumes();
        let (mounts, mut labels) = named(wanted)?;
        let mut held = Held::default();
        let done = held
            .take(&store, &mounts, &mut labels)
            .and_then(|()| populate_all(&store, &mounts, layers))
            .and_then(|()| write(mounts));
        match &done {
            Ok(_) => held.made().for_each(|name| {
                self.tell_event(Event::volume(name.as_str(), Action::Create));
            }),
            Err(_) => held.undo(&store),
        }
        done
    }
}

type Labels = BTreeMap<VolumeName, BTreeMap<String, String>>;

/// Gives every volume a name. The labels are for those that do not exist yet.
fn named(wanted: Vec<MountWanted>) -> Result<(Vec<Mount>, Labels), RuntimeError> {
    let mut labels = Labels::new();
    let mut mounts = Vec::new();
    for mount in wanted {
        let kind = match mount.kind {
            KindWanted::Bind(bind) => MountKind::Bind(bind),
            KindWanted::Tmpfs(tmpfs) => MountKind::Tmpfs(tmpfs),
            KindWanted::Volume(volume) => {
                let kind = volume.kind;
                let name = volume.name.map_or_else(VolumeName::random, Ok)?;
                labels.insert(name.clone(), volume.labels);
                MountKind::Volume(VolumeMount {
                    name,
                    kind,
                    population: volume.population,
                    subpath: volume.subpath,
                })
            }
        };
        mounts.push(Mount {
            destination: mount.destination,
            access: mount.access,
            kind,
            origin: mount.origin,
        });
    }
    Ok((mounts, labels))
}

/// The volumes of one container, and which of them were made for it.
#[derive(Default)]
struct Held {
    locks: Vec<(VolumeLock, Made)>,
}

impl Held {
    /// Takes the locks in the order of the names, so that two commands never wait for each other.
    fn take(
        &mut self,
        store: &VolumeStore,
        mounts: &[Mount],
        labels: &mut Labels,
    ) -> Result<(), RuntimeError> {
        let mut kinds: BTreeMap<&VolumeName, VolumeKind> = BTreeMap::new();
        for mount in mounts {
            if let MountKind::Volume(volume) = &mount.kind {
                kinds.insert(&volume.name, volume.kind);
            }
        }
        for (name, kind) in kinds {
            let wanted = NewVolume {
                name: name.clone(),
                kind,
                labels: labels.remove(name).unwrap_or_default(),
            };
            self.locks.push(store.make(&wanted)?);
        }
        Ok(())
    }

    /// Those that were made.
    fn made(&self) -> impl Iterator<Item = &VolumeName> {
        let fresh = self.locks.iter().filter(|(_, made)| *made == Made::New);
        fresh.map(|(lock, _)| &lock.name)
    }

    /// Removes what was made; nobody can have seen it, because we still hold its lock.
    fn undo(self, store: &VolumeStore) {
        for (lock, made) in self.locks {
            if made == Made::New {
                // What remains has a record or is swept, and is nobody's.
                let _ = store.remove_locked(lock);
            }
        }
    }
}

fn populate_all(
    store: &VolumeStore,
    mounts: &[Mount],
    layers: &[PathBuf],
) -> Result<(), RuntimeError> {
    for mount in mounts {
        if let MountKind::Volume(volume) = &mount.kind
            && volume.population == Population::Copy
            && volume.subpath.is_none()
        {
            store.populate(&volume.name, layers, &mount.destination)?;
        }
    }
    Ok(())
}
