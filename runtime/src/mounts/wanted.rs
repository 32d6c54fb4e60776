//! What a user wants to be mounted, in the words of the specification.
//!
//! Where no control group guards the devices, every bind and volume is `nodev`: no node in it can be opened but those that the
//! runtime itself lets through.

use std::path::{Path, PathBuf};

use oci_spec::runtime;

use super::{MountInputs, owned};
use crate::storage::{Access, Bind, Mount, MountKind, Propagation, Recursion, VolumeMount};
use crate::volumes::data_path;

/// One mount of a container's record.
pub(super) fn wanted_mount(mount: &Mount, inputs: &MountInputs<'_>) -> runtime::Mount {
    let closed = inputs.device_guard.needs_closed_mounts();
    let (kind, source, options) = match &mount.kind {
        MountKind::Bind(bind) => (
            "bind",
            bind.source.clone().into(),
            closing(bind_options(bind, mount.access), closed),
        ),
        MountKind::Volume(volume) => (
            "bind",
            volume_source(volume, inputs.volumes),
            closing(
                recursive_options(Propagation::Rprivate, mount.access),
                closed,
            ),
        ),
        MountKind::Tmpfs(tmpfs) => ("tmpfs", PathBuf::from("tmpfs"), tmpfs.mount_words()),
    };
    let mut specified = runtime::Mount::default();
    specified
        .set_destination(mount.destination.as_str().into())
        .set_typ(Some(kind.to_owned()))
        .set_source(Some(source))
        .set_options(Some(options));
    specified
}

fn volume_source(volume: &VolumeMount, volumes: &Path) -> PathBuf {
    let data = data_path(volumes, &volume.name);
    match &volume.subpath {
        Some(subpath) => data.join(subpath),
        None => data,
    }
}

fn bind_options(bind: &Bind, access: Access) -> Vec<String> {
    let read_only = access == Access::ReadOnly;
    let words = match bind.recursion {
        Recursion::Enabled | Recursion::ReadOnly => {
            return recursive_options(bind.propagation, access);
        }
        Recursion::Writable => ["rbind", bind.propagation.word()],
        Recursion::Disabled => ["bind", bind.propagation.word()],
    };
    with(owned(&words), read_only.then_some("ro"))
}

/// With everything below it, all of which is read-only if it is.
fn recursive_options(propagation: Propagation, access: Access) -> Vec<String> {
    let words = owned(&["rbind", propagation.word()]);
    with(words, (access == Access::ReadOnly).then_some("rro"))
}

/// Closed to devices, with everything below it that comes along, if it has to be.
fn closing(words: Vec<String>, closed: bool) -> Vec<String> {
    let word = match words.iter().any(|word| word == "rbind") {
        true => "rnodev",
        false => "nodev",
    };
    with(words, closed.then_some(word))
}

fn with(mut words: Vec<String>, word: Option<&str>) -> Vec<String> {
    words.extend(word.map(str::to_owned));
    words
}
