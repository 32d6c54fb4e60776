use super::*;
use crate::byte_size::ByteSize;
use crate::storage::{
    KindWanted, Mount as Recorded, MountKind, MountWanted, VolumeKind, VolumeMount,
    parse_mount_option, parse_tmpfs_option, parse_volume_option,
};

/// As a container's record has them; a volume without a name is `anonymous`.
fn recorded(wanted: MountWanted) -> Recorded {
    let kind = match wanted.kind {
        KindWanted::Bind(bind) => MountKind::Bind(bind),
        KindWanted::Tmpfs(tmpfs) => MountKind::Tmpfs(tmpfs),
        KindWanted::Volume(volume) => MountKind::Volume(VolumeMount {
            name: volume.name.unwrap_or_else(|| "anonymous".parse().unwrap()),
            kind: VolumeKind::Named,
            population: volume.population,
            subpath: volume.subpath,
        }),
    };
    Recorded {
        destination: wanted.destination,
        access: wanted.access,
        kind,
        origin: wanted.origin,
    }
}

fn storage(texts: &[&str]) -> Storage {
    let mount = |text: &&str| {
        let wanted = match text {
            text if text.contains('=') && !text.contains(":size") => parse_mount_option(text, "/"),
            text if text.starts_with("/run") => parse_tmpfs_option(text),
            text => parse_volume_option(text, "/"),
        };
        recorded(wanted.unwrap())
    };
    Storage {
        mounts: texts.iter().map(mount).collect(),
        ..Storage::default()
    }
}

fn lines(storage: &Storage, access: RootAccess) -> Vec<String> {
    guarded_lines(storage, access, DeviceGuard::ControlGroup)
}

fn guarded_lines(storage: &Storage, access: RootAccess, device_guard: DeviceGuard) -> Vec<String> {
    let show = |mount: &Mount| {
        format!(
            "{} {} {} {}",
            mount.source().as_ref().unwrap().display(),
            mount.destination().display(),
            mount.typ().as_ref().unwrap(),
            mount.options().as_ref().unwrap().join(",")
        )
    };
    let mounts = container_mounts(&MountInputs {
        etc_files: Path::new("/c"),
        access,
        storage,
        owners: MountOwners::AsOnDisk,
        volumes: Path::new("/volumes"),
        privilege: Privilege::Ordinary,
        device_guard,
    });
    mounts.iter().map(show).collect()
}

#[test]
fn the_mounts_are_dockers() {
    assert_eq!(
        lines(&Storage::default(), RootAccess::Writable),
        [
            "proc /proc proc nosuid,noexec,nodev",
            "tmpfs /dev tmpfs nosuid,strictatime,mode=755,size=65536k",
            "devpts /dev/pts devpts nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5",
            "sysfs /sys sysfs nosuid,noexec,nodev,ro",
            "cgroup /sys/fs/cgroup cgroup ro,nosuid,noexec,nodev",
            "mqueue /dev/mqueue mqueue nosuid,noexec,nodev",
            "shm /dev/shm tmpfs nosuid,noexec,nodev,mode=1777,size=65536k",
            "/c/resolv.conf /etc/resolv.conf bind rbind,rprivate",
            "/c/hostname /etc/hostname bind rbind,rprivate",
            "/c/hosts /etc/hosts bind rbind,rprivate",
        ]
    );
}

#[test]
fn the_files_in_etc_are_read_only_where_the_root_is() {
    let lines = lines(&Storage::default(), RootAccess::ReadOnly);
    assert_eq!(lines[9], "/c/hosts /etc/hosts bind rbind,rprivate,ro");
}

#[test]
fn shared_memory_is_as_large_as_wanted() {
    let storage = Storage {
        shared_memory: Some(ByteSize::from_bytes(1 << 30)),
        ..Storage::default()
    };
    assert_eq!(
        lines(&storage, RootAccess::Writable)[6],
        "shm /dev/shm tmpfs nosuid,noexec,nodev,mode=1777,size=1073741824"
    );
}

#[test]
fn what_the_user_mounts_comes_by_depth_and_takes_the_place_of_ours() {
    let storage = storage(&[
        "db:/etc/deep/data:ro",
        "/host:/etc",
        "/my/hosts:/etc/hosts:ro,rslave",
        "/run:size=1m",
        "type=bind,src=/a,dst=/b,readonly,bind-recursive=writable",
        "type=bind,src=/a,dst=/c,readonly,bind-recursive=disabled",
        "source=db,dst=/d,volume-subpath=x/y",
        "type=tmpfs,dst=/dev/shm",
    ]);
    assert_eq!(
        lines(&storage, RootAccess::Writable)[6..],
        [
            "/host /etc bind rbind,rprivate",
            "tmpfs /run tmpfs noexec,nosuid,nodev,size=1m",
            "/a /b bind rbind,rprivate,ro",
            "/a /c bind bind,rprivate,ro",
            "/volumes/db/_data/x/y /d bind rbind,rprivate",
            "/c/resolv.conf /etc/resolv.conf bind rbind,rprivate",
            "/c/hostname /etc/hostname bind rbind,rprivate",
            "/my/hosts /etc/hosts bind rbind,rslave,rro",
            "tmpfs /dev/shm tmpfs noexec,nosuid,nodev",
            "/volumes/db/_data /etc/deep/data bind rbind,rprivate,rro",
        ]
    );
}

#[test]
fn without_a_guard_for_devices_every_mount_is_closed_to_them() {
    let storage = storage(&[
        "/a:/b:ro",
        "type=bind,src=/a,dst=/c,readonly,bind-recursive=disabled",
        "source=db,dst=/d",
    ]);
    let lines = guarded_lines(&storage, RootAccess::Writable, DeviceGuard::Mounts);
    for line in [
        "tmpfs /dev tmpfs nosuid,strictatime,mode=755,size=65536k,nodev",
        "/a /b bind rbind,rprivate,rro,rnodev",
        "/a /c bind bind,rprivate,ro,nodev",
        "/volumes/db/_data /d bind rbind,rprivate,rnodev",
    ] {
        assert!(
            lines.iter().any(|other| other == line),
            "{line}\n{lines:#?}"
        );
    }
}

#[test]
fn a_dev_of_the_users_own_is_left_as_it_is() {
    let lines = lines(&storage(&["/dev:/dev"]), RootAccess::Writable);
    let of_dev: Vec<_> = lines.iter().filter(|line| line.contains(" /dev")).collect();
    assert_eq!(of_dev, ["/dev /dev bind rbind,rprivate"]);
}
