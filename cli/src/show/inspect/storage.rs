//! What is mounted in a container: `Mounts`, and what was asked for in `HostConfig` and `Config`.

use std::path::Path;

use minirun_runtime::config::ContainerConfig;
use minirun_runtime::storage::{
    Access, Bind, MissingSource, Mount, MountKind, Origin, Population, Propagation, Recursion,
    Tmpfs, VolumeKind, VolumeMount,
};
use minirun_runtime::volumes::data_path;
use serde_json::{Map, Value, json};

/// How large /dev/shm is unless it is said.
const USUAL_SHARED_MEMORY: u64 = 64 << 20;

/// `Mounts`: what there is, but for the file systems of `--tmpfs`, which Docker does not show there either.
pub(super) fn mounts(config: &ContainerConfig, volumes: &Path) -> Vec<Value> {
    let mounts = config.storage.mounts.iter();
    mounts
        .filter(|mount| !matches!(mount.origin, Origin::TmpfsOption(_)))
        .map(|mount| mount_point(mount, volumes))
        .collect()
}

fn mount_point(mount: &Mount, volumes: &Path) -> Value {
    let mode = match &mount.origin {
        Origin::VolumeOption(words) => words.as_str(),
        _ => "",
    };
    let writable = mount.access == Access::ReadWrite;
    match &mount.kind {
        MountKind::Bind(bind) => json!({
            "Type": "bind",
            "Source": bind.source,
            "Destination": mount.destination,
            "Mode": mode,
            "RW": writable,
            "Propagation": bind.propagation.word(),
        }),
        MountKind::Volume(volume) => json!({
            "Type": "volume",
            "Name": volume.name,
            "Source": data_path(volumes, &volume.name).to_string_lossy(),
            "Destination": mount.destination,
            "Driver": "local",
            "Mode": mode,
            "RW": writable,
            "Propagation": "",
        }),
        MountKind::Tmpfs(_) => json!({
            "Type": "tmpfs",
            "Source": "",
            "Destination": mount.destination,
            "Mode": mode,
            "RW": writable,
            "Propagation": "",
        }),
    }
}

/// `Config.Volumes`: the destinations of volumes that nobody named; Docker shows their absence as null.
pub(super) fn anonymous_volumes(config: &ContainerConfig) -> Option<Map<String, Value>> {
    let mounts = config.storage.mounts.iter().filter(|mount| {
        let asked = matches!(mount.origin, Origin::Image | Origin::VolumeOption(_));
        asked && matches!(&mount.kind, MountKind::Volume(volume) if volume.kind == VolumeKind::Anonymous)
    });
    let destinations: Map<String, Value> = mounts
        .map(|mount| (mount.destination.to_string(), json!({})))
        .collect();
    (!destinations.is_empty()).then_some(destinations)
}

/// What was asked of the host. As with Docker, some keys are there only where something was.
pub(super) fn add_to_host_config(document: &mut Value, config: &ContainerConfig) {
    let storage = &config.storage;
    let shared_memory = storage
        .shared_memory
        .map_or(USUAL_SHARED_MEMORY, |size| size.bytes());
    let from: Vec<String> = storage
        .volumes_from
        .iter()
        .map(ToString::to_string)
        .collect();
    document["Binds"] = json!(present(
        storage.mounts.iter().filter_map(bind_words).collect()
    ));
    document["VolumesFrom"] = json!(present(from));
    document["ShmSize"] = json!(shared_memory);
    let requests: Vec<Value> = storage.mounts.iter().filter_map(mount_request).collect();
    if !requests.is_empty() {
        document["Mounts"] = Value::Array(requests);
    }
    let tmpfs: Map<String, Value> = storage.mounts.iter().filter_map(tmpfs_words).collect();
    if !tmpfs.is_empty() {
        document["Tmpfs"] = Value::Object(tmpfs);
    }
    if let Some(size) = storage.size_limit {
        document["StorageOpt"] = json!({"size": size.to_string()});
    }
}

fn present<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// What was written behind `-v`, unless it was a destination alone.
fn bind_words(mount: &Mount) -> Option<String> {
    let Origin::VolumeOption(words) = &mount.origin else {
        return None;
    };
    let source = match &mount.kind {
        MountKind::Bind(bind) => bind.source.as_str(),
        MountKind::Volume(volume) if volume.kind == VolumeKind::Named => volume.name.as_str(),
        MountKind::Volume(_) | MountKind::Tmpfs(_) => return None,
    };
    let colon = if words.is_empty() { "" } else { ":" };
    Some(format!("{source}:{}{colon}{words}", mount.destination))
}

fn tmpfs_words(mount: &Mount) -> Option<(String, Value)> {
    match &mount.origin {
        Origin::TmpfsOption(words) => Some((mount.destination.to_string(), json!(words))),
        _ => None,
    }
}

/// What was written behind `--mount`.
fn mount_request(mount: &Mount) -> Option<Value> {
    if mount.origin != Origin::MountOption {
        return None;
    }
    let mut request = match &mount.kind {
        MountKind::Bind(bind) => bind_request(bind),
        MountKind::Volume(volume) => volume_request(volume),
        MountKind::Tmpfs(tmpfs) => tmpfs_request(tmpfs),
    };
    request["Target"] = json!(mount.destination);
    if mount.access == Access::ReadOnly {
        request["ReadOnly"] = json!(true);
    }
    Some(request)
}

fn bind_request(bind: &Bind) -> Value {
    let mut options = Map::new();
    if bind.propagation != Propagation::Rprivate {
        options.insert("Propagation".into(), json!(bind.propagation.word()));
    }
    let key = match bind.recursion {
        Recursion::Enabled => None,
        Recursion::Disabled => Some("NonRecursive"),
        Recursion::Writable => Some("ReadOnlyNonRecursive"),
        Recursion::ReadOnly => Some("ReadOnlyForceRecursive"),
    };
    let create = (bind.missing == MissingSource::Create).then_some("CreateMountpoint");
    for key in key.into_iter().chain(create) {
        options.insert(key.into(), json!(true));
    }
    with_options(
        json!({"Type": "bind", "Source": bind.source}),
        "BindOptions",
        options,
    )
}

fn volume_request(volume: &VolumeMount) -> Value {
    let mut request = json!({"Type": "volume"});
    if volume.kind == VolumeKind::Named {
        request["Source"] = json!(volume.name);
    }
    let mut options = Map::new();
    if volume.population == Population::Nothing {
        options.insert("NoCopy".into(), json!(true));
    }
    if let Some(subpath) = &volume.subpath {
        options.insert("Subpath".into(), json!(subpath));
    }
    with_options(request, "VolumeOptions", options)
}

fn tmpfs_request(tmpfs: &Tmpfs) -> Value {
    let mut options = Map::new();
    if let Some(size) = tmpfs
        .value("size")
        .and_then(|size| size.parse::<u64>().ok())
    {
        options.insert("SizeBytes".into(), json!(size));
    }
    let mode = tmpfs.value("mode");
    if let Some(mode) = mode.and_then(|mode| u32::from_str_radix(mode, 8).ok()) {
        options.insert("Mode".into(), json!(mode));
    }
    with_options(json!({"Type": "tmpfs"}), "TmpfsOptions", options)
}

fn with_options(mut request: Value, key: &str, options: Map<String, Value>) -> Value {
    if !options.is_empty() {
        request[key] = Value::Object(options);
    }
    request
}
