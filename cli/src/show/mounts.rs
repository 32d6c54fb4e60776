//! What is mounted in a container, in a few words.

use minirun_runtime::storage::{MountKind, Storage};

use super::list::Truncation;

/// How many characters of a volume's name or a path a listing shows.
const LONGEST: usize = 15;

/// The volumes by name and the binds by their source, as `ps` shows them.
pub(super) fn mounts(storage: &Storage, truncation: Truncation) -> String {
    let mounts = storage.mounts.iter();
    let names = mounts.filter_map(|mount| match &mount.kind {
        MountKind::Volume(volume) => Some(volume.name.as_str()),
        MountKind::Bind(bind) => Some(bind.source.as_str()),
        MountKind::Tmpfs(_) => None,
    });
    let shown: Vec<String> = names.map(|name| shortened(name, truncation)).collect();
    shown.join(",")
}

/// How many volumes a container has.
pub(super) fn local_volumes(storage: &Storage) -> usize {
    storage.volumes().count()
}

fn shortened(name: &str, truncation: Truncation) -> String {
    if truncation == Truncation::Full || name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    let start = name.chars().take(LONGEST - 1);
    start.chain(['…']).collect()
}
